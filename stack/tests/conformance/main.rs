//! The whole stack in virtual time, row by row of `docs/conformance.md`: what goes in, what comes
//! out, and when.

mod address;
mod fragments;
mod frames;
mod icmp;
mod link;
mod packet;
mod path;
mod routes;
mod search;
mod siege;
mod wire;
