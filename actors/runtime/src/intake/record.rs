//! The record of an event, put together on the wire: the event's own bytes as they came, what intake gives it behind them, then the
//! stamps. Fields that come later win, so nothing of the event is encoded again.

use bytes::{BufMut, BytesMut};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use souk_proto::journal::v1 as journal;

/// `souk.journal.v1.Record.event`, `EventRecord.event` and `EventRecord.stamps`.
const RECORD_EVENT: u32 = 1;
const EVENT: u32 = 1;
const STAMPS: u32 = 2;
/// `souk.v1.Event.event_id` and `shop`.
const EVENT_ID: u32 = 1;
const SHOP: u32 = 6;

/// What intake adds to an event; empty: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Given<'a> {
    pub event_id: &'a str,
    pub shop: &'a str,
}

/// Appends the record to `out`.
pub(super) fn put(event: &[u8], given: Given<'_>, stamps: &[journal::Stamp], out: &mut BytesMut) {
    let event_len = event.len() + text_len(EVENT_ID, given.event_id) + text_len(SHOP, given.shop);
    let stamps_len: usize = stamps.iter().map(|stamp| field_len(STAMPS, stamp.encoded_len())).sum();
    let record_len = field_len(EVENT, event_len) + stamps_len;
    out.reserve(field_len(RECORD_EVENT, record_len));
    put_head(RECORD_EVENT, record_len, out);
    put_head(EVENT, event_len, out);
    out.put_slice(event);
    put_text(EVENT_ID, given.event_id, out);
    put_text(SHOP, given.shop, out);
    for stamp in stamps {
        prost::encoding::message::encode(STAMPS, stamp, out);
    }
}

fn put_head(tag: u32, len: usize, out: &mut BytesMut) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(len as u64, out);
}

fn put_text(tag: u32, text: &str, out: &mut BytesMut) {
    if !text.is_empty() {
        put_head(tag, text.len(), out);
        out.put_slice(text.as_bytes());
    }
}

fn field_len(tag: u32, len: usize) -> usize {
    key_len(tag) + encoded_len_varint(len as u64) + len
}

fn text_len(tag: u32, text: &str) -> usize {
    if text.is_empty() { 0 } else { field_len(tag, text.len()) }
}

#[cfg(test)]
mod tests {
    use souk_proto::v1;

    use super::*;

    #[test]
    fn a_record_decodes_as_if_it_had_been_encoded_whole() {
        let event = v1::Event { user_id: "alice".to_owned(), source: "web".to_owned(), ..Default::default() };
        let stamps = vec![journal::Stamp { product_id: "p-1".to_owned(), position: 7, ..Default::default() }];
        let given = Given { event_id: "e-1", shop: "north" };
        let mut out = BytesMut::new();
        put(&event.encode_to_vec(), given, &stamps, &mut out);
        let whole = v1::Event { event_id: "e-1".to_owned(), shop: "north".to_owned(), ..event };
        let record = journal::EventRecord { event: Some(whole), stamps, bridge: None };
        let body = Some(journal::record::Body::Event(record));
        assert_eq!(journal::Record::decode(&*out), Ok(journal::Record { body }));
    }
}
