//! The pace: hands slots to a sink when they are due. Open-loop: a sink that stalls delays what waits and nothing else, the schedule
//! stays where it was, and what has become due meanwhile goes out at once.

use std::time::Duration;

use souk_proto::v1::Event;
use tokio::time::{Instant, sleep, sleep_until};

use super::limits::{BATCH, BATCH_EVERY, OFFER_AGAIN_FIRST, OFFER_AGAIN_LONGEST, WORD_EVERY};
use super::traffic::{Made, What};

/// Takes what was made, in order.
pub(super) trait Sink {
    type Error;

    /// Takes a batch; waits while there is no room for it.
    async fn take(&mut self, batch: Vec<Made>) -> Result<(), Self::Error>;
}

/// When slots are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// When they are due.
    Schedule,
    /// As soon as the sink takes them: their times are not now's.
    Sink,
}

/// How it went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Driven {
    pub(super) made: u64,
    /// The longest a slot waited for the sink after it was due.
    pub(super) behind: Duration,
}

/// Drives until the traffic ends, the sink fails, or `stop` is ready.
pub(super) async fn drive<S: Sink>(
    traffic: impl Iterator<Item = Made>,
    pace: Pace,
    sink: &mut S,
    stop: impl Future<Output = ()>,
) -> (Driven, Result<(), S::Error>) {
    let mut driven = Driven::default();
    tokio::pin!(stop);
    let done = tokio::select! {
        () = &mut stop => Ok(()),
        done = to_the_end(traffic, pace, sink, &mut driven) => done,
    };
    (driven, done)
}

async fn to_the_end<S: Sink>(
    traffic: impl Iterator<Item = Made>,
    pace: Pace,
    sink: &mut S,
    driven: &mut Driven,
) -> Result<(), S::Error> {
    let began = Instant::now();
    let mut earliest = began;
    let mut traffic = traffic.peekable();
    while let Some(first) = traffic.peek() {
        if pace == Pace::Schedule {
            sleep_until((began + first.due).max(earliest)).await;
            earliest = Instant::now() + BATCH_EVERY;
        }
        let now = began.elapsed();
        let is_due = |made: &Made| pace == Pace::Sink || made.due <= now;
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(made) = traffic.next_if(is_due)
        {
            batch.push(made);
        }
        if let (Pace::Schedule, Some(oldest)) = (pace, batch.first()) {
            driven.behind = driven.behind.max(now - oldest.due);
        }
        if batch.len() == BATCH {
            earliest = began; // more may be due already
        }
        let made = batch.len() as u64;
        sink.take(batch).await?;
        driven.made += made;
    }
    Ok(())
}

/// A function that takes events, or says in a word why not. Offered again until it takes them: ids stay the same, so nothing counts
/// twice.
pub(super) struct Insisting<F>(pub(super) F);

impl<F, T> Sink for Insisting<F>
where
    F: Fn(Vec<Event>) -> T,
    T: Future<Output = Result<(), String>>,
{
    type Error = std::convert::Infallible;

    async fn take(&mut self, batch: Vec<Made>) -> Result<(), Self::Error> {
        let events: Vec<Event> = batch
            .into_iter()
            .filter_map(|made| match made.what {
                What::Event(event) => Some(event),
                What::Broken(_) => None, // there are lines only where lines are written
            })
            .collect();
        let mut pause = OFFER_AGAIN_FIRST;
        let mut word_at = Instant::now();
        while let Err(cause) = (self.0)(events.clone()).await {
            if word_at <= Instant::now() {
                tracing::warn!(cause, "the node takes no events of the shoppers; they wait");
                word_at = Instant::now() + WORD_EVERY;
            }
            sleep(pause).await;
            pause = (pause * 2).min(OFFER_AGAIN_LONGEST);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
