//! What every implementation of a port must do: one suite per port, called from each implementation's tests.

pub mod cache;
pub mod history;
pub mod journal;
pub mod memory;
mod patient;
pub mod peers;
pub mod store;
pub mod tables;
