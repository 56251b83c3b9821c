//! An append on its way to the writer.

use souk_runtime::ports::{Appended, NewRecord, Refused};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) records: Vec<NewRecord>,
    /// One per record that was looked at, in order. Those of the frame being written are what they become if it is written.
    pub(crate) outcomes: Vec<Appended>,
    answer: oneshot::Sender<Vec<Appended>>,
    /// Its share of the queue, given back with the answer.
    _room: Option<OwnedSemaphorePermit>,
}

impl Request {
    pub(crate) fn new(
        records: Vec<NewRecord>,
        room: Option<OwnedSemaphorePermit>,
    ) -> (Self, oneshot::Receiver<Vec<Appended>>) {
        let (answer, answered) = oneshot::channel();
        let outcomes = Vec::with_capacity(records.len());
        (Self { records, outcomes, answer, _room: room }, answered)
    }

    pub(crate) fn is_placed(&self) -> bool {
        self.outcomes.len() == self.records.len()
    }

    /// The frame with the records from `from` on was not written: neither they nor those after them are in the journal.
    pub(crate) fn refuse(&mut self, from: usize) {
        let taken_back =
            self.outcomes.iter_mut().skip(from).filter(|outcome| matches!(outcome, Appended::At { .. }));
        taken_back.for_each(|outcome| *outcome = Appended::Refused(Refused::Full));
        self.outcomes.resize(self.records.len(), Appended::Refused(Refused::Full));
    }

    /// Nobody knows whether the records from `from` on are in the journal.
    pub(crate) fn give_up(&mut self, from: usize) {
        let unknown =
            self.outcomes.iter_mut().skip(from).filter(|outcome| matches!(outcome, Appended::At { .. }));
        unknown.for_each(|outcome| *outcome = Appended::Unknown);
        self.outcomes.resize(self.records.len(), Appended::Unknown);
    }

    /// Answers without having tried.
    pub(crate) fn turn_away(mut self) {
        self.outcomes.resize(self.records.len(), Appended::Refused(Refused::Unavailable));
        self.answer();
    }

    /// Tells the caller, if it still listens.
    pub(crate) fn answer(self) {
        drop(self.answer.send(self.outcomes));
    }
}
