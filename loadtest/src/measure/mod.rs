//! What is measured, and how it is shown: due times, latencies from them, processor time of each process, one table.

pub mod clock;
pub mod cpu;
pub mod histogram;
pub mod report;
pub mod schedule;
