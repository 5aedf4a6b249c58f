//! The rules of ICMP, each shown over an internet layer that only takes notes.

mod echo;
mod ends;
mod errors;
mod extensions;
mod faults;
mod host;
mod path;
mod report;
mod scale;
mod server;
mod timestamp;
