//! The rules of IPv4, each shown on a network in memory.

mod header;
mod host;
mod input;
mod output;
mod routing;
