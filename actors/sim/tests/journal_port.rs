//! The simulator's journal keeps the contract of the runtime's port while nothing strikes: what the seeds show holds for what ships.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::ready;
use souk_model::journal::{Partitions, ShardId};
use souk_model::limits::RECORD_BYTES;
use souk_model::owner::{Ends, Entries, Unavailable};
use souk_model::time::Millis;
use souk_runtime::conformance;
use souk_runtime::ports::{Appended, Appending, Journal, Line, NewRecord, Refused, unavailable};
use souk_sim::faults::{Chaos, FaultSet};
use souk_sim::journal::SimJournal;
use souk_sim::rng::Rng;
use tokio::sync::{Mutex, watch};

/// The simulator's journal behind the port.
#[derive(Debug)]
struct Port {
    partitions: Partitions,
    inside: Mutex<Inside>,
    /// Rises with every append.
    appends: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inside {
    journal: SimJournal,
    chaos: Chaos,
    now: Millis,
}

impl Port {
    fn new(partitions: Partitions) -> Self {
        let journal = SimJournal::new(partitions, &mut Rng::new(1));
        let chaos = Chaos::new(1, FaultSet::default());
        let inside = Mutex::new(Inside { journal, chaos, now: 1_700_000_000_000 });
        Self { partitions, inside, appends: watch::Sender::new(0) }
    }
}

impl Inside {
    fn append(&mut self, NewRecord { shard, bytes }: NewRecord) -> Appended {
        if bytes.len() > RECORD_BYTES {
            return Appended::Refused(Refused::TooLarge);
        }
        self.now += 1;
        let append_time = self.journal.broker_time(shard, self.now);
        match self.journal.append(shard, self.now, bytes.into(), &mut self.chaos) {
            Some(offset) => Appended::At { offset, append_time },
            None => Appended::Refused(Refused::Unavailable),
        }
    }

    /// The simulator's reads are bounded in entries, the port's in bytes.
    fn read(&mut self, shard: ShardId, from: u64, most_bytes: usize) -> Result<Entries, Unavailable> {
        let mut read = self.journal.read(shard, from, &mut self.chaos.rng).ok_or(Unavailable)?;
        let mut bytes = 0;
        let fits = |bytes: &mut usize, length: usize| {
            *bytes += length;
            *bytes <= most_bytes
        };
        let rest = read.entries.iter().position(|entry| !fits(&mut bytes, entry.bytes.len()));
        read.entries.truncate(rest.map_or(usize::MAX, |rest| rest.max(1)));
        Ok(read)
    }
}

#[async_trait]
impl Journal for Port {
    fn partitions(&self) -> Partitions {
        self.partitions
    }

    async fn enqueue(&self, records: Vec<NewRecord>, line: Option<&Line>) -> Appending {
        if line.is_some_and(Line::has_ended) {
            return unavailable(records.len(), line);
        }
        let mut inside = self.inside.lock().await;
        let outcomes: Vec<_> = records.into_iter().map(|record| inside.append(record)).collect();
        self.appends.send_modify(|appends| *appends += 1);
        if outcomes.contains(&Appended::Refused(Refused::Unavailable)) {
            line.into_iter().for_each(Line::end);
        }
        Box::pin(ready(outcomes))
    }

    async fn ends(&self, shard: ShardId) -> Result<Ends, Unavailable> {
        self.inside.lock().await.journal.ends(shard).ok_or(Unavailable)
    }

    async fn read(
        &self,
        shard: ShardId,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable> {
        let mut appends = self.appends.subscribe();
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let read = self.inside.lock().await.read(shard, from.max(1), most_bytes)?;
            if !read.entries.is_empty() || tokio::time::timeout_at(deadline, appends.changed()).await.is_err()
            {
                return Ok(read);
            }
        }
    }

    fn release(&self, shard: ShardId, upto: u64) {
        // Only the suite calls it, and nobody holds the lock for long.
        if let Ok(mut inside) = self.inside.try_lock() {
            inside.journal.retain_after(shard, upto);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulators_journal_keeps_the_ports_contract() {
    let make = async || Arc::new(Port::new(Partitions { users: 2, products: 2 })) as Arc<dyn Journal>;
    conformance::journal::suite(make).await;
}
