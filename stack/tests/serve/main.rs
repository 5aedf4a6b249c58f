//! Many hosts that are one stack.

mod hosts;
mod ills;
mod pair;
mod routes;
