//! What may still be told over a link: the receiver's credits, and the bytes its queue holds. Without room a message is lost at once.

use parking_lot::Mutex;
use prost::Message as _;
use souk_proto::internal::v1::LinkRequest;
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::limits::LINK_BYTES;

/// A queue for one life of a link: its two ends share the room.
pub(super) fn queue(credits: u32) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(credits as usize);
    let room = Arc::new(Room { most: credits, left: Mutex::new(Left { credits, bytes: LINK_BYTES }) });
    (Sender { queue: sender, room: room.clone() }, Receiver { queue: receiver, room })
}

#[derive(Debug)]
pub(super) struct Room {
    most: u32,
    left: Mutex<Left>,
}

#[derive(Debug)]
struct Left {
    credits: u32,
    bytes: usize,
}

impl Room {
    /// The receiver has handed messages over.
    pub(super) fn grant(&self, credits: u32) {
        let mut left = self.left.lock();
        left.credits = left.credits.saturating_add(credits).min(self.most);
    }

    fn take(&self, bytes: usize) -> bool {
        let mut left = self.left.lock();
        let alone = left.bytes == LINK_BYTES;
        if left.credits == 0 || (bytes > left.bytes && !alone) {
            return false;
        }
        left.credits -= 1;
        left.bytes -= bytes.min(left.bytes);
        true
    }

    fn free(&self, bytes: usize) {
        let mut left = self.left.lock();
        left.bytes = (left.bytes + bytes).min(LINK_BYTES);
    }
}

#[derive(Debug)]
pub(super) struct Sender {
    queue: mpsc::Sender<(LinkRequest, usize)>,
    room: Arc<Room>,
}

impl Sender {
    pub(super) fn send(&self, message: LinkRequest) -> bool {
        let bytes = message.encoded_len();
        self.room.take(bytes) && self.queue.try_send((message, bytes)).is_ok()
    }
}

#[derive(Debug)]
pub(super) struct Receiver {
    queue: mpsc::Receiver<(LinkRequest, usize)>,
    room: Arc<Room>,
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Option<LinkRequest> {
        let (message, bytes) = self.queue.recv().await?;
        self.room.free(bytes);
        Some(message)
    }

    pub(super) fn room(&self) -> Arc<Room> {
        self.room.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use souk_proto::internal::v1::{TallyBatch, link_request};

    fn message(bytes: usize) -> LinkRequest {
        LinkRequest { to: "x".repeat(bytes), ..LinkRequest::default() }
    }

    #[tokio::test]
    async fn credits_end_and_come_back() {
        let (sender, mut receiver) = queue(4);
        assert!((0..4).all(|_| sender.send(message(1))));
        assert!(!sender.send(message(1)), "the fifth has no credit");
        for _ in 0..4 {
            assert!(receiver.receive().await.is_some());
        }
        assert!(!sender.send(message(1)), "that they left the queue gives no credit");
        receiver.room().grant(1_000);
        assert!((0..4).all(|_| sender.send(message(1))));
        assert!(!sender.send(message(1)), "no more than the link began with");
    }

    #[tokio::test]
    async fn bytes_end_and_a_large_message_goes_alone() {
        let (sender, mut receiver) = queue(100);
        assert!(sender.send(message(LINK_BYTES + 1)), "nothing else waits");
        assert!(!sender.send(message(1)));
        assert!(receiver.receive().await.is_some());
        let tally = link_request::Message::Tally(TallyBatch::default());
        assert!(sender.send(LinkRequest { message: Some(tally), ..message(1) }));
        assert!(!sender.send(message(LINK_BYTES)), "something waits");
    }
}
