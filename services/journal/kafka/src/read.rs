//! A read: from the window if it is there, else the window is moved.

use std::sync::Arc;
use std::time::Duration;

use souk_model::journal::ShardId;
use souk_model::owner::{Ends, Entries, Unavailable};
use tokio::sync::{MutexGuard, watch};
use tokio::time::{Instant, timeout_at};

use crate::desk::Desk;
use crate::limits::{READ_PATIENCE, READ_TRIES};
use crate::orders::{Order, Orders};
use crate::partition::{Partition, Partitions};
use crate::window::{Look, Trouble};

/// What reads need.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) desk: Arc<Desk>,
    pub(crate) partitions: Arc<Partitions>,
    pub(crate) orders: Arc<Orders>,
}

/// One read under way.
struct Read<'a> {
    shard: ShardId,
    number: usize,
    partition: &'a Partition,
    news: watch::Receiver<()>,
    /// Until when it waits for what is not there yet, and for what must be there.
    until: Instant,
    at_most: Instant,
    /// Held while the window is where this read has moved it.
    moved: Option<MutexGuard<'a, ()>>,
}

/// What a look came to.
enum Seen {
    Entries(Entries),
    Elsewhere,
    Trouble(Trouble),
}

impl Reading {
    pub(crate) async fn read(
        &self,
        shard: ShardId,
        number: usize,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable> {
        let partition = self.partitions.at(number);
        let now = Instant::now();
        let mut read = Read {
            shard,
            number,
            partition,
            news: partition.subscribe(),
            until: now + wait,
            at_most: now + wait + READ_PATIENCE,
            moved: None,
        };
        let mut from = from;
        for _ in 0..READ_TRIES {
            let (start, end) = self.known(&read).await?;
            from = from.max(start);
            // Beyond the end there is nothing to fetch: wait where the next entry comes.
            let target = from.min(end + 1);
            match self.look(&mut read, target, from, most_bytes).await? {
                Seen::Entries(entries) => return Ok(entries),
                Seen::Elsewhere => self.go(&mut read, target, from <= end).await?,
                Seen::Trouble(Trouble::OutOfRange) => self.learn(&read).await?,
                Seen::Trouble(Trouble::Broker) => return Err(Unavailable),
            }
        }
        tracing::warn!(%shard, from, "a read was sent from place to place and gave up");
        Err(Unavailable)
    }

    /// Looks into the window until there is something to see, or nothing to wait for.
    async fn look(
        &self,
        read: &mut Read<'_>,
        target: u64,
        from: u64,
        most_bytes: usize,
    ) -> Result<Seen, Unavailable> {
        loop {
            read.news.mark_unchanged();
            let look = read.partition.window.lock().look(target, most_bytes, Instant::now());
            let mut entries = match look {
                Look::Found(entries, resume) => {
                    self.resume_if(resume, read);
                    entries
                }
                Look::Coming => Vec::new(),
                Look::Elsewhere => return Ok(Seen::Elsewhere),
                Look::Trouble(trouble) => {
                    self.orders.give(read.number, Order::Leave);
                    return Ok(Seen::Trouble(trouble));
                }
            };
            // Some only when more was asked for than there was.
            entries.retain(|entry| entry.offset >= from);
            let (_, end) = read.partition.known().unwrap_or_default();
            if let Some(last) = entries.last().map(|entry| entry.offset) {
                return Ok(Seen::Entries(Entries { entries, end: end.max(last) }));
            }
            if !read.wait(from <= end).await? {
                return Ok(Seen::Entries(Entries { entries, end }));
            }
        }
    }

    fn resume_if(&self, resume: bool, read: &Read<'_>) {
        if resume {
            self.orders.give(read.number, Order::Resume);
        }
    }

    /// Where the partition starts and ends, asked once.
    async fn known(&self, read: &Read<'_>) -> Result<(u64, u64), Unavailable> {
        if read.partition.known().is_none() {
            self.learn(read).await?;
        }
        Ok(read.partition.known().unwrap_or((1, 0)))
    }

    async fn learn(&self, read: &Read<'_>) -> Result<(), Unavailable> {
        self.ends(read.shard, read.number).await.map(drop)
    }

    /// Where a partition stands; what is known of it afterwards is no less.
    pub(crate) async fn ends(&self, shard: ShardId, number: usize) -> Result<Ends, Unavailable> {
        let partition = self.partitions.at(number);
        let known = partition.known();
        let ends = self.desk.ask(shard).await?;
        if let Some((_, had)) = known.filter(|(_, end)| *end > ends.end) {
            tracing::error!(%shard, had, has = ends.end, "the partition ends before what it had: records are lost");
            partition.lower_end(ends.end);
        }
        partition.learn(ends.start, ends.end);
        Ok(ends)
    }

    /// Moves the window, once whoever has moved it before has what it came for.
    async fn go<'a>(&self, read: &mut Read<'a>, target: u64, is_there: bool) -> Result<(), Unavailable> {
        if read.moved.is_none() {
            let moving = timeout_at(read.at_most, read.partition.moving.lock()).await;
            read.moved = Some(moving.map_err(|_| Unavailable)?);
        }
        // While it waited for its turn the window may have come here.
        let look = read.partition.window.lock().look(target, 0, Instant::now());
        match look {
            Look::Elsewhere => {
                read.partition.window.lock().move_to(target);
                self.orders.give(read.number, Order::Place);
                read.partition.wake();
            }
            Look::Found(_, resume) => self.resume_if(resume, read),
            Look::Trouble(_) => self.learn(read).await?,
            Look::Coming => {}
        }
        // What may never come is waited for without keeping others from moving the window.
        if !is_there {
            read.moved = None;
        }
        Ok(())
    }
}

impl Read<'_> {
    /// Waits until the window has changed; false if there is nothing to wait for any longer.
    async fn wait(&mut self, is_there: bool) -> Result<bool, Unavailable> {
        let until = if is_there { self.at_most } else { self.until };
        match timeout_at(until, self.news.changed()).await {
            Ok(_) => Ok(true),
            Err(_) if is_there => {
                tracing::warn!(shard = %self.shard, "entries that are there do not come");
                Err(Unavailable)
            }
            Err(_) => Ok(false),
        }
    }
}
