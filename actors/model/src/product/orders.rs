//! What a product owes to orders: holds, which only their order ends, and marks, the terminal answers it must repeat.
//!
//! A mark outlives the last moment a Reserve of its order could still be granted, so nothing that was answered for good is
//! ever answered anew. Every hold keeps the room of the mark it will become: settling an order never fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::limits::{HOLDS, MARKS, MARKS_PRUNED_PER_STEP};
use crate::time::{HOUR, MINUTE, Millis};
use crate::verdict::Reason;

/// A Reserve of an order created longer ago than this is refused.
pub(super) const RESERVE_WITHIN: Millis = HOUR;
/// A mark is kept while its order was created at most this long ago.
pub(super) const MARK_FOR: Millis = HOUR + 5 * MINUTE;

/// Pieces granted to an order that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    pub quantity: i64,
    /// When the order was created, in log time of its user's shard.
    pub created: Millis,
    pub claim: Claim,
    /// The sale they were granted in.
    pub sale: Option<u64>,
}

/// What a grant claimed, by the mode of its moment: a mode changed later changes nothing for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Claim {
    /// Nothing, and its sale moves nothing.
    Nothing = 0,
    /// Nothing yet; its sale is counted.
    Count = 1,
    /// The pieces are reserved.
    Pieces = 2,
}

/// The last word to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub created: Millis,
    pub kind: MarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    Committed,
    Released,
    /// Its Reserve was refused, when so many pieces were available.
    Refused {
        reason: Reason,
        available: i64,
    },
}

/// Holds and marks by `user/order`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Orders {
    holds: BTreeMap<Arc<str>, Hold>,
    marks: BTreeMap<Arc<str>, Mark>,
    /// The marks again, by when their orders were created: the next to forget first.
    by_age: BTreeSet<(Millis, Arc<str>)>,
    /// Pieces of all holds that claim pieces.
    held: i64,
}

/// Ids hold no `/`, so the text is unambiguous.
pub(super) fn order_key(user: &str, order: &str) -> Arc<str> {
    [user, "/", order].concat().into()
}

impl Orders {
    pub(super) fn held(&self) -> i64 {
        self.held
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds.is_empty() && self.marks.is_empty()
    }

    pub(super) fn holds(&self) -> &BTreeMap<Arc<str>, Hold> {
        &self.holds
    }

    pub(super) fn marks(&self) -> &BTreeMap<Arc<str>, Mark> {
        &self.marks
    }

    pub(super) fn has_hold(&self, key: &str) -> bool {
        self.holds.contains_key(key)
    }

    /// The mark of an order, unless it is older than `keep`.
    pub(super) fn mark(&self, key: &str, log_time: Millis, keep: Millis) -> Option<MarkKind> {
        let mark = self.marks.get(key)?;
        (log_time.saturating_sub(mark.created) <= keep).then_some(mark.kind)
    }

    pub(super) fn room_for_hold(&self) -> bool {
        self.holds.len() < HOLDS && self.room_for_mark()
    }

    /// Room for the mark of an order that has no hold.
    pub(super) fn room_for_mark(&self) -> bool {
        self.holds.len() + self.marks.len() < MARKS
    }

    pub(super) fn put_hold(&mut self, key: Arc<str>, hold: Hold) {
        self.held += hold.pieces();
        self.holds.insert(key, hold);
    }

    pub(super) fn take_hold(&mut self, key: &str) -> Option<Hold> {
        let hold = self.holds.remove(key)?;
        self.held -= hold.pieces();
        Some(hold)
    }

    pub(super) fn put_mark(&mut self, key: Arc<str>, mark: Mark) {
        if let Some(old) = self.marks.insert(Arc::clone(&key), mark) {
            self.by_age.remove(&(old.created, Arc::clone(&key)));
        }
        self.by_age.insert((mark.created, key));
    }

    /// Forgets marks older than `keep`, a few at a time: those left over are not seen by [`Orders::mark`] either.
    pub(super) fn prune(&mut self, log_time: Millis, keep: Millis) {
        for _ in 0..MARKS_PRUNED_PER_STEP {
            match self.by_age.first() {
                Some((created, _)) if log_time.saturating_sub(*created) > keep => {}
                _ => return,
            }
            if let Some((_, key)) = self.by_age.pop_first() {
                self.marks.remove(&key);
            }
        }
    }

    /// When even the newest mark is to be forgotten.
    pub(super) fn forgotten_at(&self) -> Option<Millis> {
        self.by_age.last().map(|(created, _)| created.saturating_add(MARK_FOR + 1))
    }

    /// The first hold of an order created longer ago than `age`.
    pub(super) fn older_than(&self, log_time: Millis, age: Millis) -> Option<Arc<str>> {
        let mut holds = self.holds.iter();
        holds.find(|(_, hold)| log_time.saturating_sub(hold.created) > age).map(|(key, _)| Arc::clone(key))
    }
}

impl Hold {
    /// Pieces it keeps from others.
    pub(super) fn pieces(&self) -> i64 {
        if self.claim == Claim::Pieces { self.quantity } else { 0 }
    }
}
