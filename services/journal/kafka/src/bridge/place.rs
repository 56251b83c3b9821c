//! Where a bridge begins: partitions that its group has never read are given a first place, so that a start is one place for good. A place bears
//! the identity of its topic: in another one of the same name it means nothing.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::Error;
use crate::adopt::Start;
use crate::bridge::BridgeOptions;
use crate::bridge::ear::Ear;
use crate::limits::ASK_TIMEOUT;

/// Whether waiting does not cure it, but whoever looks after the topic does.
pub(super) fn is_missing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(code, Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition)
}

/// What went wrong with the topic, in words for whoever looks after it.
pub(super) fn wrong(topic: &str, error: KafkaError) -> Error {
    match error.rdkafka_error_code() {
        Some(code) if is_missing(code) => Error::NoForeignTopic { topic: topic.to_owned() },
        _ => Error::broker(format!("read the topic {topic}"), error),
    }
}

/// A partition's next place, for the group to keep.
pub(super) fn add(
    list: &mut TopicPartitionList,
    topic: &str,
    topic_id: u64,
    partition: i32,
    next: i64,
) -> Result<(), KafkaError> {
    list.add_partition_offset(topic, partition, Offset::Offset(next))?;
    if let Some(mut added) = list.find_partition(topic, partition) {
        added.set_metadata(mark(topic_id));
    }
    Ok(())
}

fn mark(topic_id: u64) -> String {
    format!("{topic_id:x}")
}

/// Of what the group gives, whatever has a place in a topic that is no more begins at the beginning: all of it is new.
pub(super) fn given(consumer: &BaseConsumer<Ear>, topic_id: u64, given: &TopicPartitionList) {
    let committed = match consumer.committed_offsets(given.clone(), ASK_TIMEOUT) {
        Ok(committed) => committed,
        Err(error) => return tracing::warn!(%error, "the places of a bridge are taken as they are"),
    };
    let known = mark(topic_id);
    for place in committed.elements() {
        let is_of_another = !place.metadata().is_empty() && place.metadata() != known;
        let found = given.find_partition(place.topic(), place.partition());
        if let Some(mut found) = found.filter(|_| is_of_another)
            && let Err(error) = found.set_offset(Offset::Beginning)
        {
            tracing::error!(%error, "an offset that cannot be");
        }
    }
}

/// Settles the first places.
pub(super) fn settle(
    consumer: &BaseConsumer<Ear>,
    options: &BridgeOptions,
    topic_id: u64,
) -> Result<(), KafkaError> {
    let topic = options.topic.as_str();
    let committed = consumer.committed_offsets(partitions(consumer, topic)?, ASK_TIMEOUT)?;
    let mut first = TopicPartitionList::new();
    for element in committed.elements() {
        if element.offset() == Offset::Invalid {
            let at = first_of(consumer, options, element.partition())?;
            add(&mut first, topic, topic_id, element.partition(), at)?;
        }
    }
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

fn partitions(consumer: &BaseConsumer<Ear>, topic: &str) -> Result<TopicPartitionList, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK_TIMEOUT)?;
    let mut all = TopicPartitionList::new();
    for found in metadata.topics() {
        if let Some(error) = found.error() {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        for partition in found.partitions() {
            all.add_partition(topic, partition.id());
        }
    }
    Ok(all)
}

fn first_of(
    consumer: &BaseConsumer<Ear>,
    options: &BridgeOptions,
    partition: i32,
) -> Result<i64, KafkaError> {
    let topic = options.topic.as_str();
    let (low, high) = consumer.fetch_watermarks(topic, partition, ASK_TIMEOUT)?;
    let Start::At(time) = options.start else {
        return Ok(if options.start == Start::Earliest { low } else { high });
    };
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, partition, Offset::Offset(time))?;
    let answer = consumer.offsets_for_times(asked, ASK_TIMEOUT)?;
    Ok(match answer.elements().first().map(|element| element.offset()) {
        Some(Offset::Offset(offset)) => offset,
        _ => high,
    })
}
