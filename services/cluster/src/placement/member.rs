//! What the group gives and takes, as it tells its members.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use souk_kafka::Voice;
use souk_model::journal::{Partitions, ShardId};
use tokio::sync::watch;

use super::options::shard_of;
use crate::limits::PROOF_OF_LIFE;

#[derive(Debug)]
pub(super) struct Member {
    partitions: Partitions,
    topic: String,
    voice: Voice,
    /// What the group says is ours. What is published differs from it only while there is no broker.
    ours: Mutex<BTreeSet<ShardId>>,
    published: watch::Sender<Arc<BTreeSet<ShardId>>>,
}

impl Member {
    pub(super) fn new(
        partitions: Partitions,
        topic: &str,
        published: watch::Sender<Arc<BTreeSet<ShardId>>>,
    ) -> Self {
        let (topic, voice, ours) = (topic.to_owned(), Voice::default(), Mutex::default());
        Self { partitions, topic, voice, ours, published }
    }

    fn shards(&self, list: &TopicPartitionList) -> BTreeSet<ShardId> {
        list.elements().iter().filter_map(|element| shard_of(self.partitions, element.partition())).collect()
    }

    fn publish(&self, ours: &BTreeSet<ShardId>) {
        self.published.send_replace(Arc::new(ours.clone()));
    }

    /// Takes what is given. Nothing is ever read from it.
    fn take(&self, consumer: &BaseConsumer<Self>, given: &mut TopicPartitionList) -> KafkaResult<()> {
        given.set_all_offsets(Offset::Offset(0))?;
        consumer.incremental_assign(given)?;
        consumer.pause(given)?;
        let mut ours = self.ours.lock();
        ours.extend(self.shards(given));
        tracing::info!(given = given.count(), shards = ours.len(), "the group gives shards");
        self.publish(&ours);
        Ok(())
    }

    /// Gives up what is taken. The runtime carries it on until its next owner serves.
    fn give_up(&self, consumer: &BaseConsumer<Self>, taken: &TopicPartitionList) -> KafkaResult<()> {
        let shards = self.shards(taken);
        let mut ours = self.ours.lock();
        ours.retain(|shard| !shards.contains(shard));
        tracing::info!(taken = shards.len(), shards = ours.len(), "the group takes shards");
        self.publish(&ours);
        consumer.incremental_unassign(taken)
    }

    /// The group has gone on without this node, or nobody knows. If a broker is there, others may have the shards by now. If none is, nobody can
    /// get them from the group, and whoever carries them goes on: the manifest is the fence.
    fn lose(&self, consumer: &BaseConsumer<Self>, lost: &TopicPartitionList) -> KafkaResult<()> {
        let shards = self.shards(lost);
        let mut ours = self.ours.lock();
        ours.retain(|shard| !shards.contains(shard));
        if consumer.fetch_metadata(Some(&self.topic), PROOF_OF_LIFE).is_ok() {
            tracing::warn!(lost = shards.len(), "the group has given this node's shards to others");
            self.publish(&ours);
        } else {
            tracing::warn!(kept = shards.len(), "no broker answers: this node goes on with its shards");
        }
        consumer.incremental_unassign(lost)
    }
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.voice.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let done = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.take(consumer, partitions),
            _ if consumer.assignment_lost() => self.lose(consumer, partitions),
            _ => self.give_up(consumer, partitions),
        };
        if let Err(error) = done {
            tracing::error!(%error, "the Kafka client refuses what its group told");
        }
    }
}
