//! What a store on Cassandra is told when it is opened, or its schema made.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::Error;
use crate::limits::{
    KEYSPACE_NAME, LEAST_REQUEST_TIMEOUT, MOST_REPLICAS, MOST_REQUEST_TIMEOUT, OPEN_PATIENCE, REQUEST_TIMEOUT,
};

#[derive(Debug, Clone)]
pub struct Options {
    /// Addresses to begin with, as `host:port`.
    pub nodes: Vec<String>,
    pub login: Option<Login>,
    pub keyspace: String,
    /// How a keyspace is made that is not there. One that is there stays as it is.
    pub replication: Replication,
    /// Where quorums are formed: in this datacenter, or across all of them. The same for all nodes of a keyspace, for life.
    pub datacenter: Option<String>,
    /// How long a request may take before its outcome is unknown.
    pub request_timeout: Duration,
    /// How long `open` and `migrate` wait for a server: one that is just starting is waited for.
    pub patience: Duration,
}

#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How many copies there are, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replication {
    /// So many, anywhere: one server, tests.
    Simple(u32),
    /// So many in each datacenter, by its name.
    PerDatacenter(BTreeMap<String, u32>),
}

impl Options {
    /// The defaults: keyspace `souk`, quorums across all datacenters, 2 s for a request, 10 s for a server to answer at first.
    pub fn new(nodes: Vec<String>, replication: Replication) -> Self {
        Self {
            nodes,
            login: None,
            keyspace: "souk".to_owned(),
            replication,
            datacenter: None,
            request_timeout: REQUEST_TIMEOUT,
            patience: OPEN_PATIENCE,
        }
    }

    /// What is wrong in itself, found without asking anybody. Names end up in statements, so this is also what keeps those sound.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.nodes.is_empty() {
            return Err(wrong("nodes", "name one at least, as host:port"));
        }
        for node in &self.nodes {
            check_address(node)?;
        }
        check_keyspace(&self.keyspace)?;
        match &self.replication {
            Replication::Simple(copies) => check_copies(*copies)?,
            Replication::PerDatacenter(datacenters) => {
                if datacenters.is_empty() {
                    return Err(wrong("replication", "name one datacenter at least"));
                }
                for (name, copies) in datacenters {
                    check_datacenter("replication", name)?;
                    check_copies(*copies)?;
                }
                if let Some(own) = self.datacenter.as_ref().filter(|own| !datacenters.contains_key(*own)) {
                    return Err(wrong("datacenter", format!("`replication` keeps no copies in {own}")));
                }
            }
        }
        if let Some(name) = &self.datacenter {
            check_datacenter("datacenter", name)?;
        }
        if !(LEAST_REQUEST_TIMEOUT..=MOST_REQUEST_TIMEOUT).contains(&self.request_timeout) {
            let why = format!("must be {LEAST_REQUEST_TIMEOUT:?} to {MOST_REQUEST_TIMEOUT:?}");
            return Err(wrong("request_timeout", why));
        }
        Ok(())
    }

    pub(crate) fn addresses(&self) -> String {
        self.nodes.join(",")
    }
}

fn wrong(option: impl Into<String>, why: impl Into<String>) -> Error {
    Error::Option { option: option.into(), why: why.into() }
}

fn check_address(address: &str) -> Result<(), Error> {
    let port =
        address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(port)) if port > 0 && !address.contains([',', '/', ' ']) => Ok(()),
        _ => Err(wrong("nodes", format!("`{address}` is not host:port"))),
    }
}

fn check_keyspace(name: &str) -> Result<(), Error> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if !begins || name.len() > KEYSPACE_NAME || !name.bytes().all(legal) {
        let why =
            format!("`{name}` is not a keyspace's name: a letter, then up to {KEYSPACE_NAME} of a-z 0-9 _");
        return Err(wrong("keyspace", why));
    }
    Ok(())
}

fn check_datacenter(option: &str, name: &str) -> Result<(), Error> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(wrong(option, format!("`{name}` is not a datacenter's name: A-Z a-z 0-9 . _ -")));
    }
    Ok(())
}

fn check_copies(copies: u32) -> Result<(), Error> {
    match copies {
        1..=MOST_REPLICAS => Ok(()),
        _ => Err(wrong("replication", format!("{copies} copies: must be 1 to {MOST_REPLICAS}"))),
    }
}
