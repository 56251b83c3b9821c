//! The store port on one file.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};
use souk_runtime::ports::Store;
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use crate::Error;
use crate::database::File;
use crate::limits::QUEUED_WORKS;
use crate::schema::Tables;
use crate::writer::{self, Work};

/// Cuts and manifests in one redb file. Dropping it writes what was asked for, then closes the file.
#[derive(Debug)]
pub struct EmbeddedStore {
    file: Arc<File>,
    /// There until it is dropped.
    queue: Option<mpsc::Sender<Work>>,
    writer: Option<JoinHandle<()>>,
}

impl EmbeddedStore {
    /// Opens the file, or makes it. Its folder must exist. Repairs a file that was not closed in order, which reads all of it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        File::open(path.as_ref()).and_then(Self::on)
    }

    pub(crate) fn on(file: File) -> Result<Self, Error> {
        let file = Arc::new(file);
        let (queue, works) = mpsc::channel(QUEUED_WORKS);
        let writer = thread::Builder::new().name("store-writer".to_owned()).spawn({
            let file = file.clone();
            move || writer::run(&file, works)
        });
        let writer = writer.map_err(|error| Error::Io { path: file.path().to_owned(), error })?;
        Ok(Self { file, queue: Some(queue), writer: Some(writer) })
    }

    /// Waits while the writer has more to do than it may hold. Fails when the writer is gone.
    async fn ask(&self, work: Work) -> Result<(), Unavailable> {
        let queue = self.queue.as_ref().ok_or(Unavailable)?;
        queue.send(work).await.map_err(|_| Unavailable)
    }

    /// Reads what is committed, on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Tables) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let file = self.file.clone();
        let read = task::spawn_blocking(move || look(&Tables::read(&file.read()?)?)).await;
        let error = match read {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(file = %self.file.path().display(), error, "the store's file could not be read");
        if let Some(queue) = &self.queue {
            // Where the queue is full the writer will find out by itself.
            drop(queue.try_send(Work::Reopen));
        }
        Err(Unavailable)
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            self.file.close();
        }
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn manifest(&self, shard: ShardId) -> Result<Option<Manifest>, Unavailable> {
        let bytes = self.read(move |tables| Ok(tables.manifest(shard)?)).await?;
        bytes.map(|bytes| Manifest::decode(&bytes)).transpose().map_err(|error| {
            tracing::error!(file = %self.file.path().display(), %shard, %error, "a manifest could not be read");
            Unavailable
        })
    }

    async fn write_manifest(&self, condition: Condition, manifest: Manifest) -> CasOutcome {
        let (reply, outcome) = oneshot::channel();
        let work = Work::Flip { condition, manifest: Box::new(manifest), reply };
        match self.ask(work).await {
            Ok(()) => outcome.await.unwrap_or(CasOutcome::Unknown),
            Err(Unavailable) => CasOutcome::Unknown,
        }
    }

    async fn write_segments(&self, shard: ShardId, segments: Vec<Segment>) -> WriteOutcome {
        let (reply, outcome) = oneshot::channel();
        match self.ask(Work::Write { shard, segments, reply }).await {
            Ok(()) => outcome.await.unwrap_or(WriteOutcome::Unknown),
            Err(Unavailable) => WriteOutcome::Unknown,
        }
    }

    async fn load_sections(&self, shard: ShardId, sections: Vec<u16>) -> Result<Vec<Segment>, Unavailable> {
        self.read(move |tables| {
            let mut found = Vec::new();
            for section in sections {
                tables.section(shard, section, &mut found)?;
            }
            Ok(found)
        })
        .await
    }

    async fn delete_segments(&self, shard: ShardId, segments: Vec<SegmentId>) {
        // A delete that gets lost leaves a segment no manifest names.
        let (Ok(()) | Err(Unavailable)) = self.ask(Work::Delete { shard, segments }).await;
    }
}
