//! Simulated ports, fault menu and oracles for the pure core of Souk.
//!
//! A seed is a whole run: a [`plan`] says which [`faults`] are on, a workload appends records, nodes carry owners, and everything
//! happens in virtual time out of one [`schedule`]. The oracles watch all of it, and recount the journals at the end.

pub mod clock;
pub mod faults;
pub mod journal;
pub mod net;
pub mod plan;
pub mod rng;
pub mod schedule;
pub mod settings;
pub mod store;
pub mod trace;
pub mod view;
pub mod workload;
