//! One instance of a bridge: a member of its group, from its assignment to its first failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use souk_kafka::Knock;
use souk_kafka::limits::KNOCK_EVERY;
use souk_model::record::Event;
use souk_model::verdict::{Reason, Refusal};
use souk_runtime::ports::{Appended, Line, Refused};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::adopt::cut;
use crate::bridge::counts::Shared;
use crate::bridge::crossing::{Crossing, Read};
use crate::bridge::ear::Ear;
use crate::bridge::letter::letter;
use crate::bridge::place::{self, is_missing, wrong};
use crate::bridge::still::Still;
use crate::bridge::{BridgeOptions, BridgePorts};
use crate::limits::{ASK_TIMEOUT, BRIDGE_BATCH, BRIDGE_BATCH_BYTES, BRIDGE_LOOK, BRIDGE_POLL, BRIDGE_QUIET};
use crate::sender::{Sender, SenderOptions};
use crate::{Error, settings};

pub(super) struct Instance<'a> {
    consumer: BaseConsumer<Ear>,
    crossing: Crossing,
    dead_letters: Sender,
    ports: &'a BridgePorts,
    handle: &'a Handle,
    shared: &'a Shared,
    /// When the topic was last seen to be the one it was.
    looked: Instant,
    /// When the last batch came.
    heard: Instant,
    knock: Knock,
    still: &'a mut Still,
    tended: Instant,
    /// The place after the newest message read of each partition.
    next: BTreeMap<i32, u64>,
}

impl<'a> Instance<'a> {
    pub(super) fn open(
        options: &BridgeOptions,
        ports: &'a BridgePorts,
        handle: &'a Handle,
        shared: &'a Arc<Shared>,
        still: &'a mut Still,
    ) -> Result<Self, Error> {
        let topic = options.topic.as_str();
        let consumer =
            BaseConsumer::from_config_and_context(&settings::bridge(options), Ear::new(topic, shared))
                .map_err(|error| Error::Client { why: error.to_string() })?;
        let topic_id = topic_id(&consumer, topic)?;
        consumer.context().reads(topic_id);
        place::settle(&consumer, options, topic_id).map_err(|error| wrong(topic, error))?;
        let letters = SenderOptions {
            make: Some(1),
            properties: options.properties.clone(),
            ..SenderOptions::new(options.brokers.clone(), &options.dead_letters)
        };
        let dead_letters = handle.block_on(Sender::open(letters))?;
        consumer.subscribe(&[topic]).map_err(|error| wrong(topic, error))?;
        tracing::info!(topic, group = options.group, "a bridge begins");
        let crossing = Crossing {
            format: Arc::clone(&options.format),
            topic: topic.to_owned(),
            topic_id,
            partitions: ports.journal.partitions(),
            keying: ports.journal.keying(),
            live: options.live,
        };
        let knock = Knock::new(options.brokers.join(","), topic);
        let (now, next) = (Instant::now(), BTreeMap::new());
        Ok(Self {
            consumer,
            crossing,
            dead_letters,
            ports,
            handle,
            shared,
            looked: now,
            heard: now,
            knock,
            still,
            tended: now,
            next,
        })
    }

    /// Goes on until it is stopped, or something fails.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        while !self.shared.is_stopped() {
            let batch = self.gather()?;
            self.tend()?;
            if !batch.is_empty() {
                self.look(&batch)?;
                self.shared.passes(self.crossing.topic_id, &batch);
                self.cross(&batch)?;
            }
        }
        Ok(())
    }

    /// Sees, every few seconds, that the clients hear a broker and no partition stands still.
    fn tend(&mut self) -> Result<(), Error> {
        if self.tended.elapsed() < KNOCK_EVERY {
            return Ok(());
        }
        self.tended = Instant::now();
        self.dead_letters.knock();
        if self.knock.at(self.consumer.client()) {
            self.still.look(&self.consumer, &self.crossing.topic)?;
        }
        Ok(())
    }

    /// Ends the instance if the topic is not the one it was any more: under its old identity the fold would take what is new for repeats. Asked for
    /// every so often, at once where a partition goes back, as a new one does, and where nothing came for as long as making one anew takes at least.
    fn look(&mut self, batch: &[Read]) -> Result<(), Error> {
        let mut goes_back = false;
        for read in batch {
            let next = self.next.entry(read.partition).or_default();
            goes_back |= read.offset < *next;
            *next = read.offset + 1;
        }
        let quiet = std::mem::replace(&mut self.heard, Instant::now()).elapsed();
        if !goes_back && quiet < BRIDGE_QUIET && self.looked.elapsed() < BRIDGE_LOOK {
            return Ok(());
        }
        if topic_id(&self.consumer, &self.crossing.topic)? != self.crossing.topic_id {
            return Err(Error::MadeAnew { topic: self.crossing.topic.clone() });
        }
        self.looked = Instant::now();
        Ok(())
    }

    /// What is there, up to a batch; waits a little for the first.
    fn gather(&self) -> Result<Vec<Read>, Error> {
        let (mut batch, mut bytes, mut wait) = (Vec::new(), 0, BRIDGE_POLL);
        while batch.len() < BRIDGE_BATCH && bytes < BRIDGE_BATCH_BYTES {
            let Some(message) = self.consumer.poll(wait) else { break };
            let message = match message {
                Ok(message) => message,
                // A connection that went comes back by itself.
                Err(KafkaError::MessageConsumption(code)) if !is_missing(code) => break,
                Err(error) => return Err(wrong(&self.crossing.topic, error)),
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
        let now = self.ports.clock.now();
        let (mut sent, mut events, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for read in batch {
            match self.crossing.event(read, now) {
                Ok(event) => {
                    sent.push(read);
                    events.push(event);
                }
                Err(refusal) => refused.push((read, refusal)),
            }
        }
        let before = refused.len();
        refused.extend(self.append(&sent, events, &firsts)?);
        self.set_aside(&refused)?;
        self.remember(batch)?;
        let appended = sent.len() - (refused.len() - before);
        self.shared.crossed(appended, refused.len());
        Ok(())
    }

    /// Stamps and appends; answers what is too large for it.
    fn append<'r>(
        &self,
        sent: &[&'r Read],
        mut events: Vec<Event>,
        firsts: &BTreeMap<i32, u64>,
    ) -> Result<Vec<(&'r Read, Refusal)>, Error> {
        self.handle.block_on(self.ports.catalogue.stamp(&mut events));
        let record = |(read, event): (&&Read, Event)| {
            let stable = firsts.get(&read.partition).and_then(|first| first.checked_sub(1));
            self.crossing.record(event, read, stable)
        };
        let records = sent.iter().zip(events).map(record).collect();
        let mut refused = Vec::new();
        // A line of its own: of a batch that breaks off, what arrives is its beginning.
        let line = Line::default();
        let appending = async { self.ports.journal.enqueue(records, Some(&line)).await.await };
        for (read, became) in sent.iter().zip(self.handle.block_on(appending)) {
            match became {
                Appended::At { .. } => {}
                Appended::Refused(why @ Refused::TooLarge) => {
                    refused.push((*read, Refusal::new(Reason::MessageTooLarge, "", why.to_string())));
                }
                Appended::Refused(why) => return Err(Error::broker("append what was bridged", why)),
                Appended::Unknown => {
                    return Err(Error::broker("append what was bridged", "nobody knows its outcome"));
                }
            }
        }
        Ok(refused)
    }

    fn set_aside(&self, refused: &[(&Read, Refusal)]) -> Result<(), Error> {
        if refused.is_empty() {
            return Ok(());
        }
        let now = self.ports.clock.now();
        self.handle.block_on(async {
            for (read, refusal) in refused {
                let (key, message) = letter(&self.crossing.topic, read, refusal, now);
                self.dead_letters.send(key.as_bytes(), &message).await?;
            }
            self.dead_letters.finish().await.map(drop)
        })
    }

    /// Commits the place after a batch. One that is not taken, for the group has moved on, costs repeats and nothing else.
    fn remember(&self, batch: &[Read]) -> Result<(), Error> {
        let nexts: BTreeMap<i32, u64> = batch.iter().map(|read| (read.partition, read.offset + 1)).collect();
        let mut list = TopicPartitionList::new();
        for (partition, next) in nexts {
            let next = i64::try_from(next).unwrap_or(i64::MAX);
            let Crossing { topic, topic_id, .. } = &self.crossing;
            let added = place::add(&mut list, topic, *topic_id, partition, next);
            added.map_err(|error| Error::broker("remember a place", error))?;
        }
        if let Err(error) = self.consumer.commit(&list, CommitMode::Sync) {
            tracing::info!(%error, topic = self.crossing.topic, "a bridge's place was not taken");
        }
        Ok(())
    }
}

fn topic_id(consumer: &BaseConsumer<Ear>, topic: &str) -> Result<u64, Error> {
    souk_kafka::topic_id(consumer, topic, ASK_TIMEOUT).map_err(|code| wrong(topic, KafkaError::Global(code)))
}
