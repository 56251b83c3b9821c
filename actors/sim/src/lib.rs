//! Simulated ports, fault menu and oracles for the pure core of Souk.
//!
//! A seed is a whole run: a [`plan`] says which [`faults`] are on, a workload appends records, nodes carry owners, and everything
//! happens in virtual time out of one [`schedule`]. The oracles watch all of it, and [`recount`] the journals at the end.

mod bridge;
mod clients;
mod clock;
mod damage;
mod disturb;
mod effects;
pub mod faults;
mod invariants;
mod journal;
mod net;
mod node;
mod owners;
pub mod panics;
pub mod plan;
pub mod recount;
pub mod report;
mod rng;
pub mod run;
mod schedule;
mod settings;
pub mod shrink;
mod store;
mod subject;
pub mod trace;
mod view;
mod watchers;
mod workload;
mod world;
