//! The rules of IPv4, each shown on a network in memory.

mod fragments;
mod gateways;
mod header;
mod host;
mod hosts;
mod input;
mod options;
mod output;
mod path;
mod reassembly;
mod round_trip;
mod routing;
mod siege;
