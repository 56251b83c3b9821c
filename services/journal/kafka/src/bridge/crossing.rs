//! A message of others as a record of ours, with the stamp by which the fold knows it again.

use std::sync::Arc;

use prost::Message as _;
use souk_formats::Format;
use souk_model::journal::{Journal as Kind, Partitions, ShardId};
use souk_model::keying::Keying;
use souk_model::record::{self, Event};
use souk_model::time::{FUTURE_BOUND, Millis, PAST_BOUND};
use souk_model::verdict::{Reason, Refusal};
use souk_proto::journal::v1 as journal;
use souk_runtime::ports::NewRecord;

use crate::limits::BRIDGE_SKEW;

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
    /// Whether the fold refuses events far from now.
    pub(super) live: bool,
}

impl Crossing {
    /// The event a message tells.
    pub(super) fn event(&self, read: &Read, now: Millis) -> Result<Event, Refusal> {
        let mut event = self.format.decode(&read.payload)?;
        if event.event_id.is_empty() {
            event.event_id = format!("b:{:x}.{}.{}", self.topic_id, read.partition, read.offset);
        }
        if event.source.is_empty() {
            event.source = format!("kafka:{}", self.topic);
        }
        let event = record::take_event(event, Vec::new()).map_err(|refused| refused.1)?;
        match event.time {
            Some(time) if self.live && !is_near(time, now) => Err(Refusal::new(
                Reason::TimeOutOfRange,
                "event_time",
                "must lie within 7 days before and 5 minutes after now; older events go into a history journal",
            )),
            _ => Ok(event),
        }
    }

    /// The record an event becomes, in the partition it belongs to. Every offset of its foreign partition up to `stable` is durable.
    pub(super) fn record(&self, event: Event, read: &Read, stable: Option<u64>) -> NewRecord {
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
            journal::EventRecord { event: Some(event.event), stamps: event.stamps, bridge: Some(stamp) };
        let record = journal::Record { body: Some(journal::record::Body::Event(record)) };
        NewRecord { shard, bytes: record.encode_to_vec().into() }
    }
}

/// Whether the fold may take an event of this time. A far one that it refused would be a dead letter of its shard alone.
fn is_near(time: Millis, now: Millis) -> bool {
    time <= now.saturating_add(FUTURE_BOUND + BRIDGE_SKEW)
        && time >= now.saturating_sub(PAST_BOUND + BRIDGE_SKEW)
}

#[cfg(test)]
mod tests {
    use souk_model::record::Record;
    use souk_model::time::{DAY, HOUR};

    use super::*;

    /// 2026-11-21T09:00:00Z, the time of the message below.
    const NINE: Millis = 1_795_251_600_000;

    fn crossing(live: bool) -> Crossing {
        Crossing {
            format: Format::named("commerce").expect("a format"),
            topic: "ledger".to_owned(),
            topic_id: 0xabc,
            partitions: Partitions { users: 8, products: 4 },
            keying: Keying::Own,
            live,
        }
    }

    fn message() -> Read {
        let text = r#"{"transactionId":"t","userId":"u-1","transactionType":"purchase","amount":1.5,"currency":"EUR","transactionDate":"2026-11-21T09:00:00Z"}"#;
        Read { partition: 2, offset: 7, payload: text.into() }
    }

    #[test]
    fn a_message_is_a_stamped_record_in_its_own_partition() {
        let (crossing, read) = (crossing(true), message());
        let mut event = crossing.event(&read, NINE).expect("an event");
        event.stamps = vec![journal::Stamp { product_id: "p-1".to_owned(), ..Default::default() }];
        let record = crossing.record(event, &read, Some(6));
        let Ok(Record::Event(event)) = record::decode(&record.bytes) else { panic!("no event") };
        assert_eq!(record.shard, ShardId::users(event.key.partition(8)));
        assert_eq!(
            (event.event.event_id.as_str(), event.event.source.as_str()),
            ("b:abc.2.7", "kafka:ledger")
        );
        assert!(event.stamp("p-1").is_some());
        let stamp = event.bridge.expect("a stamp");
        assert_eq!(
            (stamp.source.as_str(), stamp.partition, stamp.offset, stamp.stable),
            ("ledger#abc", 2, 7, Some(6))
        );
        let wrong = Read { payload: b"{}".to_vec(), ..read };
        assert_eq!(crossing.event(&wrong, NINE).expect_err("nothing is said").field, "transactionType");
    }

    #[test]
    fn what_the_fold_would_refuse_for_its_time_is_refused_here() {
        let read = message();
        for (now, is_taken) in
            [(NINE - HOUR, false), (NINE, true), (NINE + 6 * DAY, true), (NINE + 8 * DAY, false)]
        {
            let told = crossing(true).event(&read, now).map(drop).map_err(|refusal| refusal.reason);
            assert_eq!(told, if is_taken { Ok(()) } else { Err(Reason::TimeOutOfRange) }, "{now}");
            assert!(crossing(false).event(&read, now).is_ok(), "history has no bounds");
        }
    }
}
