//! The journal port over two topics.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::ready;
use souk_model::journal::{Journal as Kind, Partitions as Counts, ShardId};
use souk_model::keying::Keying;
use souk_model::owner::{Ends, Entries, Unavailable};
use souk_runtime::ports::{Appended, Appending, Journal, Line, NewRecord, unavailable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::adopt::Adoption;
use crate::desk::Desk;
use crate::layout::Layout;
use crate::limits::{QUEUE_BYTES, QUEUE_WAIT, QUEUED_RECORD_BYTES};
use crate::options::Options;
use crate::orders::Orders;
use crate::partition::Partitions;
use crate::prepare::check;
use crate::produce::Producer;
use crate::read::Reading;
use crate::watchdog::Watchdog;
use crate::{Error, fetch};

/// Both journals of a shop on Kafka. Dropping it waits until what was appended is answered, as long as an append may take.
#[derive(Debug)]
pub struct KafkaJournal {
    layout: Arc<Layout>,
    reading: Reading,
    /// Of what stands in lines: never given up.
    in_lines: Arc<Producer>,
    /// Of all else: given up when its caller is.
    alone: Arc<Producer>,
    /// Bytes of room in the queue.
    room: Arc<Semaphore>,
    append_timeout: Duration,
    keying: Keying,
    fetching: Option<JoinHandle<()>>,
    /// None only while dropping.
    watchdog: Option<Watchdog>,
}

impl KafkaJournal {
    /// Opens both topics, which must be as [`prepare`](crate::prepare) makes them. What is wrong in itself is said at once; a broker that
    /// does not answer is waited for as long as the options say.
    pub async fn open(options: Options) -> Result<Self, Error> {
        options.check()?;
        let layout = Arc::new(Layout::new(&options));
        let partitions = Arc::new(Partitions::new(layout.len(), Instant::now()));
        let producer = |timeout| {
            Producer::new(&options, timeout, Arc::clone(&layout), Arc::clone(&partitions)).map(Arc::new)
        };
        let (in_lines, alone) = (producer(None)?, producer(Some(options.append_timeout))?);
        let desk = Arc::new(Desk::new(&options, Arc::clone(&layout))?);
        let desk = knock(desk, &options).await?;
        for journal in [Kind::Users, Kind::Products] {
            check(&options, &desk, journal, None).await?;
        }
        let desk = identify(desk).await?;
        let orders = Arc::new(Orders::default());
        let fetching =
            fetch::start(&options, Arc::clone(&layout), Arc::clone(&partitions), Arc::clone(&orders))?;
        let watchdog = Watchdog::start(
            Arc::clone(&desk),
            Arc::clone(&layout),
            Arc::clone(&partitions),
            Arc::clone(&orders),
            vec![Arc::clone(&in_lines), Arc::clone(&alone)],
        );
        let mut journal = Self {
            layout,
            reading: Reading { desk, partitions, orders },
            in_lines,
            alone,
            room: Arc::new(Semaphore::new(QUEUE_BYTES)),
            append_timeout: options.append_timeout,
            keying: options.adopted.as_ref().map_or(Keying::Own, Adoption::keying),
            fetching: Some(fetching),
            watchdog: None,
        };
        journal.watchdog = Some(watchdog?);
        Ok(journal)
    }

    /// Has another consumer fetch what is read, from where it is. For whoever knows that this one does not get on; the watchdog does it by
    /// itself where a partition stands still.
    pub fn fetch_anew(&self) {
        self.reading.orders.renew();
    }

    /// Waits for room in the queue.
    async fn admit(&self, records: &[NewRecord]) -> Option<OwnedSemaphorePermit> {
        let bytes: usize = records.iter().map(|record| record.bytes.len() + QUEUED_RECORD_BYTES).sum();
        let bytes = u32::try_from(bytes.min(QUEUE_BYTES)).ok()?;
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        timeout(QUEUE_WAIT, room).await.ok()?.ok()
    }

    /// The partition's number, while its topic is the one that was opened.
    fn number(&self, shard: ShardId) -> Result<usize, Unavailable> {
        let number = self.layout.number(shard).ok_or(Unavailable)?;
        if self.reading.desk.was_replaced(shard.journal) { Err(Unavailable) } else { Ok(number) }
    }
}

async fn knock(desk: Arc<Desk>, options: &Options) -> Result<Arc<Desk>, Error> {
    let options = options.clone();
    let knocked = tokio::task::spawn_blocking(move || desk.knock(&options).map(|()| desk)).await;
    knocked.unwrap_or_else(|error| Err(Error::broker("ask for a broker", error)))
}

async fn identify(desk: Arc<Desk>) -> Result<Arc<Desk>, Error> {
    let doing = "ask which topic it is";
    let asked = tokio::task::spawn_blocking(move || {
        for journal in [Kind::Users, Kind::Products] {
            desk.identity(journal, Duration::ZERO).map_err(|error| Error::broker(doing, error))?;
        }
        Ok(desk)
    });
    asked.await.unwrap_or_else(|error| Err(Error::broker(doing, error)))
}

#[async_trait]
impl Journal for KafkaJournal {
    fn partitions(&self) -> Counts {
        self.layout.partitions
    }

    fn keying(&self) -> Keying {
        self.keying
    }

    async fn enqueue(&self, records: Vec<NewRecord>, line: Option<&Line>) -> Appending {
        let count = records.len();
        if count == 0 {
            return Box::pin(ready(Vec::new()));
        }
        let room = self.admit(&records).await;
        let is_ours = records.iter().all(|record| !self.reading.desk.was_replaced(record.shard.journal));
        let (Some(room), true) = (room, is_ours) else { return unavailable(count, line) };
        let (line, patience) = (line.cloned(), self.append_timeout);
        let producer = if line.is_some() { &self.in_lines } else { &self.alone };
        let answered = producer.send(&records, line.clone(), room);
        Box::pin(async move {
            match timeout(patience, answered).await {
                Ok(Ok(outcomes)) => outcomes,
                // What is in a line is sent until it arrives, whether or not somebody still waits.
                Ok(Err(_)) | Err(_) => {
                    line.iter().for_each(Line::end);
                    vec![Appended::Unknown; count]
                }
            }
        })
    }

    async fn ends(&self, shard: ShardId) -> Result<Ends, Unavailable> {
        // Of a topic that was made anew too: that is how owners learn of it.
        let number = self.layout.number(shard).ok_or(Unavailable)?;
        self.reading.ends(shard, number).await
    }

    async fn read(
        &self,
        shard: ShardId,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable> {
        self.reading.read(shard, self.number(shard)?, from, most_bytes, wait).await
    }

    /// Time alone takes records from a topic: others may read it from its beginning.
    fn release(&self, _: ShardId, _: u64) {}
}

impl Drop for KafkaJournal {
    fn drop(&mut self) {
        let until = Instant::now() + self.append_timeout;
        for producer in [&self.in_lines, &self.alone] {
            producer.flush(until.saturating_duration_since(Instant::now()));
        }
        drop(self.watchdog.take());
        self.reading.orders.stop();
        if self.fetching.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's fetching thread panicked");
        }
    }
}
