//! The recount against examples worked out by hand, a rule of the semantics each.
#![allow(clippy::unwrap_used)]

mod carts;
mod journal;
mod metrics;
mod orders;
mod products;
mod sessions;
mod verdicts;
