//! Batches as they go over the wire: an encoded PublishEventsRequest or StreamEventsRequest.

use bytes::Bytes;
use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::{AckLevel, VerdictView};

use super::Sent;

/// Which call carries a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    Unary,
    Stream,
}

pub fn publish_request(events: Vec<v1::Event>, ack: AckLevel, view: VerdictView) -> Bytes {
    let request =
        v1::PublishEventsRequest { events, ack: ack.into(), view: view.into(), validate_only: false };
    request.encode_to_vec().into()
}

pub fn stream_request(seq: i64, events: Vec<v1::Event>, ack: AckLevel) -> Bytes {
    v1::StreamEventsRequest { seq, events, ack: ack.into() }.encode_to_vec().into()
}

pub fn events(sent: &[Sent]) -> Vec<v1::Event> {
    sent.iter().map(|sent| sent.event.clone()).collect()
}
