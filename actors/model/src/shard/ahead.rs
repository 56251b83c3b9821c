//! Entries decoded before they are folded: an owner asks what a batch touches, loads it in one go, then folds. Each is decoded once.

use std::collections::VecDeque;

use prost::Message;
use souk_proto::journal::v1 as journal;

use crate::journal::{Entry, Form};
use crate::limits::DECODED_AHEAD;
use crate::record::{self, Record};
use crate::verdict::Refusal;

/// An entry decoded, or why it could not be, and whether it then counts as an event (it is one, or cannot be told).
#[derive(Debug, Clone)]
pub struct Decoded {
    pub record: Result<Record, Refusal>,
    pub is_event: bool,
}

impl Decoded {
    pub fn of(entry: &Entry) -> Self {
        let own = match &entry.form {
            Form::Own => record::decode(&entry.bytes),
            Form::Foreign(foreign) => {
                return Self { record: foreign.read(entry).map(Record::Event), is_event: true };
            }
        };
        match own {
            Ok(record) => Self { is_event: matches!(record, Record::Event(_)), record: Ok(record) },
            Err(refusal) => Self { is_event: is_received_event(&entry.bytes), record: Err(refusal) },
        }
    }
}

/// Whether a record that was refused is an event received, and so REJECTED: an event, or nothing that can be told. Anything else is
/// a dead letter only.
fn is_received_event(bytes: &[u8]) -> bool {
    journal::Record::decode(bytes)
        .map_or(true, |record| matches!(record.body, None | Some(journal::record::Body::Event(_))))
}

/// The newest [`DECODED_AHEAD`] of them, by rising offset.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    decoded: VecDeque<(u64, Box<Decoded>)>,
}

impl Ahead {
    /// By rising offset.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Decoded> {
        self.decoded.iter().map(|(_, decoded)| &**decoded)
    }

    /// The entry decoded, now or before.
    pub(super) fn look(&mut self, entry: &Entry) -> &Decoded {
        let mut at = self.place(entry.offset);
        if self.decoded.get(at).is_none_or(|(offset, _)| *offset != entry.offset) {
            self.put(entry.offset, Box::new(Decoded::of(entry)));
            at = self.place(entry.offset);
        }
        &self.decoded[at].1
    }

    /// Where the entry of an offset is, or would be: most often it is the next to be folded, or comes last.
    fn place(&self, offset: u64) -> usize {
        match (self.decoded.front(), self.decoded.back()) {
            (Some((first, _)), _) if *first >= offset => 0,
            (_, Some((last, _))) if *last < offset => self.decoded.len(),
            _ => self.decoded.partition_point(|(known, _)| *known < offset),
        }
    }

    /// Takes the entry out; offsets below it are over.
    pub(super) fn take(&mut self, entry: &Entry) -> Box<Decoded> {
        while self.decoded.front().is_some_and(|(offset, _)| *offset < entry.offset) {
            self.decoded.pop_front();
        }
        match self.decoded.front() {
            Some((offset, _)) if *offset == entry.offset => {
                self.decoded.pop_front().map_or_else(|| Box::new(Decoded::of(entry)), |(_, decoded)| decoded)
            }
            _ => Box::new(Decoded::of(entry)),
        }
    }

    /// Puts an entry in, or back between two of its slices.
    pub(super) fn put(&mut self, offset: u64, decoded: Box<Decoded>) {
        if self.decoded.len() >= DECODED_AHEAD {
            self.decoded.pop_back();
        }
        let at = self.place(offset);
        if self.decoded.get(at).is_some_and(|(known, _)| *known == offset) {
            self.decoded.remove(at);
        }
        self.decoded.insert(at, (offset, decoded));
    }
}
