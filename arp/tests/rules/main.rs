//! The rules of ARP, each shown on a network in memory, in virtual time.

mod block;
mod claims;
mod defence;
mod fragments;
mod lan;
mod reach;
mod reception;
mod resolution;
mod sending;
mod table;
mod trust;
