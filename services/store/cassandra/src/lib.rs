//! The store on Cassandra or ScyllaDB: cuts and manifests of all nodes' shards, in one keyspace.
//!
//! [`CassandraStore`] is the runtime's store port. A cut's way: `chunks` splits each segment's blob, `segments` writes the chunks side by
//! side, each acknowledged by a quorum; then `manifests` flips the shard's one row by a conditional write. `client` is the way to the
//! server: who may ask when, and for how long; `cql` is every word that is said to it. [`migrate`] makes the tables; a store opens only on
//! the schema it knows (`schema`).
//!
//! **Manifests** are written only by conditional writes and read only serially: one plain write among them would not be ordered with
//! them. A conditional write is never repeated here or by the driver: without an answer its outcome is `Unknown`, and the owner asks.
//!
//! **Segments** are immutable and may be written any number of times. A segment counts only if all its chunks are there. Their write time
//! is the number of their cut, not a clock's: repeats are equal to the first write, a delete wins over what it deletes, and what is
//! deleted is older than what was written after it, so the server can forget both. A delete that comes back from the dead is harmless.
//!
//! **Tables** that people read ([`CassandraTables`], the port of that name) stand in the same keyspace, each made of the settings' `table`
//! entries. Rows are written with their revision as the write time, so the newest stays whatever order writes arrive in.
//! Records kept as they came ([`CassandraHistory`]) are written with a time that falls as offsets rise: the first of an id stays.
//!
//! **A server that is away** costs a caller at most [`limits::QUEUE_WAIT`] and one request's time; the driver goes on looking for it,
//! at least every ten seconds.

mod chunks;
mod client;
mod cql;
mod error;
pub mod limits;
mod manifests;
mod options;
mod schema;
mod segments;
mod store;
mod tables;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use options::{Login, Options, Replication};
pub use schema::migrate;
pub use store::CassandraStore;
pub use tables::{CassandraHistory, CassandraTables, migrate_history, migrate_tables};
