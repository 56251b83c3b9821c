//! A message in parts that are encoded already. Fields of a message may come in any order and a message is the sum of its parts, so
//! a reader's own header can stand before row bytes that all readers share.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

/// Parts of one message, to be sent as they are. Only servers send it; nothing decodes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// What is this reader's alone.
    pub head: Bytes,
    /// What all readers share.
    pub body: Bytes,
}

impl Encoded {
    pub fn new(head: &impl Message, body: Bytes) -> Self {
        Self { head: head.encode_to_vec().into(), body }
    }
}

impl Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.head);
        buf.put_slice(&self.body);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, context)
    }

    fn encoded_len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn parts_decode_as_the_message_they_are_of() {
        let row = v1::MetricRow { window: "5m".to_owned(), ..Default::default() };
        let whole = v1::WatchMetricResponse {
            frame: Some(v1::StreamFrame { resume_token: "t".to_owned(), ..Default::default() }),
            query: 3,
            row: Some(row.clone()),
        };
        let head = v1::WatchMetricResponse { row: None, ..whole.clone() };
        let body = v1::WatchMetricResponse { row: Some(row), ..Default::default() }.encode_to_vec();
        let parts = Encoded::new(&head, body.into());
        let bytes = parts.encode_to_vec();
        assert_eq!(bytes.len(), parts.encoded_len());
        assert_eq!(v1::WatchMetricResponse::decode(bytes.as_slice()), Ok(whole));
    }
}
