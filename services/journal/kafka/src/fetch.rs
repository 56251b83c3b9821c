//! The fetching thread: one consumer, assigned exactly the partitions that are read, from where their windows are.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use souk_kafka::limits::KNOCK_EVERY;
use souk_kafka::{Batches, Knock, Message, Voice, end_heard, log_to_tracing};
use souk_model::journal::{Entry, Form, Journal};
use souk_model::time::Millis;
use tokio::time::Instant;

use crate::adopt::{MARK, cut};
use crate::layout::Layout;
use crate::limits::{IDLE_POLL, PIECE_BYTES, RENEW_EVERY};
use crate::options::Options;
use crate::orders::{End, Order, Orders};
use crate::partition::Partitions;
use crate::window::{Taken, Trouble, share};
use crate::{Error, settings};

/// Fetches until it is told to stop.
struct Fetcher {
    consumer: Arc<BaseConsumer<Voice>>,
    arrived: Arrived,
    orders: Arc<Orders>,
    assigned: BTreeSet<usize>,
    paused: BTreeSet<usize>,
    knock: Knock,
    /// When something was last fetched, or knocked for.
    heard: Instant,
}

/// Makes the consumer and starts its thread.
pub(crate) fn start(
    options: &Options,
    layout: Arc<Layout>,
    partitions: Arc<Partitions>,
    orders: Arc<Orders>,
) -> Result<JoinHandle<()>, Error> {
    let mut consumer = connect(options, &orders)?;
    let options = options.clone();
    let name = "journal-fetch";
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            loop {
                let Some(batches) = Batches::new(Arc::clone(&consumer)) else {
                    // Only a consumer without a group has no queue, and this one has.
                    tracing::error!("the consumer has no queue: nothing can be read");
                    return;
                };
                let arrived =
                    Arrived::new(Arc::clone(&consumer), Arc::clone(&layout), Arc::clone(&partitions));
                let (assigned, paused) = (BTreeSet::new(), BTreeSet::new());
                let orders = Arc::clone(&orders);
                let knock = Knock::new(options.addresses(), layout.topic(Journal::Users));
                let heard = Instant::now();
                let fetcher = Fetcher {
                    consumer,
                    arrived,
                    orders: Arc::clone(&orders),
                    assigned,
                    paused,
                    knock,
                    heard,
                };
                if fetcher.run(batches) == End::Stopped {
                    return;
                }
                let Some(another) = another(&options, &orders) else { return };
                consumer = another;
                fetch_again(&partitions, &orders);
            }
        })
        .map_err(|source| Error::Thread { name, source })
}

/// Another consumer, made of the same settings as the one before; none if fetching is to stop.
fn another(options: &Options, orders: &Arc<Orders>) -> Option<Arc<BaseConsumer<Voice>>> {
    while !orders.are_over() {
        match connect(options, orders) {
            Ok(consumer) => return Some(consumer),
            Err(error) => tracing::error!(%error, "there is no other consumer yet: nothing can be read"),
        }
        orders.wait(RENEW_EVERY);
    }
    None
}

fn connect(options: &Options, orders: &Arc<Orders>) -> Result<Arc<BaseConsumer<Voice>>, Error> {
    let mut consumer = BaseConsumer::from_config_and_context(&settings::consumer(options), Voice::default())
        .map_err(|error| Error::Client { why: error.to_string() })?;
    log_to_tracing(&consumer);
    let bell = Arc::clone(orders);
    consumer.set_nonempty_callback(move || bell.ring());
    Ok(Arc::new(consumer))
}

/// Has every partition that is read placed anew, from where its window is.
fn fetch_again(partitions: &Partitions, orders: &Orders) {
    for (number, partition) in partitions.all() {
        let mut window = partition.window.lock();
        if window.is_placed() {
            window.fetch_again();
            orders.give(number, Order::Place);
        }
    }
}

impl Fetcher {
    fn run(mut self, mut batches: Batches<Voice>) -> End {
        loop {
            if let Err(end) = self.obey() {
                return end;
            }
            self.arrived.share = share(self.assigned.len());
            let taken = batches.take(|message| self.arrived.add(&message));
            self.arrived.deliver();
            self.pause_full();
            self.refetch_gaps();
            if taken > 0 {
                self.heard = Instant::now();
            } else if self.heard.elapsed() >= KNOCK_EVERY {
                self.knock.at(self.consumer.client());
                self.heard = Instant::now();
            } else {
                self.orders.wait(IDLE_POLL);
            }
        }
    }

    /// Does what was ordered.
    fn obey(&mut self) -> Result<(), End> {
        let orders = self.orders.take()?;
        if orders.is_empty() {
            return Ok(());
        }
        let of = |wanted: Order| {
            orders.iter().filter(move |(_, order)| **order == wanted).map(|(number, _)| *number)
        };
        // Who left may have come back since.
        let (back, left): (Vec<_>, Vec<_>) = of(Order::Leave)
            .partition(|number| self.arrived.partitions.at(*number).window.lock().is_placed());
        self.place(of(Order::Place).chain(back).collect());
        let left: Vec<_> = left.into_iter().filter(|number| self.assigned.remove(number)).collect();
        self.told("give partitions back", &left, |consumer, list| consumer.incremental_unassign(list));
        let resumed: Vec<_> = of(Order::Resume).filter(|number| self.paused.remove(number)).collect();
        self.told("let partitions go on", &resumed, |consumer, list| consumer.resume(list));
        Ok(())
    }

    fn place(&mut self, numbers: Vec<usize>) {
        let moved: Vec<_> = numbers.iter().copied().filter(|number| self.assigned.remove(number)).collect();
        self.told("move partitions", &moved, |consumer, list| consumer.incremental_unassign(list));
        let mut list = TopicPartitionList::new();
        let mut placed = Vec::new();
        for number in numbers {
            let Some(next) = self.arrived.partitions.at(number).window.lock().arrive() else { continue };
            let offset = Offset::Offset(next.saturating_sub(1) as i64);
            self.arrived.list(&mut list, number, offset);
            placed.push(number);
        }
        if placed.is_empty() {
            return;
        }
        match self.consumer.incremental_assign(&list) {
            Ok(()) => self.assigned.extend(&placed),
            Err(error) => {
                tracing::error!(%error, "cannot take partitions");
                placed.iter().for_each(|number| self.arrived.partitions.at(*number).fail(Trouble::Broker));
            }
        }
        // A pause outlives the assignment it was made in.
        let resumed: Vec<_> = placed.into_iter().filter(|number| self.paused.remove(number)).collect();
        self.told("let partitions go on", &resumed, |consumer, list| consumer.resume(list));
    }

    fn pause_full(&mut self) {
        let full = std::mem::take(&mut self.arrived.full);
        self.told("pause partitions", &full, |consumer, list| consumer.pause(list));
        self.paused.extend(full);
    }

    fn refetch_gaps(&mut self) {
        let gaps = std::mem::take(&mut self.arrived.gaps);
        if !gaps.is_empty() {
            tracing::warn!(partitions = ?gaps, "records are missing between two that came: fetching again");
            self.place(gaps);
        }
    }

    /// Tells the consumer something about partitions. It can refuse only what it does not know, which is then over anyway.
    fn told(
        &self,
        doing: &'static str,
        numbers: &[usize],
        call: impl FnOnce(&BaseConsumer<Voice>, &TopicPartitionList) -> KafkaResult<()>,
    ) {
        if numbers.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::new();
        numbers.iter().for_each(|number| self.arrived.list(&mut list, *number, Offset::Invalid));
        if let Err(error) = call(&self.consumer, &list) {
            tracing::warn!(%error, doing, "the consumer refuses");
        }
    }
}

/// Messages of one batch on their way into windows: those of one partition that follow each other go in at once.
struct Arrived {
    consumer: Arc<BaseConsumer<Voice>>,
    layout: Arc<Layout>,
    partitions: Arc<Partitions>,
    /// The partition of the messages gathered.
    number: Option<usize>,
    bytes: Vec<u8>,
    /// Offset, append time, length and form of each.
    heads: Vec<(u64, Millis, usize, Form)>,
    /// Unread bytes a partition may have.
    share: usize,
    /// Partitions with enough for now, and partitions to fetch again.
    full: Vec<usize>,
    gaps: Vec<usize>,
}

impl Arrived {
    fn new(consumer: Arc<BaseConsumer<Voice>>, layout: Arc<Layout>, partitions: Arc<Partitions>) -> Self {
        let (bytes, heads) = (Vec::new(), Vec::new());
        let (full, gaps) = (Vec::new(), Vec::new());
        Self { consumer, layout, partitions, number: None, bytes, heads, share: share(0), full, gaps }
    }

    fn list(&self, list: &mut TopicPartitionList, number: usize, offset: Offset) {
        let shard = self.layout.shard(number);
        let (topic, partition) = (self.layout.topic(shard.journal), i32::from(shard.partition));
        if let Err(error) = list.add_partition_offset(topic, partition, offset) {
            tracing::error!(%error, %shard, "an offset that cannot be");
        }
    }

    fn add(&mut self, message: &Message<'_>) {
        let topic = message.topic().map(std::ffi::CStr::to_bytes);
        let number = topic.and_then(|topic| self.layout.number_of(topic, message.partition()));
        if let Some(error) = message.error() {
            return self.failed(number, error);
        }
        let (Some(number), Ok(offset)) = (number, u64::try_from(message.offset())) else { return };
        let form = match self.layout.foreign(number) {
            Some(foreign) if !message.is_marked(MARK) => foreign.clone(),
            _ => Form::Own,
        };
        let payload = if form == Form::Own { message.payload() } else { cut(message.payload()) };
        if self.number != Some(number) || self.bytes.len() + payload.len() > PIECE_BYTES {
            self.deliver();
            self.number = Some(number);
        }
        self.bytes.extend_from_slice(payload);
        self.heads.push((offset + 1, message.append_time().unwrap_or(0), payload.len(), form));
    }

    fn failed(&mut self, number: Option<usize>, error: RDKafkaErrorCode) {
        use RDKafkaErrorCode as Code;
        let Some(number) = number else {
            tracing::warn!(%error, "the consumer reports");
            return;
        };
        self.deliver();
        let shard = self.layout.shard(number);
        tracing::warn!(%error, %shard, "cannot be fetched");
        let out = matches!(error, Code::AutoOffsetReset | Code::OffsetOutOfRange);
        self.partitions.at(number).fail(if out { Trouble::OutOfRange } else { Trouble::Broker });
    }

    /// Puts what was gathered into its window.
    fn deliver(&mut self) {
        let Some(number) = self.number.take().filter(|_| !self.heads.is_empty()) else { return };
        // As much memory as they need, no piece of which outlives them: what is kept of a quiet partition must not hold a busy one's.
        let all = Bytes::copy_from_slice(&self.bytes);
        self.bytes.clear();
        let mut at = 0;
        let entry = |(offset, append_time, len, form)| {
            let bytes = all.slice(at..at + len);
            at += len;
            Entry { offset, append_time, bytes, form }
        };
        let entries: Vec<_> = self.heads.drain(..).map(entry).collect();
        let shard = self.layout.shard(number);
        let end = end_heard(&self.consumer, self.layout.topic(shard.journal), i32::from(shard.partition));
        match self.partitions.at(number).take(entries, end, self.share) {
            Taken::Nothing | Taken::In => {}
            Taken::InAndFull => self.full.push(number),
            Taken::Gap => self.gaps.push(number),
        }
    }
}
