//! Encoded events, laid out as a batch needs them: a sender copies a run of them and writes new ids and the time over the old ones.
//! That is all the client spends on an event, so that on a shared machine the server gets the rest.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::{AckLevel, VerdictView};

use super::batch::Carrier;
use super::{Scenario, Shop};
use crate::measure::clock::{self, Millis};

/// Ids are so many hexadecimal digits: as wide in every event, so that they can be written in place.
const ID_BYTES: usize = 16;
/// Seconds since 1970 take five bytes as a varint from 1978 to 3058.
const SECONDS_BYTES: usize = 5;

/// Encoded events. Cheap to share, since senders only read it.
#[derive(Debug)]
pub struct Pool {
    bytes: Bytes,
    events: Vec<Place>,
    carrier: Carrier,
}

/// Where one event lies in the pool: with its field's tag and length, its id, and the seconds of its time.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    id: usize,
}

impl Pool {
    /// `count` events of a shop, of which every one counts.
    pub fn new(scenario: &Scenario, seed: u64, count: usize, carrier: Carrier) -> Self {
        let mut shop = Shop::new(scenario.clone().all_good(), seed, "load", 0);
        let tag = match carrier {
            Carrier::Unary => 0x0a,
            Carrier::Stream => 0x12,
        };
        let now = clock::now();
        let mut bytes = BytesMut::new();
        let mut events = Vec::with_capacity(count);
        for n in 0..count {
            let event = anonymous(shop.next(now + n as Millis).event);
            let start = bytes.len();
            bytes.put_u8(tag);
            prost::encoding::encode_varint(event.encoded_len() as u64, &mut bytes);
            // The event begins with its id's tag and length.
            events.push(Place { start, id: bytes.len() + 2 });
            event.encode(&mut bytes).expect("a growing buffer has room");
        }
        Self { bytes: bytes.freeze(), events, carrier }
    }

    /// Copies `count` events from the `from`-th on (and around), with ids that begin at `serial`, as of `at`.
    pub fn batch(&self, from: usize, count: usize, serial: u64, at: Millis, seq: i64) -> Bytes {
        let first = from % (self.events.len() - count + 1);
        let places = &self.events[first..first + count];
        let start = places[0].start;
        let end = self.events.get(first + count).map_or(self.bytes.len(), |next| next.start);
        let mut batch = BytesMut::with_capacity(end - start + 16);
        batch.extend_from_slice(&self.bytes[start..end]);
        let seconds = seconds_of(at);
        for (n, place) in places.iter().enumerate() {
            let id = place.id - start;
            batch[id..id + ID_BYTES].copy_from_slice(&hex(serial + n as u64));
            let time = id + ID_BYTES + 3;
            batch[time..time + SECONDS_BYTES].copy_from_slice(&seconds);
        }
        self.close(&mut batch, seq);
        batch.freeze()
    }

    /// What follows the events: when to answer, and with how much.
    fn close(&self, batch: &mut BytesMut, seq: i64) {
        let ack = AckLevel::Logged as u8;
        match self.carrier {
            Carrier::Unary => batch.put_slice(&[0x10, ack, 0x18, VerdictView::Problems as u8]),
            Carrier::Stream => {
                batch.put_slice(&[0x18, ack, 0x08]);
                prost::encoding::encode_varint(u64::try_from(seq).unwrap_or_default(), batch);
            }
        }
    }
}

/// Ids inside the event give way to the event's own, which a sender changes: the same order placed again would count no more.
fn anonymous(mut event: v1::Event) -> v1::Event {
    event.event_id = "0".repeat(ID_BYTES);
    match &mut event.kind {
        Some(Kind::OrderStep(step)) => step.order_id.clear(),
        Some(Kind::Trip(trip)) => trip.trip_id.clear(),
        Some(Kind::Transaction(transaction)) => transaction.transaction_id.clear(),
        _ => {}
    }
    event
}

fn seconds_of(at: Millis) -> [u8; SECONDS_BYTES] {
    let mut left = u64::try_from(at / 1_000).unwrap_or_default();
    let mut bytes = [0; SECONDS_BYTES];
    for byte in &mut bytes {
        *byte = 0x80 | (left & 0x7f) as u8;
        left >>= 7;
    }
    bytes[SECONDS_BYTES - 1] &= 0x7f;
    bytes
}

fn hex(mut serial: u64) -> [u8; ID_BYTES] {
    let mut digits = [0; ID_BYTES];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(serial & 0xf) as usize];
        serial >>= 4;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_decodes_with_new_ids_and_times() {
        let scenario = Scenario::load(None).expect("reads");
        let at = 1_795_000_123_000;
        for carrier in [Carrier::Unary, Carrier::Stream] {
            let pool = Pool::new(&scenario, 7, 500, carrier);
            let batch = pool.batch(450, 40, 0xabc0, at, 9);
            let events = match carrier {
                Carrier::Unary => {
                    let request = v1::PublishEventsRequest::decode(batch).expect("decodes");
                    assert_eq!((request.ack(), request.view()), (AckLevel::Logged, VerdictView::Problems));
                    request.events
                }
                Carrier::Stream => {
                    let request = v1::StreamEventsRequest::decode(batch).expect("decodes");
                    assert_eq!((request.ack(), request.seq), (AckLevel::Logged, 9));
                    request.events
                }
            };
            assert_eq!(events.len(), 40);
            for (n, event) in events.iter().enumerate() {
                assert_eq!(event.event_id, format!("{:016x}", 0xabc0 + n));
                assert_eq!(event.event_time.expect("is set").seconds, at / 1_000);
                assert!(event.kind.is_some());
            }
        }
    }
}
