//! Simulated ports, fault menu and oracles for the pure core of Souk.

pub mod recount;
