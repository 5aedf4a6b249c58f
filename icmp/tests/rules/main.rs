//! The rules of ICMP, each shown over an internet layer that only takes notes.

mod echo;
mod ends;
mod errors;
mod faults;
mod host;
mod report;
mod server;
