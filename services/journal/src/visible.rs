//! What readers see of the log: per partition its end and its newest entries, and the segments with their indexes. The writer adds to it
//! only what is durable at the configured level.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use souk_model::journal::Entry;
use souk_model::owner::{Entries, Unavailable};
use tokio::sync::watch;

use crate::Error;
use crate::blocks::{self, Blocks};
use crate::disk::Disk;
use crate::layout::Layout;
use crate::segment::{Block, Segment};
use crate::tail::{self, Tail};

#[derive(Debug)]
pub(crate) struct Visible {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) layout: Layout,
    pub(crate) topic_id: u64,
    pub(crate) partitions: Vec<Partition>,
    /// Oldest first, never empty; the newest is being written.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    blocks: Blocks,
}

#[derive(Debug)]
pub(crate) struct Partition {
    /// Offset of the last entry.
    pub(crate) end: watch::Sender<u64>,
    pub(crate) tail: Mutex<Tail>,
    /// The committed cut holds everything up to this offset.
    pub(crate) released: AtomicU64,
}

/// Where an entry is.
#[derive(Debug)]
pub(crate) enum Found {
    InMemory(Vec<Entry>),
    OnDisk(Arc<Segment>, Block),
}

impl Visible {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        layout: Layout,
        topic_id: u64,
        ends: &[u64],
        segments: Vec<Arc<Segment>>,
    ) -> Self {
        let partition = |end: &u64| Partition {
            end: watch::Sender::new(*end),
            tail: Mutex::default(),
            released: AtomicU64::new(0),
        };
        let partitions = ends.iter().map(partition).collect();
        let (segments, blocks) = (RwLock::new(segments), Blocks::default());
        Self { disk, dir, layout, topic_id, partitions, segments, blocks }
    }

    pub(crate) fn end(&self, partition: usize) -> u64 {
        *self.partitions[partition].end.borrow()
    }

    /// Offset of the first entry still retained; `end + 1` when there is none.
    pub(crate) fn start(&self, partition: usize) -> u64 {
        self.segments.read().first().map_or(1, |oldest| oldest.base(partition) + 1)
    }

    pub(crate) fn release(&self, partition: usize, upto: u64) {
        self.partitions[partition].released.fetch_max(upto, Ordering::Relaxed);
    }

    /// Finds the entries from this offset on, which must be there.
    pub(crate) fn find(&self, partition: usize, from: u64, most_bytes: usize) -> Option<Found> {
        let groups = self.partitions[partition].tail.lock().from(from, most_bytes);
        if let Some(groups) = groups {
            return Some(Found::InMemory(tail::entries(&groups, from, most_bytes)));
        }
        let segments = self.segments.read();
        let at = segments.partition_point(|segment| segment.base(partition) < from).checked_sub(1)?;
        let segment = &segments[at];
        let block = segment.index.read().find(partition, from - segment.base(partition))?;
        Some(Found::OnDisk(Arc::clone(segment), block))
    }

    pub(crate) async fn read(
        &self,
        partition: usize,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable> {
        let mut from = from.max(self.start(partition));
        let end = self.wait_for(partition, from, wait).await;
        while from <= end {
            let entries = match self.find(partition, from, most_bytes) {
                Some(Found::InMemory(entries)) => Ok(entries),
                Some(Found::OnDisk(segment, block)) => {
                    self.load(partition, from, most_bytes, &segment, block).await
                }
                None => Err(None),
            };
            // What was retained may go between two looks; what is retained is read, or is a problem.
            let start = self.start(partition);
            match entries {
                Ok(entries) => return Ok(Entries { entries, end }),
                Err(_) if start > from => from = start,
                Err(problem) => {
                    tracing::error!(?problem, partition, from, "cannot read the journal");
                    return Err(Unavailable);
                }
            }
        }
        Ok(Entries { entries: Vec::new(), end })
    }

    /// The partition's end, once it is at this offset or the time is over.
    async fn wait_for(&self, partition: usize, offset: u64, wait: Duration) -> u64 {
        let end = self.end(partition);
        if end >= offset || wait.is_zero() {
            return end;
        }
        let mut ends = self.partitions[partition].end.subscribe();
        // Either way the end says all: a time that is over, and a sender that is gone, leave it below the offset.
        drop(tokio::time::timeout(wait, ends.wait_for(|end| *end >= offset)).await);
        self.end(partition)
    }

    async fn load(
        &self,
        partition: usize,
        from: u64,
        most_bytes: usize,
        segment: &Arc<Segment>,
        block: Block,
    ) -> Result<Vec<Entry>, Option<Error>> {
        let (path, at) = (self.dir.join(&segment.name), block.range.start);
        match self.blocks.get(&self.disk, segment, block).await {
            Ok(bytes) => blocks::entries(self.topic_id, &bytes, partition, from, most_bytes)
                .map_err(|(place, flaw)| Some(Error::Damaged { file: path, at: at + place as u64, flaw })),
            Err(source) => Err(Some(Error::Io { doing: "read", path, source })),
        }
    }
}
