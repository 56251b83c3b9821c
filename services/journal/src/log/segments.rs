//! Seals full segments, begins new ones, and lets old ones go.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::RwLock;
use souk_model::time::Millis;

use super::{Log, Trouble};
use crate::disk::{Disk, File, write_all};
use crate::limits::CACHED_SEGMENTS;
use crate::segment::{self, Footer, Header, Index, Segment};

impl Log {
    /// Sees to it that the active segment can take a frame of this length.
    pub(super) fn make_room(&mut self, len: u64) -> Result<(), Trouble> {
        let (end, is_empty) = {
            let index = self.active.index.read();
            (index.end, index.end == Header::bytes_of(self.ends.len()) as u64)
        };
        if !self.is_sealed {
            if is_empty || end + len <= self.segment_bytes {
                return Ok(());
            }
            self.seal(end)?;
        }
        self.begin()
    }

    /// Ends the active segment: every frame of it is durable before another begins. The footer need not be: without it the next start
    /// reads the frames.
    fn seal(&mut self, end: u64) -> Result<(), Trouble> {
        self.sync()?;
        let footer =
            Footer::encode(self.meta.topic_id, self.number + 1, &self.ends, &self.active.index.read());
        if let Err(error) = write_all(&*self.file, &mut [IoSlice::new(&footer)], end) {
            return Err(self.cut_back(end, error));
        }
        self.active.index.write().seal();
        self.is_sealed = true;
        self.forget_old();
        Ok(())
    }

    /// One segment more is sealed: one less needs the system's memory.
    fn forget_old(&self) {
        let segments = self.visible.segments.read();
        let old = segments.len().checked_sub(CACHED_SEGMENTS + 1).and_then(|old| segments.get(old));
        if let Some(file) = old.and_then(|old| self.disk.open(&old.name).ok()) {
            file.forget();
        }
    }

    fn begin(&mut self) -> Result<(), Trouble> {
        let header = Header {
            first_frame: self.number + 1,
            incarnation: self.meta.incarnation,
            append_time: self.append_time,
            ends: self.ends.clone(),
        };
        let file = write_header(&*self.disk, self.meta.topic_id, &header)
            .map_err(Trouble::of("begin a segment after"))?;
        file.sync().and_then(|()| self.disk.sync_dir()).map_err(Trouble::fatal("begin a segment after"))?;
        let index = Index::new(
            self.ends.len(),
            self.block_bytes,
            Header::bytes_of(self.ends.len()) as u64,
            self.append_time,
        );
        let name = segment::name(header.first_frame);
        self.active = Arc::new(Segment { name, header, index: RwLock::new(index) });
        self.file = file;
        self.is_sealed = false;
        self.visible.segments.write().push(Arc::clone(&self.active));
        Ok(())
    }

    /// Lets the oldest segments go that may.
    pub(crate) fn retain(&mut self) {
        while let Some(oldest) = self.may_go() {
            // First the readers, then the file. One name at a time, oldest first: a crash between two leaves no gap.
            self.visible.segments.write().remove(0);
            let gone = self.disk.remove(&oldest.name).and_then(|()| self.disk.sync_dir());
            match gone {
                Ok(()) => tracing::info!(segment = oldest.name, "released entries are no longer retained"),
                Err(source) => return self.fail("remove an old segment before", source),
            }
        }
    }

    fn may_go(&self) -> Option<Arc<Segment>> {
        if self.has_failed() {
            return None;
        }
        let segments = self.visible.segments.read();
        let [oldest, next, ..] = &segments[..] else { return None };
        let mut partitions = next.header.ends.iter().zip(&self.visible.partitions);
        if !partitions.all(|(end, partition)| *end <= partition.released.load(Ordering::Relaxed)) {
            return None;
        }
        let keep = Millis::try_from(self.retention.keep.as_millis()).unwrap_or(Millis::MAX);
        let is_old = self.clock.now().saturating_sub(next.header.append_time) > keep;
        let bytes: u64 = segments.iter().map(|segment| segment.index.read().end).sum();
        (is_old || bytes > self.retention.most_bytes).then(|| Arc::clone(oldest))
    }
}

/// Begins a segment's file; nothing of it is durable yet.
pub(crate) fn write_header(disk: &dyn Disk, topic_id: u64, header: &Header) -> io::Result<Arc<dyn File>> {
    let file = disk.create(&segment::name(header.first_frame))?;
    write_all(&*file, &mut [IoSlice::new(&header.encode(topic_id))], 0)?;
    Ok(file)
}
