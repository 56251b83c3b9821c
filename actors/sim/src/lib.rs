//! Simulated ports, fault menu and oracles for the pure core of Souk.
//!
//! A seed is a whole run: a [`plan`] says which [`faults`] are on, a workload appends records, nodes carry owners, and everything
//! happens in virtual time out of one [`schedule`]. The oracles watch all of it, and [`recount`] the journals at the end.

pub mod batch;
pub mod bridge;
pub mod clients;
pub mod clock;
pub mod damage;
pub mod disturb;
pub mod effects;
pub mod faults;
pub mod invariants;
pub mod journal;
pub mod net;
pub mod node;
pub mod observed;
pub mod owners;
pub mod panics;
pub mod plan;
pub mod planted;
pub mod recount;
pub mod report;
pub mod rng;
pub mod rows;
pub mod run;
pub mod schedule;
pub mod scratch;
pub mod settings;
pub mod shrink;
pub mod store;
pub mod subject;
pub mod trace;
pub mod view;
pub mod watchers;
pub mod workload;
pub mod world;
