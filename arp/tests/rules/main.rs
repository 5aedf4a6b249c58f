//! The rules of ARP, each shown on a network in memory, in virtual time.

mod claims;
mod lan;
mod reception;
mod resolution;
mod sending;
mod table;
