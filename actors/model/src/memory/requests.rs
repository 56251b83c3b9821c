//! Requests an actor decided in the last day of log time: a repeat gets the same outcome, another body is refused.

use std::collections::VecDeque;

use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
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

    pub fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.decided.len());
        for request in &self.decided {
            w.text(&request.id);
            w.fixed64(request.body_hash);
            w.time(request.time);
            match &request.outcome {
                Outcome::Done => w.flag(false),
                Outcome::Refused(refusal) => {
                    w.flag(true);
                    put_reason(w, refusal.reason);
                    w.text(&refusal.field);
                    w.text(&refusal.message);
                }
            }
        }
    }

    pub fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut requests = Self::default();
        for _ in 0..r.count(REMEMBERED_REQUESTS)? {
            let id = r.text()?.into();
            let body_hash = r.fixed64()?;
            let time = r.time()?;
            let outcome = if r.flag()? { Outcome::Refused(refusal(r)?) } else { Outcome::Done };
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

fn refusal(r: &mut Reader<'_>) -> Result<Refusal, StateError> {
    Ok(Refusal::new(reason(r)?, r.text()?.to_owned(), r.text()?.to_owned()))
}

/// Writes a reason as it stands in a state: its number.
pub fn put_reason(w: &mut Writer<'_>, reason: Reason) {
    w.int(i64::from(reason as i32));
}

/// Reads what [`put_reason`] wrote.
pub fn reason(r: &mut Reader<'_>) -> Result<Reason, StateError> {
    let number = i32::try_from(r.int()?).ok();
    number.and_then(|number| Reason::try_from(number).ok()).ok_or_else(|| damaged("an unknown reason"))
}
