//! What can keep a store on Cassandra from opening or being made, and the way out of it.

use std::fmt;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{option}: {why}")]
    Option { option: String, why: String },

    #[error("no Cassandra server at {nodes} answered within {:.1} s: {why}", waited.as_secs_f64())]
    NoServer { nodes: String, waited: Duration, why: String },

    /// Waiting would not help.
    #[error("the Cassandra servers at {nodes} refuse this client: {why}")]
    Refused { nodes: String, why: String },

    #[error("the keyspace {keyspace} has no tables of ours: run `souk migrate`")]
    NoSchema { keyspace: String },

    #[error(
        "the keyspace {keyspace} has schema version {found}, this build needs {newest}: run `souk migrate`"
    )]
    Older { keyspace: String, found: i32, newest: i32 },

    #[error(
        "the keyspace {keyspace} has schema version {found}, which is newer than this build's {newest}: start the newer build \
         (its `souk migrate` made it)"
    )]
    Newer { keyspace: String, found: i32, newest: i32 },

    /// Two nodes that settle conditional writes in different places do not see each other's.
    #[error(
        "the keyspace {keyspace} settles who owns a shard in {}, this node would in {}: give every node the same datacenter, or \
         none to all of them",
        Place(found),
        Place(wanted)
    )]
    OtherDatacenter { keyspace: String, found: String, wanted: String },

    #[error("cannot {doing}: {why}")]
    Server { doing: String, why: String },
}

impl Error {
    pub(crate) fn server(doing: impl Into<String>, why: impl ToString) -> Self {
        Self::Server { doing: doing.into(), why: why.to_string() }
    }
}

struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => write!(f, "all datacenters"),
            name => write!(f, "the datacenter {name}"),
        }
    }
}
