//! One instance of a bridge: a member of its group, from its assignment to its first failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use souk_model::verdict::{Reason, Refusal};
use souk_runtime::ports::{Appended, Clock, Journal, Refused};
use tokio::runtime::Handle;

use crate::adopt::{Start, cut};
use crate::bridge::crossing::{Crossing, Read};
use crate::bridge::letter::letter;
use crate::bridge::{BridgeOptions, Shared};
use crate::context::Voice;
use crate::limits::{ASK_TIMEOUT, BRIDGE_BATCH, BRIDGE_BATCH_BYTES, BRIDGE_POLL};
use crate::sender::{Sender, SenderOptions};
use crate::{Error, native, settings};

pub(super) struct Instance<'a> {
    consumer: BaseConsumer<Voice>,
    crossing: Crossing,
    dead_letters: Sender,
    journal: &'a Arc<dyn Journal>,
    clock: &'a Arc<dyn Clock>,
    handle: &'a Handle,
    shared: &'a Shared,
}

impl<'a> Instance<'a> {
    pub(super) fn open(
        options: &BridgeOptions,
        journal: &'a Arc<dyn Journal>,
        clock: &'a Arc<dyn Clock>,
        handle: &'a Handle,
        shared: &'a Shared,
    ) -> Result<Self, Error> {
        let doing = || format!("read the topic {}", options.topic);
        let consumer = BaseConsumer::from_config_and_context(&settings::bridge(options), Voice::default())
            .map_err(|error| Error::Client { why: error.to_string() })?;
        place(&consumer, options).map_err(|error| Error::broker(doing(), error))?;
        let topic_id = native::topic_id(&consumer, &options.topic, ASK_TIMEOUT)
            .map_err(|error| Error::broker(doing(), error))?;
        let letters = SenderOptions {
            make: Some(1),
            properties: options.properties.clone(),
            ..SenderOptions::new(options.brokers.clone(), &options.dead_letters)
        };
        let dead_letters = handle.block_on(Sender::open(letters))?;
        consumer.subscribe(&[&options.topic]).map_err(|error| Error::broker(doing(), error))?;
        let crossing = Crossing {
            format: Arc::clone(&options.format),
            topic: options.topic.clone(),
            topic_id,
            partitions: journal.partitions(),
            keying: journal.keying(),
        };
        Ok(Self { consumer, crossing, dead_letters, journal, clock, handle, shared })
    }

    /// Goes on until it is stopped, or something fails.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        while !self.shared.is_stopped() {
            let batch = self.gather()?;
            if !batch.is_empty() {
                self.cross(&batch)?;
            }
        }
        Ok(())
    }

    /// What is there, up to a batch; waits a little for the first.
    fn gather(&self) -> Result<Vec<Read>, Error> {
        let (mut batch, mut bytes, mut wait) = (Vec::new(), 0, BRIDGE_POLL);
        while batch.len() < BRIDGE_BATCH && bytes < BRIDGE_BATCH_BYTES {
            let Some(message) = self.consumer.poll(wait) else { break };
            let message = match message {
                Ok(message) => message,
                // A connection that went comes back; what does not pass ends the instance by its silence or by the next failure.
                Err(KafkaError::MessageConsumption(_)) => break,
                Err(error) => {
                    return Err(Error::broker(format!("read the topic {}", self.crossing.topic), error));
                }
            };
            let payload = cut(message.payload().unwrap_or_default()).to_vec();
            bytes += payload.len();
            let offset = u64::try_from(message.offset()).unwrap_or_default();
            batch.push(Read { partition: message.partition(), offset, payload });
            wait = Duration::ZERO;
        }
        Ok(batch)
    }

    /// Appends a batch, sets aside what cannot be appended, and remembers the place after it.
    fn cross(&self, batch: &[Read]) -> Result<(), Error> {
        // Whoever was here before has passed everything before the first of each partition.
        let mut firsts = BTreeMap::new();
        for read in batch {
            firsts.entry(read.partition).or_insert(read.offset);
        }
        let (mut sent, mut records, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for read in batch {
            let stable = firsts.get(&read.partition).and_then(|first| first.checked_sub(1));
            match self.crossing.record(read, stable) {
                Ok(record) => {
                    sent.push(read);
                    records.push(record);
                }
                Err(refusal) => refused.push((read, refusal)),
            }
        }
        for (read, became) in sent.into_iter().zip(self.handle.block_on(self.journal.append(records))) {
            match became {
                Appended::At { .. } => drop(self.shared.appended.fetch_add(1, Ordering::Relaxed)),
                Appended::Refused(Refused::TooLarge) => {
                    refused.push((
                        read,
                        Refusal::new(Reason::MessageTooLarge, "", Refused::TooLarge.to_string()),
                    ));
                }
                Appended::Refused(why) => return Err(Error::broker("append what was bridged", why)),
                Appended::Unknown => {
                    return Err(Error::broker("append what was bridged", "nobody knows its outcome"));
                }
            }
        }
        self.set_aside(&refused)?;
        self.remember(batch)
    }

    fn set_aside(&self, refused: &[(&Read, Refusal)]) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.handle.block_on(async {
            for (read, refusal) in refused {
                let (key, message) = letter(&self.crossing.topic, read, refusal, now);
                self.dead_letters.send(key.as_bytes(), &message).await?;
            }
            self.dead_letters.finish().await
        })?;
        self.shared.dead_letters.fetch_add(refused.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Commits the place after a batch. One that is not taken, for the group has moved on, costs repeats and nothing else.
    fn remember(&self, batch: &[Read]) -> Result<(), Error> {
        let nexts: BTreeMap<i32, u64> = batch.iter().map(|read| (read.partition, read.offset + 1)).collect();
        let mut list = TopicPartitionList::new();
        for (partition, next) in nexts {
            let next = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            let added = list.add_partition_offset(&self.crossing.topic, partition, next);
            added.map_err(|error| Error::broker("remember a place", error))?;
        }
        if let Err(error) = self.consumer.commit(&list, CommitMode::Sync) {
            tracing::info!(%error, topic = self.crossing.topic, "a bridge's place was not taken");
        }
        Ok(())
    }
}

/// Gives partitions that the group has never read their first place, so that a start is one place for good.
fn place(consumer: &BaseConsumer<Voice>, options: &BridgeOptions) -> Result<(), KafkaError> {
    let topic = options.topic.as_str();
    let metadata = consumer.fetch_metadata(Some(topic), ASK_TIMEOUT)?;
    let mut all = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        all.add_partition(topic, partition.id());
    }
    let committed = consumer.committed_offsets(all, ASK_TIMEOUT)?;
    let mut first = TopicPartitionList::new();
    for element in committed.elements() {
        if element.offset() != Offset::Invalid {
            continue;
        }
        let partition = element.partition();
        let (low, high) = consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT)?;
        let at = match options.start {
            Start::Earliest => low,
            Start::Latest => high,
            Start::At(time) => {
                let mut asked = TopicPartitionList::new();
                asked.add_partition_offset(topic, partition, Offset::Offset(time))?;
                let answer = consumer.offsets_for_times(asked, ASK_TIMEOUT)?;
                match answer.elements().first().map(|element| element.offset()) {
                    Some(Offset::Offset(offset)) => offset,
                    _ => high,
                }
            }
        };
        first.add_partition_offset(topic, partition, Offset::Offset(at))?;
    }
    // A group that has members takes it from none but them: then they have places.
    if first.count() == 0 {
        return Ok(());
    }
    use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    match consumer.commit(&first, CommitMode::Sync) {
        // A group that has members takes places from none but them: then they give them.
        Err(KafkaError::ConsumerCommit(UnknownMemberId | IllegalGeneration | RebalanceInProgress)) => Ok(()),
        other => other,
    }
}
