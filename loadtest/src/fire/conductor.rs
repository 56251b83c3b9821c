//! Hands out traffic in slices of event time, to lanes that each keep their people's order. A slice begins only when those long
//! before it have been acknowledged, so that lanes cannot drift apart in event time however often the server dies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::limits;
use crate::measure::clock::{self, Millis};
use crate::oracle::Oracle;
use crate::traffic::{Meant, Sent, Shop};

/// Slices that may be under way at once.
const OPEN: u64 = 4;
/// Events of one batch: small, so that a crash tears many of them.
const BATCH: usize = 100;
/// Shortest time between two slices.
pub const PACE: Duration = Duration::from_millis(100);
/// A slice's batches are on their way for about this long.
pub const UNDER_WAY: Duration = Duration::from_millis(15);
/// Share of a slice that happens right now, beside what happened hours ago.
const LIVE: usize = 10;
/// The first slices hold nothing that is long past: a shard without a record knows no late yet. The last of them begins when
/// the first two have been acknowledged.
const FIRST: u64 = OPEN + 2;

/// A batch on its way, and how often it has been sent.
#[derive(Debug)]
pub struct Batch {
    pub slice: u64,
    pub events: Vec<Sent>,
}

#[derive(Debug)]
pub struct Conductor {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug)]
struct State {
    shop: Shop,
    oracle: Oracle,
    lanes: Vec<VecDeque<Batch>>,
    /// Batches not acknowledged, by slice.
    open: BTreeMap<u64, usize>,
    slices: u64,
    at: Millis,
    over: bool,
    acknowledged: u64,
    /// The newest events that were acknowledged and count.
    ledger: VecDeque<Sent>,
}

/// How event time passes.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    pub start: Millis,
    /// Event time of one slice.
    pub step: Millis,
    pub events: usize,
}

impl Conductor {
    pub fn new(shop: Shop, lanes: usize, course: Course) -> Self {
        let state = State {
            shop,
            oracle: Oracle::default(),
            lanes: (0..lanes).map(|_| VecDeque::new()).collect(),
            open: BTreeMap::new(),
            slices: 0,
            at: course.start,
            over: false,
            acknowledged: 0,
            ledger: VecDeque::new(),
        };
        Self { state: Mutex::new(state), news: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch of a lane; none when there will be no more.
    pub async fn take(&self, lane: usize) -> Option<Batch> {
        loop {
            let news = self.news.notified();
            {
                let mut state = self.state();
                if let Some(batch) = state.lanes[lane].pop_front() {
                    return Some(batch);
                }
                if state.over {
                    return None;
                }
            }
            news.await;
        }
    }

    /// A batch was acknowledged.
    pub fn done(&self, batch: Batch) {
        let mut state = self.state();
        state.acknowledged += batch.events.len() as u64;
        if let Some(left) = state.open.get_mut(&batch.slice) {
            *left -= 1;
            if *left == 0 {
                state.open.remove(&batch.slice);
            }
        }
        for sent in batch.events {
            if sent.meant == Meant::Counted {
                if state.ledger.len() == limits::LEDGER {
                    state.ledger.pop_front();
                }
                state.ledger.push_back(sent);
            }
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Begins another slice, when it may begin, and waits until the next is due.
    pub async fn slice(&self, course: Course) -> Result<()> {
        let begun = Instant::now();
        self.begin(course).await?;
        tokio::time::sleep_until(begun + PACE).await;
        Ok(())
    }

    /// Waits until another slice may begin, and begins it: its batches are on their way when this answers.
    pub async fn begin(&self, course: Course) -> Result<()> {
        self.wait(|state| state.open.keys().next().is_none_or(|oldest| oldest + OPEN > state.slices)).await?;
        self.state().make(course);
        self.news.notify_waiters();
        Ok(())
    }

    /// Finishes every visit, and waits until all was acknowledged. The next slice begins new ones.
    pub async fn pause(&self, course: Course) -> Result<()> {
        self.state().shop.close();
        while !self.state().shop.is_empty() {
            self.slice(course).await?;
        }
        self.wait(|state| state.open.is_empty()).await?;
        self.state().shop.open();
        Ok(())
    }

    /// Finishes every visit; there will be no more.
    pub async fn finish(&self, course: Course) -> Result<()> {
        self.pause(course).await?;
        self.state().over = true;
        self.news.notify_waiters();
        Ok(())
    }

    /// What was sent until now, recounted; and when the last of it happened.
    pub fn so_far(&self) -> (Oracle, Millis) {
        let state = self.state();
        (state.oracle.clone(), state.at)
    }

    /// Counts what others sent beside the lanes: of people none of them knows.
    pub fn count(&self, others: &[Sent]) {
        let mut state = self.state();
        others.iter().for_each(|sent| state.oracle.take(sent));
    }

    /// Events acknowledged since this was asked last, the newest of them.
    pub fn ledger(&self) -> Vec<Sent> {
        std::mem::take(&mut self.state().ledger).into()
    }

    async fn wait(&self, until: impl Fn(&State) -> bool) -> Result<()> {
        let deadline = Instant::now() + limits::PATIENCE;
        loop {
            let news = self.news.notified();
            if until(&self.state()) {
                return Ok(());
            }
            if timeout(deadline.saturating_duration_since(Instant::now()), news).await.is_err() {
                bail!(
                    "nothing was acknowledged for {:?}; slices open: {:?}",
                    limits::PATIENCE,
                    self.state().open
                );
            }
        }
    }

    /// Events acknowledged so far, repeats by plan among them.
    pub fn acknowledged(&self) -> u64 {
        self.state().acknowledged
    }

    /// What was sent, recounted; and when the last of it happened.
    pub fn into_oracle(self) -> (Oracle, Millis) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (state.oracle, state.at)
    }
}

impl State {
    fn make(&mut self, course: Course) {
        let slice = self.slices;
        self.slices += 1;
        let lanes = self.lanes.len();
        let mut made: Vec<Vec<Sent>> = (0..lanes).map(|_| Vec::new()).collect();
        for n in 0..course.events {
            if self.shop.is_empty() && slice > 0 && self.shop.is_closing() {
                break;
            }
            self.at += (course.step / course.events as Millis).max(1);
            let sent = if slice < FIRST || n % LIVE == 0 && !self.shop.is_closing() {
                self.shop.live_view(clock::now())
            } else {
                self.shop.next(self.at)
            };
            self.oracle.take(&sent);
            made[lane_of(&sent.actor(), lanes)].push(sent);
        }
        let mut batches = 0;
        for (lane, mut events) in made.into_iter().enumerate() {
            while !events.is_empty() {
                let rest = events.split_off(events.len().min(BATCH));
                self.lanes[lane].push_back(Batch { slice, events });
                events = rest;
                batches += 1;
            }
        }
        if batches > 0 {
            self.open.insert(slice, batches);
        }
    }
}

/// The same person always has the same lane.
fn lane_of(actor: &str, lanes: usize) -> usize {
    let hash = actor.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % lanes as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{SETTLED_BETWEEN, Scenario};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_persons_events_stay_in_order_and_slices_together() {
        let shop = Shop::new(Scenario::load(None).expect("reads"), 3, "x", SETTLED_BETWEEN);
        let course = Course { start: clock::now() - 3 * clock::HOUR, step: 30_000, events: 400 };
        let conductor = Arc::new(Conductor::new(shop, 3, course));
        let lanes: Vec<_> = (0..3)
            .map(|lane| {
                let conductor = Arc::clone(&conductor);
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while let Some(batch) = conductor.take(lane).await {
                        assert!(
                            batch.slice < conductor.state().open.keys().next().map_or(u64::MAX, |o| o + OPEN)
                        );
                        taken.extend(batch.events.clone());
                        conductor.done(batch);
                    }
                    taken
                })
            })
            .collect();
        for _ in 0..8 {
            conductor.slice(course).await.expect("acknowledged");
        }
        conductor.finish(course).await.expect("acknowledged");
        let mut last: BTreeMap<String, Millis> = BTreeMap::new();
        let mut events = 0;
        for lane in lanes {
            for sent in lane.await.expect("a lane") {
                events += 1;
                let in_order = sent.meant == Meant::Counted && sent.event.session_id.contains("-s-");
                if let (true, Some(at)) = (in_order, sent.event.event_time) {
                    let at = clock::millis(&at);
                    assert!(last.insert(sent.actor(), at).is_none_or(|before| before < at));
                }
            }
        }
        assert_eq!(conductor.acknowledged(), events);
        assert!(last.len() > 100, "people came");
    }
}
