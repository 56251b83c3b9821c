//! What a bridge's client says of itself: its log and errors, as any client's, how far behind it is, and what its group gives it.

use std::sync::{Arc, OnceLock};

use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use souk_kafka::Voice;

use crate::bridge::counts::Shared;
use crate::bridge::place;

/// States as librdkafka names them: of a member, and of a partition that is fetched, which is one the member was given.
const MEMBER: (&str, &str) = ("up", "steady");
const FETCHED: &str = "active";

#[derive(Debug)]
pub(super) struct Ear {
    voice: Voice,
    topic: String,
    shared: Arc<Shared>,
    /// Known before the group gives anything.
    topic_id: OnceLock<u64>,
}

impl Ear {
    pub(super) fn new(topic: &str, shared: &Arc<Shared>) -> Self {
        let (voice, topic_id) = (Voice::default(), OnceLock::new());
        Self { voice, topic: topic.to_owned(), shared: Arc::clone(shared), topic_id }
    }

    /// Which topic it is that is read.
    pub(super) fn reads(&self, topic_id: u64) {
        self.topic_id.get_or_init(|| topic_id);
    }
}

impl ClientContext for Ear {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.voice.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.error(error, reason);
    }

    /// Comes while the client is polled.
    fn stats(&self, statistics: Statistics) {
        let group = statistics.cgrp.as_ref();
        if group.is_none_or(|group| (group.state.as_str(), group.join_state.as_str()) != MEMBER) {
            return self.shared.waits();
        }
        let partitions =
            statistics.topics.get(&self.topic).into_iter().flat_map(|topic| topic.partitions.values());
        let fetched = partitions.filter(|partition| partition.fetch_state == FETCHED);
        let lags: Vec<i64> = fetched.map(|partition| partition.consumer_lag).collect();
        // Below zero: not known yet.
        let known: Vec<u64> = lags.iter().filter_map(|lag| u64::try_from(*lag).ok()).collect();
        let is_known = lags.is_empty() || !known.is_empty();
        self.shared.joined(is_known.then(|| known.iter().sum()));
    }
}

impl ConsumerContext for Ear {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let (Rebalance::Assign(given), Some(topic_id)) = (rebalance, self.topic_id.get()) {
            place::given(consumer, *topic_id, given);
        }
    }
}
