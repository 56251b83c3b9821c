//! Requests that carry events, with each event left as the bytes it came in. The same fields as the messages of their names in
//! [`crate::v1`].

use bytes::Bytes;

/// [`crate::v1::PublishEventsRequest`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct PublishEventsRequest {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub events: Vec<Bytes>,
    #[prost(enumeration = "crate::v1::AckLevel", tag = "2")]
    pub ack: i32,
    #[prost(enumeration = "crate::v1::VerdictView", tag = "3")]
    pub view: i32,
    #[prost(bool, tag = "4")]
    pub validate_only: bool,
}

/// [`crate::v1::StreamEventsRequest`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct StreamEventsRequest {
    #[prost(int64, tag = "1")]
    pub seq: i64,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub events: Vec<Bytes>,
    #[prost(enumeration = "crate::v1::AckLevel", tag = "3")]
    pub ack: i32,
}
