//! The server under test, as its callers know it: a process with flags and signals, and a gRPC address.

pub mod client;
pub mod echo;
pub mod http;
pub mod lane;
pub mod process;
pub mod shards;
