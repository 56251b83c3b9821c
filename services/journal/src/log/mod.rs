//! The writer's side of the log: takes what is queued, writes it as one frame, makes it durable, shows it to readers, answers.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use souk_model::time::Millis;
use souk_runtime::ports::{Appended, Clock, NewRecord, Refused};

use crate::build::Builder;
use crate::disk::{self, Disk, File};
use crate::frame::Head;
use crate::limits::RECORD_BYTES;
use crate::meta::Meta;
use crate::options::{Durability, OnFatal, Retention};
use crate::recover::Recovered;
use crate::request::Request;
use crate::segment::Segment;
use crate::visible::Visible;
use crate::{Error, Options};

mod publish;
mod segments;

use publish::TailOrder;
pub(crate) use segments::write_header;

#[derive(Debug)]
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    visible: Arc<Visible>,
    meta: Meta,
    durability: Durability,
    segment_bytes: u64,
    block_bytes: u64,
    retention: Retention,
    /// Offset of the last record of every partition.
    ends: Vec<u64>,
    /// The newest frame written, and the newest known to be on the disk.
    number: u64,
    synced: u64,
    /// The newest append time given.
    append_time: Millis,
    active: Arc<Segment>,
    file: Arc<dyn File>,
    /// The active segment takes no more frames.
    is_sealed: bool,
    builder: Builder,
    tails: TailOrder,
    /// Gone once it was called: nothing is written any more.
    on_fatal: Option<OnFatal>,
}

/// Why a frame is not in the log.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is no room, and the log is as it was.
    Full,
    /// What the disk holds is unknown.
    Fatal { doing: &'static str, source: io::Error },
}

impl Trouble {
    fn fatal(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Fatal { doing, source }
    }

    /// No room is no reason to end; anything else is.
    fn of(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| if disk::is_full(&source) { Self::Full } else { Self::Fatal { doing, source } }
    }
}

impl Log {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        visible: Arc<Visible>,
        meta: Meta,
        recovered: Recovered,
        options: Options,
    ) -> Self {
        let Recovered { segments, file, ends, number, append_time, is_sealed } = recovered;
        Self {
            disk,
            clock,
            builder: Builder::new(meta.layout.len()),
            meta,
            durability: options.durability,
            segment_bytes: options.segment_bytes,
            block_bytes: options.block_bytes(),
            retention: options.retention,
            visible,
            ends,
            number,
            synced: number,
            append_time,
            active: Arc::clone(segments.last().expect("recovery gives at least one")),
            file,
            is_sealed,
            tails: TailOrder::new(options.tail_bytes),
            on_fatal: Some(options.on_fatal),
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.on_fatal.is_none()
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.synced == self.number || self.has_failed()
    }

    /// Writes one frame of the requests in front and answers those that are done.
    pub(crate) fn commit(&mut self, queue: &mut VecDeque<Request>) {
        if self.has_failed() {
            queue.drain(..).for_each(Request::turn_away);
            return;
        }
        let before = self.place(queue);
        match self.write(queue, &before) {
            Ok(()) => {}
            Err(Trouble::Full) => {
                let refused = queue.iter_mut().zip(&before);
                refused.for_each(|(request, from)| request.refuse(*from));
            }
            Err(Trouble::Fatal { doing, source }) => {
                self.fail(doing, source);
                queue
                    .iter_mut()
                    .enumerate()
                    .for_each(|(n, request)| request.give_up(before.get(n).copied().unwrap_or(0)));
            }
        }
        while queue.front().is_some_and(Request::is_placed) {
            queue.pop_front().into_iter().for_each(Request::answer);
        }
    }

    /// Gives the next frame's records their offsets. Answers, for every request that has some, how many of its records had been dealt with
    /// before.
    fn place(&mut self, queue: &mut VecDeque<Request>) -> Vec<usize> {
        self.append_time = self.append_time.max(self.clock.now());
        let mut before = Vec::new();
        for request in queue {
            request.fall_in();
            before.push(request.outcomes.len());
            while let Some(NewRecord { shard, bytes }) = request.records.get(request.outcomes.len()) {
                let outcome = match self.meta.layout.number(*shard) {
                    _ if bytes.len() > RECORD_BYTES => Appended::Refused(Refused::TooLarge),
                    None => {
                        request.end_line();
                        Appended::Refused(Refused::Unavailable)
                    }
                    Some(_) if !self.builder.has_room(bytes.len()) => return before,
                    Some(partition) => Appended::At {
                        offset: self.builder.place(partition, self.ends[partition], bytes.len()),
                        append_time: self.append_time,
                    },
                };
                request.outcomes.push(outcome);
            }
        }
        before
    }

    /// Copies what was placed into a frame, writes it, and shows it once it is durable at the configured level.
    fn write(&mut self, queue: &VecDeque<Request>, before: &[usize]) -> Result<(), Trouble> {
        if self.builder.is_empty() {
            return Ok(());
        }
        self.builder.placed();
        for (request, from) in queue.iter().zip(before) {
            for (record, outcome) in request.records.iter().zip(&request.outcomes).skip(*from) {
                if let (Appended::At { .. }, Some(partition)) =
                    (outcome, self.meta.layout.number(record.shard))
                {
                    self.builder.copy(partition, &record.bytes);
                }
            }
        }
        let head = Head {
            number: self.number + 1,
            synced: self.synced,
            append_time: self.append_time,
            incarnation: self.meta.incarnation,
        };
        let built = self.builder.build(self.meta.topic_id, &head);
        self.make_room(built.len as u64)?;
        let at = self.active.index.read().end;
        if let Err(error) = disk::write_all(&*self.file, &mut built.parts(), at) {
            return Err(self.cut_back(at, error));
        }
        self.number += 1;
        if self.durability == Durability::Fsync {
            self.sync()?;
        }
        self.publish(built);
        Ok(())
    }

    /// A write failed: takes back what it left, if that is all there is to it.
    fn cut_back(&mut self, at: u64, error: io::Error) -> Trouble {
        match Trouble::of("write to")(error) {
            Trouble::Full => match self.file.truncate(at) {
                Ok(()) => Trouble::Full,
                Err(source) => Trouble::Fatal { doing: "cut back", source },
            },
            fatal => fatal,
        }
    }

    /// Makes every frame durable.
    fn sync(&mut self) -> Result<(), Trouble> {
        if self.synced < self.number {
            self.file.sync().map_err(Trouble::fatal("sync"))?;
            self.synced = self.number;
        }
        Ok(())
    }

    /// The interval is over.
    pub(crate) fn sync_now(&mut self) {
        if let Err(Trouble::Fatal { doing, source }) = self.sync() {
            self.fail(doing, source);
        }
    }

    /// Nothing more comes: syncs, and notes how far, so that the next start refuses to lose any of it.
    pub(crate) fn close(&mut self) {
        if self.has_failed() {
            return;
        }
        self.sync_now();
        self.meta.synced = self.synced;
        if let Err(error) = self.meta.store(&*self.disk) {
            tracing::warn!(%error, "the journal is synced, but its meta file could not be brought up to date");
        }
    }

    /// Nobody knows what the disk holds: tells the node, once.
    fn fail(&mut self, doing: &'static str, source: io::Error) {
        let Some(on_fatal) = self.on_fatal.take() else { return };
        let error = Error::Io { doing, path: self.path(), source };
        tracing::error!(%error, "the journal cannot go on");
        on_fatal.call(&error);
    }

    fn path(&self) -> PathBuf {
        self.visible.dir.join(&self.active.name)
    }
}
