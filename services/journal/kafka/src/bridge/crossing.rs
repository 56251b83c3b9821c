//! A message of others as a record of ours, with the stamp by which the fold knows it again.

use std::sync::Arc;

use prost::Message as _;
use souk_formats::Format;
use souk_model::journal::{Journal as Kind, Partitions, ShardId};
use souk_model::keying::Keying;
use souk_model::record;
use souk_model::verdict::Refusal;
use souk_proto::journal::v1 as journal;
use souk_runtime::ports::NewRecord;

/// A message as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) partition: i32,
    pub(super) offset: u64,
    /// At most a little more than a message may have.
    pub(super) payload: Vec<u8>,
}

/// How messages of one topic become records.
#[derive(Debug)]
pub(super) struct Crossing {
    pub(super) format: Arc<Format>,
    pub(super) topic: String,
    /// Identity of the topic: one that was made anew is another source.
    pub(super) topic_id: u64,
    pub(super) partitions: Partitions,
    pub(super) keying: Keying,
}

impl Crossing {
    /// The record a message becomes, in the partition it belongs to. Every offset of its partition up to `stable` is durable.
    pub(super) fn record(&self, read: &Read, stable: Option<u64>) -> Result<NewRecord, Refusal> {
        let mut event = self.format.decode(&read.payload)?;
        if event.event_id.is_empty() {
            event.event_id = format!("b:{:x}.{}.{}", self.topic_id, read.partition, read.offset);
        }
        if event.source.is_empty() {
            event.source = format!("kafka:{}", self.topic);
        }
        let event = record::take_event(event, Vec::new()).map_err(|refused| refused.1)?;
        let shard = match event.journal() {
            Kind::Users => ShardId::users(self.keying.partition(&event.key, self.partitions.users)),
            Kind::Products => ShardId::products(event.key.partition(self.partitions.products)),
        };
        let stamp = journal::BridgeStamp {
            source: format!("{}#{:x}", self.topic, self.topic_id),
            partition: read.partition.unsigned_abs(),
            offset: read.offset,
            stable,
        };
        let record =
            journal::EventRecord { event: Some(event.event), stamps: Vec::new(), bridge: Some(stamp) };
        let record = journal::Record { body: Some(journal::record::Body::Event(record)) };
        Ok(NewRecord { shard, bytes: record.encode_to_vec().into() })
    }
}

#[cfg(test)]
mod tests {
    use souk_model::record::Record;

    use super::*;

    #[test]
    fn a_message_is_a_stamped_record_in_its_own_partition() {
        let crossing = Crossing {
            format: Format::named("commerce").expect("a format"),
            topic: "ledger".to_owned(),
            topic_id: 0xabc,
            partitions: Partitions { users: 8, products: 4 },
            keying: Keying::Own,
        };
        let text = r#"{"transactionId":"t","userId":"u-1","transactionType":"purchase","amount":1.5,"currency":"EUR","transactionDate":"2026-11-21T09:00:00Z"}"#;
        let read = Read { partition: 2, offset: 7, payload: text.into() };
        let record = crossing.record(&read, Some(6)).expect("a record");
        let Ok(Record::Event(event)) = record::decode(&record.bytes) else { panic!("no event") };
        assert_eq!(record.shard, ShardId::users(event.key.partition(8)));
        assert_eq!(
            (event.event.event_id.as_str(), event.event.source.as_str()),
            ("b:abc.2.7", "kafka:ledger")
        );
        let stamp = event.bridge.expect("a stamp");
        assert_eq!(
            (stamp.source.as_str(), stamp.partition, stamp.offset, stamp.stable),
            ("ledger#abc", 2, 7, Some(6))
        );
        let wrong = Read { payload: b"{}".to_vec(), ..read };
        assert_eq!(crossing.record(&wrong, None).expect_err("nothing is said").field, "transactionType");
    }
}
