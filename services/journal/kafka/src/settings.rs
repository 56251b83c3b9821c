//! How the client library is set up: everything the journal's promises hang on, in one place.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::bridge::BridgeOptions;
use crate::limits::{
    BATCH_BYTES, BRIDGE_FETCH_BYTES, BRIDGE_LAG, CLIENT_QUEUE_BYTES, CLIENT_QUEUE_RECORDS, FETCH_BACKOFF,
    FETCH_BYTES, FETCH_PARTITION_BYTES, FETCH_WAIT, FETCHED_KIB, LINGER, SEND_TIMEOUT,
};
use crate::options::Options;
use crate::sender::{SenderOptions, partitioner};

/// Group names a consumer needs before it may be assigned anything. No member ever joins it, nothing is committed to it.
const GROUP: &str = "souk-journal-reads-by-assignment";

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

/// What all clients have in common.
fn common(brokers: &str, client_id: &str, properties: &BTreeMap<String, String>) -> ClientConfig {
    let mut config = souk_kafka::client(brokers, client_id, properties);
    config.set("socket.nagle.disable", "true");
    config
}

fn of(options: &Options) -> ClientConfig {
    common(&options.addresses(), &options.client_id, &options.properties)
}

/// How every producer sends. None: for as long as it takes, so that nothing overtakes what is in front of it.
fn sending(mut config: ClientConfig, timeout: Option<Duration>) -> ClientConfig {
    config
        // Repeats are recognised by the broker, and order holds with several batches under way.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", millis(timeout.unwrap_or_default()))
        .set("linger.ms", millis(LINGER))
        .set("batch.size", BATCH_BYTES.to_string())
        .set("batch.num.messages", "10000")
        .set("message.max.bytes", BATCH_BYTES.to_string())
        .set("compression.type", "lz4")
        .set("queue.buffering.max.kbytes", (CLIENT_QUEUE_BYTES >> 10).to_string())
        .set("queue.buffering.max.messages", CLIENT_QUEUE_RECORDS.to_string());
    config
}

pub(crate) fn producer(options: &Options, timeout: Option<Duration>) -> ClientConfig {
    sending(of(options), timeout)
}

/// Of what commands send to a topic that is not a journal of theirs.
pub(crate) fn sender(options: &SenderOptions) -> ClientConfig {
    let config = common(&options.brokers.join(","), "souk-send", &options.properties);
    let mut config = sending(config, Some(SEND_TIMEOUT));
    partitioner(&mut config, options.partitioner);
    config.set("allow.auto.create.topics", "false");
    config
}

pub(crate) fn consumer(options: &Options) -> ClientConfig {
    let mut config = of(options);
    config
        .set("group.id", GROUP)
        .set("group.protocol", "classic")
        // Offsets come from manifests and from nowhere else; an offset that is not there is an error, not a jump.
        .set("auto.offset.reset", "error")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "false")
        .set("allow.auto.create.topics", "false")
        .set("check.crcs", "true")
        .set("isolation.level", "read_uncommitted")
        .set("fetch.min.bytes", "1")
        .set("fetch.wait.max.ms", millis(FETCH_WAIT))
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", millis(FETCH_BACKOFF))
        .set("max.partition.fetch.bytes", FETCH_PARTITION_BYTES.to_string())
        .set("fetch.max.bytes", FETCH_BYTES.to_string())
        .set("queued.max.messages.kbytes", FETCHED_KIB.to_string())
        .set("queued.min.messages", "100000");
    config
}

/// Of a member of a bridge's group. What it has read it says itself, when that is durable.
pub(crate) fn bridge(options: &BridgeOptions) -> ClientConfig {
    let mut config = common(&options.brokers.join(","), &options.client_id, &options.properties);
    config
        .set("group.id", &options.group)
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "6000")
        .set("statistics.interval.ms", millis(BRIDGE_LAG))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("allow.auto.create.topics", "false")
        .set("check.crcs", "true")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", millis(FETCH_WAIT))
        .set("fetch.queue.backoff.ms", millis(FETCH_BACKOFF))
        .set("max.partition.fetch.bytes", BRIDGE_FETCH_BYTES.to_string())
        .set("fetch.max.bytes", FETCH_BYTES.to_string())
        .set("queued.max.messages.kbytes", FETCHED_KIB.to_string());
    config
}

/// Of the client that asks questions: it reads nothing and belongs to no group.
pub(crate) fn desk(options: &Options) -> ClientConfig {
    let mut config = of(options);
    config.set("allow.auto.create.topics", "false");
    config
}
