//! The journal port over one log.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::ready;
use souk_model::journal::{Partitions, ShardId};
use souk_model::owner::{Ends, Entries, Unavailable};
use souk_runtime::ports::{Appended, Appending, Clock, Journal, Line, NewRecord, unavailable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::disk::{Lock, RealDisk};
use crate::limits::{QUEUE_BYTES, QUEUE_WAIT, QUEUED_RECORD_BYTES};
use crate::meta::Meta;
use crate::open::{Opened, open};
use crate::options::ClockKind;
use crate::request::Request;
use crate::visible::Visible;
use crate::{Error, Options, writer};

/// Both journals of one node in one log. Dropping it waits until what was appended is written and synced.
#[derive(Debug)]
pub struct EmbeddedJournal {
    visible: Arc<Visible>,
    meta: Meta,
    /// Bytes of room in the queue.
    room: Arc<Semaphore>,
    /// None only while dropping: its end tells the writer to finish.
    queue: Option<Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    /// Let go after the writer has ended.
    _lock: Lock,
}

impl EmbeddedJournal {
    /// Opens the directory, or makes it. Blocks while it recovers: the newest segment is read whole.
    pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let (disk, lock) = RealDisk::take(&options.dir)?;
        let (dir, durability) = (options.dir.clone(), options.durability);
        let Opened { log, visible, meta } = open(Arc::new(disk), options, clock)?;
        let (queue, queued) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer::run(log, &queued, durability))
            .map_err(|source| Error::Io { doing: "start the writer of", path: dir, source })?;
        let room = Arc::new(Semaphore::new(QUEUE_BYTES));
        Ok(Self { visible, meta, room, queue: Some(queue), writer: Some(writer), _lock: lock })
    }

    /// How often the directory has been opened, this time included: every start of a node has another.
    pub fn incarnation(&self) -> u64 {
        self.meta.incarnation
    }

    pub fn topic_id(&self) -> u64 {
        self.meta.topic_id
    }

    pub fn clock_kind(&self) -> ClockKind {
        self.meta.clock_kind
    }

    /// What it holds, for people.
    pub fn footprint(&self) -> Footprint {
        let segments = self.visible.segments.read();
        let bytes = segments.iter().map(|segment| segment.index.read().end).sum();
        Footprint { segments: segments.len(), bytes }
    }

    /// Waits for room in the queue.
    async fn admit(&self, records: &[NewRecord]) -> Option<OwnedSemaphorePermit> {
        let bytes: usize = records.iter().map(|record| record.bytes.len() + QUEUED_RECORD_BYTES).sum();
        let bytes = u32::try_from(bytes.min(QUEUE_BYTES)).ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        tokio::time::timeout(QUEUE_WAIT, room).await.ok()?.ok()
    }

    fn number(&self, shard: ShardId) -> Result<usize, Unavailable> {
        self.visible.layout.number(shard).ok_or(Unavailable)
    }
}

/// Size of a journal on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    pub segments: usize,
    pub bytes: u64,
}

#[async_trait]
impl Journal for EmbeddedJournal {
    fn partitions(&self) -> Partitions {
        self.visible.layout.0
    }

    async fn enqueue(&self, records: Vec<NewRecord>, line: Option<&Line>) -> Appending {
        let count = records.len();
        if count == 0 {
            return Box::pin(ready(Vec::new()));
        }
        let answered = match (self.admit(&records).await, &self.queue) {
            (Some(room), Some(queue)) => {
                let (request, answered) = Request::new(records, line.cloned(), Some(room));
                queue.send(request).ok().map(|()| answered)
            }
            _ => None,
        };
        let Some(answered) = answered else { return unavailable(count, line) };
        // The writer answers everything; if it is gone, nobody knows.
        Box::pin(answered.map(move |became| became.unwrap_or_else(|_| vec![Appended::Unknown; count])))
    }

    async fn ends(&self, shard: ShardId) -> Result<Ends, Unavailable> {
        let partition = self.number(shard)?;
        // The start first: it never passes the end.
        let (start, end) = (self.visible.start(partition), self.visible.end(partition));
        let partitions = self.visible.layout.partitions_of(shard.journal);
        Ok(Ends { topic_id: self.meta.topic_id, partitions, start, end, origin: None })
    }

    async fn read(
        &self,
        shard: ShardId,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable> {
        self.visible.read(self.number(shard)?, from, most_bytes, wait).await
    }

    fn release(&self, shard: ShardId, upto: u64) {
        if let Ok(partition) = self.number(shard) {
            self.visible.release(partition, upto);
        }
    }
}

impl Drop for EmbeddedJournal {
    fn drop(&mut self) {
        drop(self.queue.take());
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the journal's writer panicked");
        }
    }
}
