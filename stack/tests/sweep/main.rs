//! Many targets in virtual time: exact moments, exact counts, and one end for each probe.

mod ends;
#[path = "../far/mod.rs"]
mod far;
mod hops;
mod outage;
mod schedule;
mod shards;
mod world;
