//! How far shards have come, told to Kafka for the ordinary lag tools. Nobody reads it back: where a shard stands is in its manifest.
//!
//! The group has no members and must have none: a group with members takes positions from nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use souk_kafka::{Knock, Voice};
use souk_model::journal::{Journal, ShardId};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::kafka::millis;
use crate::limits::{COMMIT_EVERY, COMMIT_TIMEOUT};
use crate::{Brokers, Error};

#[derive(Debug, Clone)]
pub struct PositionsOptions {
    pub brokers: Brokers,
    /// The group nodes are members of; positions are those of the group `<group>-positions`.
    pub group: String,
    /// The journals' topics.
    pub users_topic: String,
    pub products_topic: String,
}

/// Commits positions every few seconds, until it is dropped.
#[derive(Debug)]
pub struct Positions(#[expect(dead_code, reason = "ends the task when it is dropped")] AbortOnDropHandle<()>);

impl Positions {
    /// `carried` says which shards this node carries, each with the offset of the last record folded.
    pub fn start(
        options: PositionsOptions,
        carried: impl Fn() -> Vec<(ShardId, u64)> + Send + 'static,
    ) -> Result<Self, Error> {
        options.brokers.check()?;
        let mut config = options.brokers.config();
        config
            .set("group.id", format!("{}-positions", options.group))
            .set("enable.auto.commit", "false")
            // It joins nothing: a commit waits for its coordinator as long as this says.
            .set("session.timeout.ms", millis(COMMIT_TIMEOUT))
            .set("socket.timeout.ms", millis(COMMIT_TIMEOUT));
        let consumer = BaseConsumer::from_config_and_context(&config, Voice::default())
            .map_err(|error| Error::Client { why: error.to_string() })?;
        let knock = Mutex::new(Knock::new(options.brokers.list(), &options.users_topic));
        let committing = commit_all(Committer { options, consumer, knock }, carried);
        Ok(Self(AbortOnDropHandle::new(tokio::spawn(committing))))
    }
}

async fn commit_all(committer: Committer, carried: impl Fn() -> Vec<(ShardId, u64)>) {
    let committer = Arc::new(committer);
    let mut committed: BTreeMap<ShardId, u64> = BTreeMap::new();
    let mut rounds = interval(COMMIT_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let carried: BTreeMap<_, _> = carried().into_iter().collect();
        let news: Vec<_> =
            carried.iter().filter(|(shard, offset)| committed.get(*shard) != Some(*offset)).collect();
        let list = committer.list(&news);
        let committer = committer.clone();
        let round = move || {
            souk_kafka::listen(&committer.consumer);
            committer.commit(&list?)
        };
        match tokio::task::spawn_blocking(round).await {
            Ok(Ok(())) => committed = carried,
            Ok(Err(error)) => tracing::debug!(%error, "positions were not committed"),
            Err(_) => return,
        }
    }
}

struct Committer {
    options: PositionsOptions,
    consumer: BaseConsumer<Voice>,
    knock: Mutex<Knock>,
}

impl Committer {
    /// The port's offset of the last record is Kafka's of the next.
    fn list(&self, positions: &[(&ShardId, &u64)]) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (shard, offset) in positions {
            let topic = match shard.journal {
                Journal::Users => &self.options.users_topic,
                Journal::Products => &self.options.products_topic,
            };
            let next = Offset::Offset(i64::try_from(**offset).unwrap_or(i64::MAX));
            list.add_partition_offset(topic, i32::from(shard.partition), next)?;
        }
        Ok(list)
    }

    fn commit(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        if list.count() == 0 {
            return Ok(());
        }
        let committed = self.consumer.commit(list, CommitMode::Sync);
        if committed.is_err() {
            self.knock.lock().at(self.consumer.client());
        }
        committed
    }
}
