//! The server under test, as its callers know it: a process with flags and signals, and a gRPC address; or several of them that share
//! their shards, with the servers they need.

pub mod client;
pub mod cluster;
pub mod doors;
pub mod echo;
pub mod http;
pub mod lane;
pub mod partition;
pub mod process;
pub mod services;
pub mod shards;
pub mod tables;
pub mod topic;
