//! Many hosts that are one stack.

mod hosts;
mod ills;
mod lost;
mod pair;
mod routes;
