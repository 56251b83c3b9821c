//! Views: where rows of the series are written for others to read with their own tools, tables for good and a cache that may vanish.
//!
//! Contract, checked by `conformance::view`: what is written is absolute and carries its revision; whatever order writes arrive in, and
//! however often, the newest stays. A write that fails may have been done in part: the caller writes those rows again as they then are.
//! Nothing here waits longer than a server may take to answer; a server that is away is said to be.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use souk_model::owner::Unavailable;
use souk_model::view::{Command, TableRow, TableShape};

use super::HistoryAt;

/// One change of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum TableWrite {
    Row(TableRow),
    /// The first rows of one window of one shop, all of one revision: older ones that are not among them go.
    List(Vec<TableRow>),
}

/// Tables that people read.
#[async_trait]
pub trait Tables: Send + Sync + Debug {
    /// Makes those that are not there, and columns they lack. One that stands otherwise is left alone and said: its rows go nowhere.
    async fn declare(&self, tables: Vec<Arc<TableShape>>) -> Result<(), Unavailable>;

    /// Writes to declared tables.
    async fn write(&self, writes: Vec<TableWrite>) -> Result<(), Unavailable>;
}

/// Whether a cache still held what had been written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    All,
    /// It was emptied since the last write, or this is the first one.
    Nothing,
}

/// What a cache has done since the node started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheFigures {
    /// Commands sent, and those of them that changed nothing: something as new was there.
    pub commands: u64,
    pub outdated: u64,
    /// Requests that failed, and those not even made because those before them did.
    pub failures: u64,
    pub refused: u64,
    /// No requests are made for now.
    pub open: bool,
}

/// A cache that others read.
#[async_trait]
pub trait Cache: Send + Sync + Debug {
    /// Writes each unless what is there is as new. Without commands it is only asked what it holds.
    async fn write(&self, commands: Vec<Command>) -> Result<Held, Unavailable>;

    /// What an [`Answer`](souk_model::view::What::Answer) written under a name holds; none: nothing of the kind stands there. Answers within
    /// a fraction of a second, and at once while writes fail: whether a server is back is for them to find out, not for who waits here.
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable>;

    fn figures(&self) -> CacheFigures;
}

/// The views of a node, as far as it has any.
#[derive(Debug, Clone, Default)]
pub struct Views {
    pub tables: Option<TablesAt>,
    pub cache: Option<Arc<dyn Cache>>,
    pub history: Option<HistoryAt>,
}

/// Tables, and how much is written to them.
#[derive(Debug, Clone)]
pub struct TablesAt {
    pub tables: Arc<dyn Tables>,
    /// Rows a node writes per second at most. Where more change, those that waited longest come first and others wait.
    pub rows_per_second: usize,
}
