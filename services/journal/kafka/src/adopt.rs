//! A topic of others that is the users journal itself: read in place, message by message, and written to by us as well. What we write is
//! marked by a header; everything else is a message of the declared format, which the fold reads as it is (`Foreign`).
//!
//! Nothing stalls a shard. A message that cannot be read, says something impossible, or lies in another partition than the declared hash
//! gives its event is a dead letter with its reason; one that is too large is cut where it is fetched, and refused for its size. A message whose
//! time was given by its producer moves no log time: only the broker's clock counts.
//!
//! Format, currency and hash belong to the topic's identity: an owner refuses to go on from a cut that was made with others.

use std::fmt;
use std::sync::Arc;

use rdkafka::message::{Header, OwnedHeaders};
use souk_formats::Format;
use souk_model::journal::{Entry, Foreign, Form};
use souk_model::keying::{Keying, Partitioner};
use souk_model::limits::RECORD_BYTES;
use souk_model::record;
use souk_model::time::Millis;
use souk_model::verdict::{Reason, Refusal};

/// The header of what we write, and its value.
pub(crate) const MARK: &str = "souk-record";
const MARKED: &str = "1";

/// How a topic is adopted. All of it is fixed for the life of the shards folded from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    pub format: Arc<Format>,
    /// By which hash of their keys the others' producers choose partitions.
    pub partitioner: Partitioner,
    /// Where a shard begins that nobody has folded yet.
    pub start: Start,
}

/// Where to begin in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// After what is there now.
    Latest,
    /// With the oldest that is kept.
    #[default]
    Earliest,
    /// With the first that was appended then or later.
    At(Millis),
}

impl Adoption {
    pub(crate) fn keying(&self) -> Keying {
        Keying::Adopted(self.partitioner)
    }

    /// What is mixed into the identity of the topic.
    pub(crate) fn identity(&self) -> u64 {
        self.format.identity().rotate_left(self.partitioner as u32 + 1)
    }

    /// The readers of each partition's messages.
    pub(crate) fn forms(&self, topic: &str, partitions: u16) -> Vec<Form> {
        let source: Arc<str> = format!("kafka:{topic}").into();
        let form = |partition| {
            let (format, source) = (Arc::clone(&self.format), Arc::clone(&source));
            let partitioner = self.partitioner;
            Form::Foreign(Arc::new(Messages { format, source, partitioner, partitions, partition }))
        };
        (0..partitions).map(form).collect()
    }
}

/// As much of a message as is fetched: a longer one is refused for its size, and need not be there whole for that.
pub(crate) fn cut(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(RECORD_BYTES + 1)]
}

/// Headers of what we write.
pub(crate) fn marked() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(Header { key: MARK, value: Some(MARKED) })
}

/// Reads the messages of one partition.
struct Messages {
    format: Arc<Format>,
    /// What their events name as their source unless they do it themselves.
    source: Arc<str>,
    partitioner: Partitioner,
    partitions: u16,
    partition: u16,
}

impl Foreign for Messages {
    fn read(&self, entry: &Entry) -> Result<record::Event, Refusal> {
        let mut event = self.format.decode(&entry.bytes)?;
        // The same wherever it is read: a place in a topic is an id.
        if event.event_id.is_empty() {
            event.event_id = format!("k:{}.{}", self.partition, entry.offset.saturating_sub(1));
        }
        if event.source.is_empty() {
            event.source = (*self.source).to_owned();
        }
        let event = record::take_event(event, Vec::new()).map_err(|refused| refused.1)?;
        let home = Keying::Adopted(self.partitioner).partition(&event.key, self.partitions);
        if home == self.partition { Ok(event) } else { Err(self.elsewhere(&event, home)) }
    }
}

impl Messages {
    #[cold]
    fn elsewhere(&self, event: &record::Event, home: u16) -> Refusal {
        let message = format!(
            "{:?} belongs to partition {home} by {}, and stands in {}: write it under its own key",
            event.key, self.partitioner, self.partition
        );
        Refusal::new(Reason::KeyPartitionMismatch, "", message)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("format", &self.format.name())
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}
