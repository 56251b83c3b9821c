//! What the fetching thread is to do: the newest order per partition, and the bell that wakes it.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// There is room again.
    Resume,
    /// Fetch from where the window says.
    Place,
    /// Nobody reads it any more.
    Leave,
}

/// Why a consumer fetches no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Stopped,
    /// Another one is to go on.
    Renewed,
}

#[derive(Debug, Default)]
pub(crate) struct Orders {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// One per partition: a window says itself where it is, so only the newest order counts.
    orders: BTreeMap<usize, Order>,
    /// Another consumer is wanted.
    renew: bool,
    rung: bool,
    stop: bool,
}

impl Orders {
    pub(crate) fn give(&self, number: usize, order: Order) {
        let mut state = self.state.lock();
        let standing = state.orders.entry(number).or_insert(order);
        // Placing lets a partition go on anyway.
        if order != Order::Resume {
            *standing = order;
        }
        state.rung = true;
        self.bell.notify_one();
    }

    /// Have all partitions fetched by another consumer, from where their windows are.
    pub(crate) fn renew(&self) {
        let mut state = self.state.lock();
        (state.renew, state.rung) = (true, true);
        self.bell.notify_one();
    }

    /// Something has arrived.
    pub(crate) fn ring(&self) {
        self.state.lock().rung = true;
        self.bell.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.bell.notify_one();
    }

    pub(crate) fn are_over(&self) -> bool {
        self.state.lock().stop
    }

    /// The orders given since, unless this consumer is to fetch no more.
    pub(crate) fn take(&self) -> Result<BTreeMap<usize, Order>, End> {
        let mut state = self.state.lock();
        if state.stop {
            return Err(End::Stopped);
        }
        if std::mem::take(&mut state.renew) {
            return Err(End::Renewed);
        }
        Ok(std::mem::take(&mut state.orders))
    }

    /// Waits until the bell rings, or has rung since the last wait, or for so long.
    pub(crate) fn wait(&self, most: Duration) {
        let mut state = self.state.lock();
        if !state.rung && !state.stop {
            self.bell.wait_for(&mut state, most);
        }
        state.rung = false;
    }
}
