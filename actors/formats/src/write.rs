//! A message out of an event: its parts at the paths that were declared for them.

use std::fmt::Debug;

use serde::Serialize;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use crate::decimal;
use crate::draft::LABEL_PLACES;
use crate::field::FIELDS;
use crate::format::Format;
use crate::kind::Kind;
use crate::parts::{Part, Parts};
use crate::scan::{Table, To};

impl Format {
    /// Whether a message of this format can tell an event: there is a word for its kind, and it has what every message needs. A guest is
    /// nobody to a format whose messages are all of users.
    pub fn tells(&self, event: &v1::Event) -> bool {
        self.message(event).is_some()
    }

    /// Appends the message that tells an event; false, and nothing, where none can. What the format has no path for is left out. Amounts
    /// stand in main units; where messages do not say their currency, every amount is of the format's own.
    pub fn encode(&self, event: &v1::Event, out: &mut Vec<u8>) -> bool {
        let Some(message) = self.message(event) else { return false };
        if !message.object(&self.table, out) {
            out.extend_from_slice(b"{}");
        }
        true
    }

    fn message<'a>(&'a self, event: &'a v1::Event) -> Option<Message<'a>> {
        let kind = self.written_kind(event)?;
        let message = Message { format: self, event, kind, parts: Parts::of(self, event), is_line: false };
        self.needs.iter().all(|field| message.has(field.place())).then_some(message)
    }

    /// What is written for an event's kind; empty where messages need not say it.
    fn written_kind<'a>(&'a self, event: &'a v1::Event) -> Option<&'a str> {
        let kind = Kind::of(event)?;
        if let Some(written) = self.kinds.written.get(&kind) {
            return Some(written);
        }
        match (&event.kind, self.kinds.other) {
            (Some(Body::Custom(custom)), Some(Kind::Custom)) => Some(&custom.r#type),
            _ => (self.kinds.unsaid == Some(kind)).then_some(""),
        }
    }
}

/// What a message, or a line of one, is written from.
#[derive(Debug)]
struct Message<'a> {
    format: &'a Format,
    event: &'a v1::Event,
    kind: &'a str,
    parts: Parts<'a>,
    is_line: bool,
}

impl Message<'_> {
    /// Writes an object; says whether there is anything in it.
    fn object(&self, table: &Table, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        for (name, to) in table.entries() {
            if matches!(to, To::Value(place, first) if !first || !self.has(*place)) {
                continue;
            }
            let before = out.len();
            out.push(if before == begin { b'{' } else { b',' });
            json(&**name, out);
            out.push(b':');
            let written = match to {
                To::Value(place, _) => self.value(*place, out),
                To::Object(within) => self.object(within, out),
            };
            if !written {
                out.truncate(before);
            }
        }
        let any = out.len() > begin;
        if any {
            out.push(b'}');
        }
        any
    }

    /// Whether there may be something to write.
    fn has(&self, place: usize) -> bool {
        place >= FIELDS || !matches!(self.parts.get(place), Part::Nothing)
    }

    fn value(&self, place: usize, out: &mut Vec<u8>) -> bool {
        if place < FIELDS {
            return self.part(place, out);
        }
        let text = if place < LABEL_PLACES {
            // What several paths say together is joined by a slash; the last one says all that is left.
            let last = self.format.kinds.paths.len().saturating_sub(1);
            self.kind.splitn(last + 1, '/').nth(place - FIELDS)
        } else {
            let label = self.format.labels.get(place - LABEL_PLACES);
            label.and_then(|(name, _)| self.event.labels.get(name)).map(String::as_str)
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return false };
        json(text, out);
        true
    }

    fn part(&self, place: usize, out: &mut Vec<u8>) -> bool {
        match self.parts.get(place) {
            Part::Nothing => return false,
            Part::Text(text) => json(text, out),
            Part::Integer(number) => json(&number, out),
            Part::Float(number) => json(&number, out),
            Part::Decimal(value, places) => decimal::write(value, places, out),
            Part::Time(at) if self.format.writes_iso => json(&at.to_string(), out),
            Part::Time(at) => json(&self.format.time.write(at), out),
            Part::Texts(texts) => json(texts, out),
            Part::Lines(lines) => return self.lines(lines, out),
        }
        true
    }

    fn lines(&self, lines: &[v1::Line], out: &mut Vec<u8>) -> bool {
        let Some(table) = self.format.lines.as_ref().filter(|_| !self.is_line) else { return false };
        for (n, line) in lines.iter().enumerate() {
            out.push(if n == 0 { b'[' } else { b',' });
            let parts = Parts::of_line(line);
            if !(Message { parts, is_line: true, ..*self }.object(table, out)) {
                out.extend_from_slice(b"{}");
            }
        }
        out.push(b']');
        true
    }
}

fn json<T: Serialize + Debug + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "{value:?} has a JSON form, and memory takes every byte");
}
