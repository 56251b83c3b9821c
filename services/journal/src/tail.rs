//! The newest entries of one partition, in memory: shared with whoever reads them, never copied.

use std::collections::VecDeque;

use bytes::Bytes;
use souk_model::journal::Entry;
use souk_model::time::Millis;

use crate::frame;

/// The records of a partition that one frame brought.
#[derive(Debug, Clone)]
pub(crate) struct TailGroup {
    pub(crate) first: u64,
    pub(crate) append_time: Millis,
    /// As they stand in the frame.
    pub(crate) bytes: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Tail {
    groups: VecDeque<TailGroup>,
}

impl Tail {
    pub(crate) fn push(&mut self, group: TailGroup) {
        self.groups.push_back(group);
    }

    /// Forgets the oldest group.
    pub(crate) fn pop(&mut self) {
        self.groups.pop_front();
    }

    /// Groups from the one with this offset on, enough for so many bytes; none where it is older than the tail.
    pub(crate) fn from(&self, offset: u64, most_bytes: usize) -> Option<Vec<TailGroup>> {
        let at = self.groups.partition_point(|group| group.first <= offset).checked_sub(1)?;
        let mut bytes = 0;
        let mut found = Vec::new();
        for group in self.groups.range(at..) {
            found.push(group.clone());
            // The first may hold few entries from the offset on: it does not count.
            bytes += if found.len() > 1 { group.bytes.len() } else { 0 };
            if bytes >= most_bytes {
                break;
            }
        }
        Some(found)
    }
}

/// Entries of groups, from this offset on, up to so many bytes. What is in memory has no flaws.
pub(crate) fn entries(groups: &[TailGroup], from: u64, most_bytes: usize) -> Vec<Entry> {
    let mut room = most_bytes;
    let mut found = Vec::new();
    for group in groups {
        let more = frame::entries(&group.bytes, group.first, group.append_time, from, &mut room, &mut found);
        if more != Ok(true) {
            break;
        }
    }
    found
}
