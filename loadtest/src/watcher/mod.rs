//! Readers of WatchMetric: one that checks the contract of a stream over reconnects, and one that times how soon a change shows.

pub mod follower;
pub mod probe;
#[cfg(test)]
mod tests;
