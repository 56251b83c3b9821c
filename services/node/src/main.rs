//! `souk`: the node, and every command that talks to one.
//!
//! A command is a file of [`cli`]. Those that run a node read [`config`], and [`wiring`] joins journal, store, runtime and API;
//! those that ask one go through [`client`] and print through [`output`]; [`generate`] and [`ingest`] send events by the [`publisher`], or
//! to a [`topic`] in a [`form`] others read.

mod cli;
mod client;
mod config;
mod data_dir;
mod form;
mod generate;
mod ingest;
mod limits;
mod output;
mod publisher;
mod shoppers;
mod shutdown;
mod telemetry;
mod top;
mod topic;
mod wiring;

use std::process::ExitCode;

/// Many threads free what others allocated: records cross from connections to shards.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
