//! A file as events: each line becomes one, or is refused with a reason. Times are shifted and ids given here.
//!
//! A line without an id gets one made of its content and its number, so that the same file ingested twice counts once, and two equal
//! lines of one file count twice.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use souk_formats::time;
use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::cells::Cells;
use super::columns::{Header, NoHeader, TRANSACTION, TRIP};
use super::lines::{Line, Lines};
use super::table::Row;
use crate::client::schema;

/// What the lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum As {
    /// NDJSON: a souk.v1.Event as proto3 JSON on each line
    Event,
    /// CSV of trips: trip_id, region_id, event_time, fare, duration (s), distance (km) …
    Trip,
    /// CSV of transactions: transactionId, userId, transactionType, amount, currency, transactionDate …
    Transaction,
}

/// A line, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) original: String,
    pub(super) became: Result<Ready, Refusal>,
}

/// An event as it will be sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ready {
    pub(super) event: Bytes,
    /// Its event time, if it has one.
    pub(super) millis: Option<i64>,
}

/// How lines are read.
#[derive(Debug)]
enum Format {
    Events(MessageDescriptor),
    Trips(Arc<Header>, Cells, String),
    Transactions(Arc<Header>, Cells),
}

#[derive(Debug)]
pub(super) struct Reader<R> {
    lines: Lines<R>,
    format: Format,
    /// Milliseconds added to every event time.
    pub(super) shift: i64,
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{}", .0.message)]
    Header(NoHeader),
    #[error("the file is empty; a table begins with a header")]
    Empty,
}

impl<R: Read> Reader<R> {
    /// Begins a file; a table's header is read here. `currency` is that of fares that do not say theirs.
    pub(super) fn new(from: R, what: As, currency: &str) -> Result<Self, Unreadable> {
        let mut lines = Lines::new(from);
        let schema = match what {
            As::Event => return Ok(Self { lines, format: Format::Events(schema::event()), shift: 0 }),
            As::Trip => &TRIP[..],
            As::Transaction => &TRANSACTION[..],
        };
        let no = |message: &str| Unreadable::Header(NoHeader { message: message.to_owned(), near: None });
        let mut cells = Cells::new();
        let header = match lines.next()? {
            None => return Err(Unreadable::Empty),
            Some(Line::Unreadable(_, what)) => return Err(no(what)),
            Some(Line::Text(line)) => cells.read(line).ok_or_else(|| no("the header is no line of CSV"))?,
        };
        let header = Arc::new(Header::read(schema, header).map_err(Unreadable::Header)?);
        let format = match what {
            As::Trip => Format::Trips(header, cells, currency.to_owned()),
            _ => Format::Transactions(header, cells),
        };
        Ok(Self { lines, format, shift: 0 })
    }

    /// A table's header.
    pub(super) fn header(&self) -> Option<Arc<Header>> {
        match &self.format {
            Format::Events(_) => None,
            Format::Trips(header, ..) | Format::Transactions(header, _) => Some(Arc::clone(header)),
        }
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.lines.bytes
    }

    /// Whether the next line would have to be waited for.
    pub(super) fn is_drained(&self) -> bool {
        self.lines.is_drained()
    }

    pub(super) fn next(&mut self) -> std::io::Result<Option<Item>> {
        let (original, event) = match self.lines.next()? {
            None => return Ok(None),
            Some(Line::Unreadable(beginning, what)) => {
                (beginning, Err(Refusal::new(Reason::PayloadUndecodable, "", what)))
            }
            Some(Line::Text(line)) => (line.to_owned(), self.format.read(line)),
        };
        let line = self.lines.number;
        let became = event.map(|event| self.ready(event, &original, line));
        Ok(Some(Item { line, original, became }))
    }

    fn ready(&self, mut event: v1::Event, original: &str, line: u64) -> Ready {
        if event.event_id.is_empty() {
            event.event_id = id(original, line);
        }
        let millis =
            event.event_time.as_ref().and_then(time::of).map(|millis| millis.saturating_add(self.shift));
        if let (Some(millis), true) = (millis, self.shift != 0) {
            event.event_time = Some(time::timestamp(millis));
        }
        Ready { event: event.encode_to_vec().into(), millis }
    }
}

/// 128 bits of the line's text, different for each place in a file.
fn id(original: &str, line: u64) -> String {
    format!("i:{:032x}", xxh3_128_with_seed(original.as_bytes(), line))
}

impl Format {
    fn read(&mut self, line: &str) -> Result<v1::Event, Refusal> {
        match self {
            Self::Events(descriptor) => event(descriptor, line),
            Self::Trips(header, cells, currency) => row(header, cells, line)?.trip(currency),
            Self::Transactions(header, cells) => row(header, cells, line)?.transaction(),
        }
    }
}

fn undecodable(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::PayloadUndecodable, "", message)
}

fn event(descriptor: &MessageDescriptor, line: &str) -> Result<v1::Event, Refusal> {
    let mut json = serde_json::Deserializer::from_str(line);
    let message = DynamicMessage::deserialize(descriptor.clone(), &mut json);
    let message = message.and_then(|message| json.end().map(|()| message));
    let message = message.map_err(|error| undecodable(error.to_string()))?;
    message.transcode_to().map_err(|error| undecodable(error.to_string()))
}

fn row<'a>(header: &'a Header, cells: &'a mut Cells, line: &str) -> Result<Row<'a>, Refusal> {
    let cells = cells.read(line).ok_or_else(|| undecodable("has more columns than any table"))?;
    if cells.count() != header.count {
        let (count, wanted) = (cells.count(), header.count);
        return Err(undecodable(format!("has {count} columns, the header {wanted}")));
    }
    Ok(Row { header, cells })
}

#[cfg(test)]
mod tests;
