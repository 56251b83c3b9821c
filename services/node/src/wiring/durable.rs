//! Where state outlives the process: a journal and a store, in a data directory of this node or on Kafka and Cassandra.

use std::sync::Arc;

use souk_runtime::ports::{Clock, Journal, Store};
use tokio::task::spawn_blocking;

use super::{embedded, services};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::limits;

/// Both, opened.
#[derive(Debug)]
pub(super) struct Durable {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) store: Arc<dyn Store>,
    /// Tells this start of the node from every other.
    pub(super) incarnation: u64,
    /// Given back when everything that writes there is closed; none: nothing is kept here.
    data: Option<DataDir>,
}

impl Durable {
    pub(super) async fn open(
        config: &Config,
        data: Option<DataDir>,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let Some(data) = data else {
            let (journal, store) = services::open(config).await?;
            // Nothing of this node is kept, but no two starts of it fall into one millisecond.
            let incarnation = clock.now().unsigned_abs();
            return Ok(Self { journal: Arc::new(journal), store: Arc::new(store), incarnation, data: None });
        };
        let (journal, store) = embedded::open(config, data.path(), Arc::clone(clock)).await?;
        let incarnation = journal.incarnation();
        Ok(Self { journal: Arc::new(journal), store: Arc::new(store), incarnation, data: Some(data) })
    }

    /// Closes both once nobody else holds them, then gives the directory back.
    pub(super) async fn close(self) -> bool {
        let Self { journal, store, data, .. } = self;
        let alone = || Arc::strong_count(&journal) == 1 && Arc::strong_count(&store) == 1;
        while !alone() {
            tokio::time::sleep(limits::CLOSE_POLL).await;
        }
        let closed = spawn_blocking(move || drop((journal, store))).await.is_ok();
        drop(data);
        closed
    }
}
