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
pub struct Requests {
    /// In journal order: times never fall.
    decided: VecDeque<Request>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    id: Box<str>,
    body_hash: u64,
    time: Millis,
    outcome: Outcome,
}

impl Requests {
    /// What a request with this id comes to without deciding it: its outcome then, a refusal when the body is another, nothing
    /// when it is new or came without an id.
    pub fn recall(&self, id: &str, body_hash: u64, log_time: Millis) -> Option<Outcome> {
        // A person sends a handful of commands: walking from the newest is shorter than hashing.
        let mut newest_first = self.decided.iter().rev().take_while(|request| request.is_known(log_time));
        let known = newest_first.find(|request| *request.id == *id)?;
        if known.body_hash == body_hash {
            return Some(known.outcome.clone());
        }
        let message = "this id came before with another body: use a new one";
        Some(Outcome::Refused(Refusal::new(Reason::RequestIdReused, "request_id", message)))
    }

    /// Remembers what was decided of a request that was not known. What is too old is forgotten, beyond the bound the oldest
    /// gives way; a request without an id leaves nothing.
    pub fn remember(&mut self, id: &str, body_hash: u64, log_time: Millis, outcome: Outcome) {
        if id.is_empty() {
            return;
        }
        self.forget(log_time);
        if self.decided.len() == REMEMBERED_REQUESTS {
            self.decided.pop_front();
        }
        self.decided.push_back(Request { id: id.into(), body_hash, time: log_time, outcome });
    }

    /// Forgets what is older than a day at this log time.
    pub fn forget(&mut self, log_time: Millis) {
        while self.decided.front().is_some_and(|request| !request.is_known(log_time)) {
            self.decided.pop_front();
        }
    }

    /// When even the newest is too old: a timer then lets an actor nobody touches forget them all.
    pub fn forgotten_at(&self) -> Option<Millis> {
        self.decided.back().map(|request| request.time.saturating_add(DAY + 1))
    }

    pub fn len(&self) -> usize {
        self.decided.len()
    }

    pub fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.decided.len() as u64);
        for request in &self.decided {
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
        let mut requests = Self::default();
        for _ in 0..reader.count(REMEMBERED_REQUESTS)? {
            let id = reader.text()?.into();
            let body_hash = reader.fixed64()?;
            let time = reader.int()?;
            let outcome = if reader.flag()? { Outcome::Refused(refusal(reader)?) } else { Outcome::Done };
            if requests.decided.back().is_some_and(|last| last.time > time) {
                return Err(damaged("remembered requests are out of order"));
            }
            requests.decided.push_back(Request { id, body_hash, time, outcome });
        }
        Ok(requests)
    }
}

impl Request {
    fn is_known(&self, log_time: Millis) -> bool {
        log_time.saturating_sub(self.time) <= DAY
    }
}

fn refusal(reader: &mut Reader<'_>) -> Result<Refusal, StateError> {
    Ok(Refusal::new(reason(reader)?, reader.text()?, reader.text()?))
}

/// Reads a reason as it is written in a state: its number.
pub fn reason(reader: &mut Reader<'_>) -> Result<Reason, StateError> {
    let number = i32::try_from(reader.int()?).ok();
    number.and_then(|number| Reason::try_from(number).ok()).ok_or_else(|| damaged("an unknown reason"))
}
