//! The embedded store: cuts and manifests of one node's shards, in one redb file.
//!
//! [`EmbeddedStore`] is the runtime's store port. All changes go through one writer thread ([`writer`]), because redb has one writer:
//! what several shards want written at once shares a transaction and its sync. Reads run beside it on blocking threads and see
//! the last committed transaction, which is what makes a manifest's read serial. [`check()`] is the doctor's look at the file.

mod check;
mod database;
mod embedded;
mod error;
pub mod limits;
mod schema;
mod writer;

pub use check::{Checked, check};
pub use embedded::EmbeddedStore;
pub use error::Error;

#[cfg(test)]
mod tests;
