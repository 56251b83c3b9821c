//! Looks after what would go unnoticed: a partition that stands still though the broker has more, one that nobody reads any more, and a topic
//! that was made anew under its old name. It also knocks for the clients that append and ask, lest one loses every broker for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use souk_model::journal::Journal;
use tokio::time::Instant;

use crate::Error;
use crate::desk::Desk;
use crate::layout::Layout;
use crate::limits::{IDLE_AFTER, STILL_LOOKS, WATCH_EVERY};
use crate::orders::{Order, Orders};
use crate::partition::Partitions;
use crate::produce::Producer;

#[derive(Debug)]
pub(crate) struct Watchdog {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(crate) fn start(
        desk: Arc<Desk>,
        layout: Arc<Layout>,
        partitions: Arc<Partitions>,
        orders: Arc<Orders>,
        producers: Vec<Arc<Producer>>,
    ) -> Result<Self, Error> {
        let name = "journal-watch";
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let mut round = Round { desk, layout, partitions, orders, producers, still: BTreeMap::new() };
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let (stop, bell) = &*stopped;
                let mut stop = stop.lock();
                while !*stop {
                    if bell.wait_for(&mut stop, WATCH_EVERY).timed_out() {
                        parking_lot::MutexGuard::unlocked(&mut stop, || round.look());
                    }
                }
            })
            .map_err(|source| Error::Thread { name, source })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's watchdog panicked");
        }
    }
}

struct Round {
    desk: Arc<Desk>,
    layout: Arc<Layout>,
    partitions: Arc<Partitions>,
    orders: Arc<Orders>,
    producers: Vec<Arc<Producer>>,
    /// At how many looks, one after the other, a partition stood still.
    still: BTreeMap<usize, u32>,
}

impl Round {
    fn look(&mut self) {
        self.desk.listen();
        self.producers.iter().for_each(|producer| producer.knock());
        if !self.desk.is_heard() {
            return;
        }
        for journal in [Journal::Users, Journal::Products] {
            if let Err(error) = self.desk.identity(journal, WATCH_EVERY / 2) {
                tracing::warn!(%error, journal = journal.name(), "the broker does not say which topic it is");
            }
        }
        self.leave_idle();
        self.wake_still();
    }

    fn leave_idle(&self) {
        let Some(since) = Instant::now().checked_sub(IDLE_AFTER) else { return };
        for (number, partition) in self.partitions.all() {
            let mut window = partition.window.lock();
            if window.is_idle(since) {
                window.leave();
                self.orders.give(number, Order::Leave);
            }
        }
    }

    fn wake_still(&mut self) {
        let placed = |(number, partition): (usize, &crate::partition::Partition)| {
            partition.window.lock().is_placed().then_some(number)
        };
        let placed: Vec<_> = self.partitions.all().filter_map(placed).collect();
        if placed.is_empty() {
            return;
        }
        let ends = match self.desk.ends_of(&placed) {
            Ok(ends) => ends,
            Err(error) => {
                tracing::warn!(%error, "the broker does not say where partitions end");
                return;
            }
        };
        self.still.retain(|number, _| placed.contains(number));
        for (number, end) in ends {
            let partition = self.partitions.at(number);
            let mut window = partition.window.lock();
            if !window.stands_still(end) {
                self.still.remove(&number);
                continue;
            }
            tracing::warn!(shard = %self.layout.shard(number), end, "stood still although there is more: assigned anew");
            window.fetch_again();
            self.orders.give(number, Order::Place);
            *self.still.entry(number).or_default() += 1;
        }
        // A consumer can have a leader in mind that there never was, and take no other for it: another one asks for itself.
        if self.still.values().any(|looks| *looks >= STILL_LOOKS) {
            tracing::warn!("assigning anew did not help: another consumer fetches");
            self.still.clear();
            self.orders.renew();
        }
    }
}
