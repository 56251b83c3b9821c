//! An append on its way to the writer.

use souk_runtime::ports::{Appended, Line, NewRecord, Refused};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) records: Vec<NewRecord>,
    /// One per record that was looked at, in order. Those of the frame being written are what they become if it is written.
    pub(crate) outcomes: Vec<Appended>,
    answer: oneshot::Sender<Vec<Appended>>,
    line: Option<Line>,
    /// Its share of the queue, given back with the answer.
    _room: Option<OwnedSemaphorePermit>,
}

impl Request {
    pub(crate) fn new(
        records: Vec<NewRecord>,
        line: Option<Line>,
        room: Option<OwnedSemaphorePermit>,
    ) -> (Self, oneshot::Receiver<Vec<Appended>>) {
        let (answer, answered) = oneshot::channel();
        let outcomes = Vec::with_capacity(records.len());
        (Self { records, outcomes, answer, line, _room: room }, answered)
    }

    pub(crate) fn is_placed(&self) -> bool {
        self.outcomes.len() == self.records.len()
    }

    /// Nothing of it was placed yet, and one before it in its line was not taken: neither is this one.
    pub(crate) fn fall_in(&mut self) {
        if self.outcomes.is_empty() && self.line.as_ref().is_some_and(Line::has_ended) {
            self.outcomes.resize(self.records.len(), Appended::Refused(Refused::Unavailable));
        }
    }

    pub(crate) fn end_line(&self) {
        if let Some(line) = &self.line {
            line.end();
        }
    }

    /// The frame with the records from `from` on was not written: neither they nor those after them are in the journal.
    pub(crate) fn refuse(&mut self, from: usize) {
        self.end_line();
        let taken_back =
            self.outcomes.iter_mut().skip(from).filter(|outcome| matches!(outcome, Appended::At { .. }));
        taken_back.for_each(|outcome| *outcome = Appended::Refused(Refused::Full));
        self.outcomes.resize(self.records.len(), Appended::Refused(Refused::Full));
    }

    /// Nobody knows whether the records from `from` on are in the journal.
    pub(crate) fn give_up(&mut self, from: usize) {
        self.end_line();
        let unknown =
            self.outcomes.iter_mut().skip(from).filter(|outcome| matches!(outcome, Appended::At { .. }));
        unknown.for_each(|outcome| *outcome = Appended::Unknown);
        self.outcomes.resize(self.records.len(), Appended::Unknown);
    }

    /// Answers without having tried.
    pub(crate) fn turn_away(mut self) {
        self.end_line();
        self.outcomes.resize(self.records.len(), Appended::Refused(Refused::Unavailable));
        self.answer();
    }

    /// Tells the caller, if it still listens.
    pub(crate) fn answer(self) {
        drop(self.answer.send(self.outcomes));
    }
}
