//! Old entries, from the segment files: blocks of whole frames, each read once for all who replay the same stretch of the log.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use souk_model::journal::Entry;

use crate::disk::{Disk, read_most};
use crate::frame::{self, Flaw, Frame};
use crate::limits::BLOCK_CACHE_BYTES;
use crate::segment::{Block, Segment};

#[derive(Debug, Default)]
pub(crate) struct Blocks {
    cache: Mutex<Cache>,
    /// One block is read at a time: those who wait for the same one find it in the cache.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cache {
    /// Used last, last. At most [`BLOCK_CACHE_BYTES`], and one more.
    blocks: VecDeque<(Place, Bytes)>,
    bytes: usize,
}

/// First frame of the segment, place in its file.
type Place = (u64, u64);

impl Blocks {
    /// The block's bytes: from memory, or from the file off the runtime's threads.
    pub(crate) async fn get(
        &self,
        disk: &Arc<dyn Disk>,
        segment: &Arc<Segment>,
        block: Block,
    ) -> io::Result<Bytes> {
        let place = (segment.header.first_frame, block.range.start);
        if let Some(bytes) = self.cached(place) {
            return Ok(bytes);
        }
        let _alone = self.loading.lock().await;
        if let Some(bytes) = self.cached(place) {
            return Ok(bytes);
        }
        let (disk, segment, is_whole) = (Arc::clone(disk), Arc::clone(segment), block.is_whole);
        let loading = tokio::task::spawn_blocking(move || load(&*disk, &segment, &block));
        let bytes = loading.await.map_err(io::Error::other)??;
        if is_whole {
            self.cache.lock().keep(place, bytes.clone());
        }
        Ok(bytes)
    }

    fn cached(&self, place: Place) -> Option<Bytes> {
        let mut cache = self.cache.lock();
        let at = cache.blocks.iter().position(|(cached, _)| *cached == place)?;
        let block = cache.blocks.remove(at)?;
        let bytes = block.1.clone();
        cache.blocks.push_back(block);
        Some(bytes)
    }
}

impl Cache {
    fn keep(&mut self, place: Place, bytes: Bytes) {
        self.bytes += bytes.len();
        self.blocks.push_back((place, bytes));
        while self.bytes > BLOCK_CACHE_BYTES && self.blocks.len() > 1 {
            self.bytes -= self.blocks.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
    }
}

pub(crate) fn load(disk: &dyn Disk, segment: &Segment, block: &Block) -> io::Result<Bytes> {
    let file = disk.open(&segment.name)?;
    Ok(read_most(&*file, block.range.start, block.range.end - block.range.start)?.into())
}

/// Entries of a partition in a block, from this offset on, which is in it. A flaw comes with its place in the block.
pub(crate) fn entries(
    topic_id: u64,
    block: &Bytes,
    partition: usize,
    from: u64,
    most_bytes: usize,
) -> Result<Vec<Entry>, (usize, Flaw)> {
    let mut found = Vec::new();
    let (mut room, mut at, mut next) = (most_bytes, 0, from);
    while at < block.len() {
        let frame = Frame::parse(topic_id, &block[at..]).map_err(|flaw| (at, flaw))?;
        let group = frame.groups().find(|(group, _)| group.partition == partition);
        if let Some((group, range)) = group.filter(|(group, _)| group.first + u64::from(group.records) > next)
        {
            let range = at + range.start..at + range.end;
            let more = (|| {
                group.verify(block.get(range.clone()).ok_or(Flaw::Torn)?)?;
                if group.first > next {
                    return Err(Flaw::Gap);
                }
                let bytes = block.slice(range);
                frame::entries(&bytes, group.first, frame.head.append_time, next, &mut room, &mut found)
            })();
            next = group.first + u64::from(group.records);
            if !more.map_err(|flaw| (at, flaw))? {
                return Ok(found);
            }
        }
        at += frame.len();
    }
    if found.is_empty() { Err((0, Flaw::Gap)) } else { Ok(found) }
}
