//! The thread that is a member of the group: one consumer that reads nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use souk_kafka::limits::KNOCK_EVERY;
use souk_kafka::{Knock, is_news};
use souk_model::journal::ShardId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::member::Member;
use super::options::PlacementOptions;
use super::prepare::check_topic;
use crate::Error;
use crate::kafka::millis;
use crate::limits::{FETCH_WAIT, HEARTBEAT, LONGEST_SILENCE, POLL, SESSION};

pub(super) const THREAD: &str = "souk-placement";

type GroupConsumer = BaseConsumer<Member>;

fn config(options: &PlacementOptions) -> ClientConfig {
    let mut config = options.brokers.config();
    config
        .set("group.id", &options.group)
        .set("group.protocol", "classic")
        // What stays with a node is not taken from it when another comes or goes.
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", millis(SESSION))
        .set("heartbeat.interval.ms", millis(HEARTBEAT))
        .set("max.poll.interval.ms", millis(LONGEST_SILENCE))
        // Members come with the offset they begin at; nothing is read, nothing committed.
        .set("auto.offset.reset", "error")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("fetch.wait.max.ms", millis(FETCH_WAIT))
        .set("queued.max.messages.kbytes", "64");
    config
}

/// A consumer that has asked to become a member. Refuses a topic that is not there or has another count of partitions.
pub(super) async fn join(
    options: &PlacementOptions,
    shards: watch::Sender<Arc<BTreeSet<ShardId>>>,
) -> Result<GroupConsumer, Error> {
    let options = options.clone();
    let joining = tokio::task::spawn_blocking(move || {
        let member = Member::new(options.partitions, &options.members_topic, shards);
        let consumer = BaseConsumer::from_config_and_context(&config(&options), member)
            .map_err(|error| Error::Client { why: error.to_string() })?;
        check_topic(&options, &consumer)?;
        consumer
            .subscribe(&[&options.members_topic])
            .map_err(|error| Error::broker("join the group of nodes", error))?;
        Ok(consumer)
    });
    joining.await.unwrap_or_else(|error| Err(Error::broker("join the group of nodes", error)))
}

/// Polls until the node leaves. Dropping the consumer takes its shards away as any rebalance does, and says goodbye to the group. A member
/// that hears no broker goes on with its shards, so it must not lose the brokers for good: another node has them by then.
pub(super) fn run(consumer: GroupConsumer, options: &PlacementOptions, leaving: &AtomicBool) {
    let mut knock = Knock::new(options.brokers.list(), &options.members_topic);
    let mut knocked = Instant::now();
    while !leaving.load(Ordering::Acquire) {
        if let Some(Err(error)) = consumer.poll(POLL)
            && is_news(&error.to_string())
        {
            tracing::warn!(%error, "the group of nodes");
        }
        if knocked.elapsed() >= KNOCK_EVERY {
            knock.at(consumer.client());
            knocked = Instant::now();
        }
    }
}
