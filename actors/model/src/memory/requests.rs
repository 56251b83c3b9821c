//! Requests an actor decided in the last day of log time: a repeat gets the same outcome, another body is refused.

use std::collections::VecDeque;

use crate::actor::StateError;
use crate::codec::{Reader, damaged, put_int, put_text, put_uint};
use crate::limits::REMEMBERED_REQUESTS;
use crate::output::Outcome;
use crate::time::{DAY, Millis};
use crate::verdict::{Reason, Refusal};

/// The newest requests, at most [`REMEMBERED_REQUESTS`], each known while it is at most a day of log time old.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMemory {
    /// In journal order: times never fall.
    requests: VecDeque<Request>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    id: Box<str>,
    body_hash: u64,
    time: Millis,
    outcome: Outcome,
}

impl RequestMemory {
    /// What a request with this id comes to without deciding it: its outcome then, a refusal when the body is another, nothing
    /// when it is new or came without an id. Forgets what is older than a day.
    pub fn recall(&mut self, id: &str, body_hash: u64, log_time: Millis) -> Option<Outcome> {
        while self.requests.front().is_some_and(|oldest| log_time.saturating_sub(oldest.time) > DAY) {
            self.requests.pop_front();
        }
        if id.is_empty() {
            return None;
        }
        // A person sends a handful of commands: walking from the newest is shorter than hashing.
        let known = self.requests.iter().rev().find(|request| *request.id == *id)?;
        if known.body_hash == body_hash {
            return Some(known.outcome.clone());
        }
        let message = "another request came with this id: use a new one";
        Some(Outcome::Refused(Refusal::new(Reason::RequestIdReused, "request_id", message)))
    }

    /// Remembers what was decided of a request that was not known. The oldest gives way; one without an id leaves nothing.
    pub fn remember(&mut self, id: &str, body_hash: u64, log_time: Millis, outcome: &Outcome) {
        if id.is_empty() {
            return;
        }
        if self.requests.len() == REMEMBERED_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(Request {
            id: id.into(),
            body_hash,
            time: log_time,
            outcome: outcome.clone(),
        });
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.requests.len() as u64);
        for request in &self.requests {
            put_text(out, &request.id);
            out.extend_from_slice(&request.body_hash.to_le_bytes());
            put_int(out, request.time);
            match &request.outcome {
                Outcome::Done => out.push(0),
                Outcome::Refused(refusal) => {
                    out.push(1);
                    put_int(out, i64::from(refusal.reason as i32));
                    put_text(out, &refusal.field);
                    put_text(out, &refusal.message);
                }
            }
        }
    }

    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut memory = Self::default();
        for _ in 0..reader.count(REMEMBERED_REQUESTS)? {
            let id = reader.text()?.into();
            let body_hash = reader.fixed64()?;
            let time = reader.int()?;
            let outcome = if reader.flag()? { Outcome::Refused(refusal(reader)?) } else { Outcome::Done };
            if memory.requests.back().is_some_and(|last| last.time > time) {
                return Err(damaged("remembered requests are out of order"));
            }
            memory.requests.push_back(Request { id, body_hash, time, outcome });
        }
        Ok(memory)
    }
}

fn refusal(reader: &mut Reader<'_>) -> Result<Refusal, StateError> {
    let reason = i32::try_from(reader.int()?).ok().and_then(|number| Reason::try_from(number).ok());
    let reason = reason.ok_or_else(|| damaged("a refusal without a known reason"))?;
    Ok(Refusal::new(reason, reader.text()?, reader.text()?))
}
