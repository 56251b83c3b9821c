//! Request memory: a command repeated with the same id and body gets the outcome it had, for a day of log time.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::wire::{Reader, Writer, damaged};
use crate::actor::StateError;
use crate::limits::REMEMBERED_REQUESTS;
use crate::output::Outcome;
use crate::time::{DAY, Millis};
use crate::verdict::{Reason, Refusal};

/// Requests in the order they were decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests {
    decided: VecDeque<Request>,
}

#[derive(Debug, Clone)]
struct Request {
    id: Box<str>,
    body_hash: u64,
    log_time: Millis,
    outcome: Outcome,
}

impl Requests {
    /// The outcome of this request if it was decided before: its own, or that its id stands for another body.
    pub(super) fn recall(&self, id: &str, body_hash: u64, log_time: Millis) -> Option<Outcome> {
        let newest_first = self.decided.iter().rev();
        let known = newest_first
            .take_while(|request| is_known(request, log_time))
            .find(|request| *request.id == *id)?;
        if known.body_hash == body_hash {
            return Some(known.outcome.clone());
        }
        let reused = Refusal::new(
            Reason::RequestIdReused,
            "request_id",
            "this id came before with another body: use a new one",
        );
        Some(Outcome::Refused(reused))
    }

    pub(super) fn remember(&mut self, id: &str, body_hash: u64, log_time: Millis, outcome: Outcome) {
        self.forget(log_time);
        if self.decided.len() == REMEMBERED_REQUESTS {
            self.decided.pop_front();
        }
        self.decided.push_back(Request { id: id.into(), body_hash, log_time, outcome });
    }

    pub(super) fn forget(&mut self, log_time: Millis) {
        while self.decided.front().is_some_and(|request| !is_known(request, log_time)) {
            self.decided.pop_front();
        }
    }

    /// When the newest is forgotten too.
    pub(super) fn forgotten_at(&self) -> Option<Millis> {
        self.decided.back().map(|request| request.log_time.saturating_add(DAY + 1))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.decided.is_empty()
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.decided.len());
        for request in &self.decided {
            w.text(&request.id);
            w.fixed(request.body_hash);
            w.time(request.log_time);
            match &request.outcome {
                Outcome::Done => w.byte(0),
                Outcome::Refused(refusal) => {
                    w.byte(1);
                    w.unsigned(refusal.reason as u64);
                    w.text(&refusal.field);
                    w.text(&refusal.message);
                }
            }
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut decided = VecDeque::new();
        for _ in 0..r.count(REMEMBERED_REQUESTS)? {
            let (id, body_hash, log_time) = (r.text()?, r.fixed()?, r.time()?);
            let outcome = match r.byte()? {
                0 => Outcome::Done,
                1 => Outcome::Refused(Refusal {
                    reason: reason(r)?,
                    field: Cow::Owned(r.text()?.into()),
                    message: Cow::Owned(r.text()?.into()),
                }),
                _ => return damaged("an outcome of no known kind"),
            };
            decided.push_back(Request { id, body_hash, log_time, outcome });
        }
        Ok(Self { decided })
    }
}

fn is_known(request: &Request, log_time: Millis) -> bool {
    log_time.saturating_sub(request.log_time) <= DAY
}

pub(super) fn reason(r: &mut Reader<'_>) -> Result<Reason, StateError> {
    let number = i32::try_from(r.unsigned()?).ok();
    number.and_then(|number| Reason::try_from(number).ok()).map_or_else(|| damaged("an unknown reason"), Ok)
}
