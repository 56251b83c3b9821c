//! One append on its way: a place per record, filled as the broker answers, told when the last is.

use std::sync::Arc;

use parking_lot::Mutex;
use souk_runtime::ports::{Appended, Line, Refused};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

#[derive(Debug)]
pub(crate) struct Pending(Mutex<State>);

#[derive(Debug)]
struct State {
    outcomes: Vec<Appended>,
    /// Places still to be filled.
    open: usize,
    answer: Option<oneshot::Sender<Vec<Appended>>>,
    line: Option<Line>,
    /// Its share of the queue, given back with the answer.
    room: Option<OwnedSemaphorePermit>,
}

impl Pending {
    pub(crate) fn new(
        count: usize,
        line: Option<Line>,
        room: OwnedSemaphorePermit,
    ) -> (Arc<Self>, oneshot::Receiver<Vec<Appended>>) {
        let (answer, answered) = oneshot::channel();
        let state = State {
            outcomes: vec![Appended::Unknown; count],
            open: count,
            answer: Some(answer),
            line,
            room: Some(room),
        };
        (Arc::new(Self(Mutex::new(state))), answered)
    }

    pub(crate) fn place(self: &Arc<Self>, index: usize) -> Place {
        Place { pending: Arc::clone(self), index }
    }
}

/// The place of one record. Filled once, for filling takes it.
#[derive(Debug)]
pub(crate) struct Place {
    pending: Arc<Pending>,
    index: usize,
}

impl Place {
    pub(crate) fn fill(self, outcome: Appended) {
        let mut state = self.pending.0.lock();
        // What is too large will be so when it is sent again: nothing waits for it.
        if matches!(outcome, Appended::Unknown | Appended::Refused(Refused::Unavailable | Refused::Full)) {
            state.line.iter().for_each(Line::end);
        }
        state.outcomes[self.index] = outcome;
        state.open -= 1;
        if state.open == 0 {
            let outcomes = std::mem::take(&mut state.outcomes);
            drop(state.room.take());
            if let Some(answer) = state.answer.take() {
                // The caller may have gone; what it appended stays.
                drop(answer.send(outcomes));
            }
        }
    }
}
