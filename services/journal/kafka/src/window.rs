//! The stretch of a partition that is in memory: what was fetched and not read yet, and a little of what was.
//!
//! A read from within it is answered from it; a read from elsewhere moves it. It is filled by the fetching thread, which pauses the partition
//! while too much waits unread: that is the credit a partition has.

use std::collections::VecDeque;

use souk_model::journal::Entry;
use tokio::time::Instant;

use crate::limits::{ENTRY_BYTES, KEPT_BYTES, NEAR_ENTRIES, WINDOW_BYTES, WINDOWS_BYTES};

#[derive(Debug)]
pub(crate) struct Window {
    place: Place,
    /// In order of their offsets, from `first` on, all below `next`.
    entries: VecDeque<Entry>,
    first: u64,
    /// The offset fetched next.
    next: u64,
    /// The furthest offset a reader has come to.
    asked: u64,
    /// So many of the entries lie before that.
    read: usize,
    read_bytes: usize,
    unread_bytes: usize,
    /// Unread bytes above which the partition is paused, as the fetching thread said last.
    share: usize,
    paused: bool,
    /// A gap that a fetch has shown before this offset. Believed when the next fetch shows it too.
    gap_before: Option<u64>,
    trouble: Option<Trouble>,
    last_read: Instant,
    /// `next` when the watchdog last looked.
    looked_at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    /// The fetching thread has been told to go to `next`. What still comes is from elsewhere.
    Ordered,
    Here,
}

/// Why a partition cannot be fetched from where it was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Retention has taken the offset, or the partition ends before it.
    OutOfRange,
    Broker,
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Entries, and whether the paused partition may go on.
    Found(Vec<Entry>, bool),
    /// Not there yet, but next to come.
    Coming,
    /// The window is elsewhere.
    Elsewhere,
    Trouble(Trouble),
}

/// What became of fetched entries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// They came from where the window no longer is.
    Nothing,
    /// They are in, and readers may look.
    In,
    /// They are in, and that is enough for now.
    InAndFull,
    /// Something is missing before them: fetch from the same place again.
    Gap,
}

/// Unread bytes each of so many partitions may have.
pub(crate) fn share(partitions: usize) -> usize {
    (WINDOWS_BYTES / partitions.max(1)).clamp(*WINDOW_BYTES.start(), *WINDOW_BYTES.end())
}

fn size(entry: &Entry) -> usize {
    entry.bytes.len() + ENTRY_BYTES
}

impl Window {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            place: Place::Nowhere,
            entries: VecDeque::new(),
            first: 0,
            next: 0,
            asked: 0,
            read: 0,
            read_bytes: 0,
            unread_bytes: 0,
            share: 0,
            paused: false,
            gap_before: None,
            trouble: None,
            last_read: now,
            looked_at: 0,
        }
    }

    /// The entries from this offset on: one at least, then up to so many bytes.
    pub(crate) fn look(&mut self, from: u64, most_bytes: usize, now: Instant) -> Look {
        self.last_read = now;
        if let Some(trouble) = self.trouble.take() {
            self.leave();
            return Look::Trouble(trouble);
        }
        if self.place == Place::Nowhere || from < self.first {
            return Look::Elsewhere;
        }
        if from > self.next {
            // A little ahead is sooner reached than a new place, unless it stands still.
            let near = from - self.next <= NEAR_ENTRIES && !self.paused;
            return if near { Look::Coming } else { Look::Elsewhere };
        }
        self.pass(from);
        let start = self.entries.partition_point(|entry| entry.offset < from);
        let mut bytes = 0;
        let fits = |(n, entry): &(usize, &Entry)| {
            bytes += entry.bytes.len();
            *n == 0 || bytes <= most_bytes
        };
        let found: Vec<_> = self
            .entries
            .range(start..)
            .enumerate()
            .take_while(fits)
            .map(|(_, entry)| entry.clone())
            .collect();
        let resume = self.paused && self.unread_bytes < self.share / 2;
        self.paused &= !resume;
        if found.is_empty() && !resume { Look::Coming } else { Look::Found(found, resume) }
    }

    /// A reader has come to this offset: what lies before it has been read, and only a little of that is kept.
    fn pass(&mut self, offset: u64) {
        self.asked = self.asked.max(offset);
        while let Some(entry) = self.entries.get(self.read).filter(|entry| entry.offset < self.asked) {
            self.read_bytes += size(entry);
            self.unread_bytes -= size(entry);
            self.read += 1;
        }
        while self.read_bytes > KEPT_BYTES {
            let Some(gone) = self.entries.pop_front() else { break };
            self.read_bytes -= size(&gone);
            self.read -= 1;
            self.first = gone.offset + 1;
        }
    }

    fn empty_at(&mut self, offset: u64) {
        self.entries.clear();
        (self.first, self.next, self.asked) = (offset, offset, offset);
        (self.read, self.read_bytes, self.unread_bytes) = (0, 0, 0);
        self.paused = false;
        self.trouble = None;
        self.looked_at = 0;
    }

    /// Gives up what it holds. The fetching thread is to be told.
    pub(crate) fn move_to(&mut self, offset: u64) {
        self.empty_at(offset);
        self.gap_before = None;
        self.place = Place::Ordered;
    }

    /// Holds nothing and is nowhere.
    pub(crate) fn leave(&mut self) {
        self.empty_at(0);
        self.place = Place::Nowhere;
    }

    /// The same place once more. The fetching thread is to be told.
    pub(crate) fn fetch_again(&mut self) {
        if self.place != Place::Nowhere {
            self.place = Place::Ordered;
            self.paused = false;
        }
    }

    /// The fetching thread goes there now: what comes from here on is what was asked for. The offset; none if nobody wants it any more.
    pub(crate) fn arrive(&mut self) -> Option<u64> {
        if self.place == Place::Nowhere {
            return None;
        }
        self.place = Place::Here;
        Some(self.next)
    }

    /// Takes what was fetched. The partition may have so many unread bytes for now.
    pub(crate) fn take(&mut self, fetched: Vec<Entry>, share: usize) -> Taken {
        self.share = share;
        if self.place != Place::Here {
            return Taken::Nothing;
        }
        let next = self.next;
        let mut fetched = fetched.into_iter().skip_while(|entry| entry.offset < next).peekable();
        let Some(first) = fetched.peek().map(|entry| entry.offset) else { return Taken::Nothing };
        if first > next && self.gap_before != Some(first) {
            self.gap_before = Some(first);
            self.place = Place::Ordered;
            return Taken::Gap;
        }
        for entry in fetched {
            self.next = entry.offset + 1;
            self.unread_bytes += size(&entry);
            self.entries.push_back(entry);
        }
        if self.unread_bytes > share && !self.paused {
            self.paused = true;
            return Taken::InAndFull;
        }
        Taken::In
    }

    pub(crate) fn fail(&mut self, trouble: Trouble) {
        if self.place == Place::Here {
            self.trouble = Some(trouble);
        }
    }

    /// Whether nobody has read it for a while, though it is somewhere.
    pub(crate) fn is_idle(&self, since: Instant) -> bool {
        self.place != Place::Nowhere && self.last_read < since
    }

    /// Whether it stood still since the last look, although the partition goes on to `end` and there is room.
    pub(crate) fn stands_still(&mut self, end: u64) -> bool {
        let still =
            self.place != Place::Nowhere && !self.paused && self.next <= end && self.next == self.looked_at;
        self.looked_at = self.next;
        still
    }

    pub(crate) fn is_placed(&self) -> bool {
        self.place != Place::Nowhere
    }

    #[cfg(test)]
    pub(crate) fn unread_bytes(&self) -> usize {
        self.unread_bytes
    }
}
