//! What was sent and not acknowledged yet: the only copy from which it is sent again after a break. Pure; the stream is elsewhere.

use std::collections::VecDeque;

use bytes::Bytes;
use souk_proto::grpc::raw;

/// A batch on its way, with what its sender wants to know it by.
#[derive(Debug)]
struct Sent<C> {
    seq: i64,
    events: Vec<Bytes>,
    cargo: C,
}

/// Batches under way, oldest first, at most so many.
#[derive(Debug)]
pub(super) struct Window<C> {
    sent: VecDeque<Sent<C>>,
    most: usize,
    last_seq: i64,
    ack: i32,
}

impl<C> Window<C> {
    pub(super) fn new(most: usize, ack: i32) -> Self {
        Self { sent: VecDeque::with_capacity(most), most, last_seq: 0, ack }
    }

    pub(super) fn is_full(&self) -> bool {
        self.sent.len() >= self.most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Takes a batch in, and gives the message for it. Events are shared with the message, not copied.
    pub(super) fn push(&mut self, events: Vec<Bytes>, cargo: C) -> raw::StreamEventsRequest {
        self.last_seq += 1;
        let seq = self.last_seq;
        let request = raw::StreamEventsRequest { seq, events: events.clone(), ack: self.ack };
        self.sent.push_back(Sent { seq, events, cargo });
        request
    }

    /// Takes out what an answer is about. None: an answer to something else than the oldest batch.
    pub(super) fn acknowledge(&mut self, seq: i64) -> Option<C> {
        if self.sent.front()?.seq != seq {
            return None;
        }
        self.sent.pop_front().map(|sent| sent.cargo)
    }

    /// Everything not acknowledged, in order, for a new stream. Its numbers go on rising.
    pub(super) fn again(&self) -> Vec<raw::StreamEventsRequest> {
        let again = |sent: &Sent<C>| raw::StreamEventsRequest {
            seq: sent.seq,
            events: sent.events.clone(),
            ack: self.ack,
        };
        self.sent.iter().map(again).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(text: &'static str) -> Vec<Bytes> {
        vec![Bytes::from_static(text.as_bytes())]
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_as_it_was() {
        let mut window = Window::new(3, 2);
        let sent: Vec<_> =
            [("a", 1), ("b", 2), ("c", 3)].map(|(text, cargo)| window.push(batch(text), cargo)).into();
        assert!(window.is_full());
        assert_eq!(window.acknowledge(1), Some(1));
        assert!(!window.is_full());
        assert_eq!(window.again(), sent[1..]);
        assert_eq!(window.push(batch("d"), 4).seq, 4);
    }

    #[test]
    fn only_the_oldest_batch_can_be_acknowledged() {
        let mut window = Window::new(2, 1);
        assert_eq!(window.acknowledge(1), None);
        window.push(batch("a"), "a");
        window.push(batch("b"), "b");
        assert_eq!(window.acknowledge(2), None);
        assert_eq!(window.acknowledge(1), Some("a"));
        assert_eq!(window.acknowledge(1), None);
        assert_eq!(window.acknowledge(2), Some("b"));
        assert!(window.is_empty());
    }
}
