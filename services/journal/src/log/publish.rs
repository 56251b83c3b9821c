//! Shows a durable frame to readers, and keeps the memory of the newest entries in bounds.

use std::collections::VecDeque;

use super::Log;
use crate::build::Built;
use crate::limits::TAIL_GROUP_BYTES;
use crate::tail::TailGroup;

/// Which partition's oldest group goes next, over all partitions: the order in which they came.
#[derive(Debug)]
pub(super) struct TailOrder {
    groups: VecDeque<(u32, u32)>,
    bytes: usize,
    most_bytes: usize,
}

impl TailOrder {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { groups: VecDeque::new(), bytes: 0, most_bytes }
    }

    fn push(&mut self, partition: usize, bytes: usize) {
        let bytes = bytes + TAIL_GROUP_BYTES;
        self.bytes += bytes;
        self.groups.push_back((partition as u32, bytes as u32));
    }

    /// The partition whose oldest group must go.
    fn pop(&mut self) -> Option<usize> {
        if self.bytes <= self.most_bytes {
            return None;
        }
        let (partition, bytes) = self.groups.pop_front()?;
        self.bytes -= bytes as usize;
        Some(partition as usize)
    }
}

impl Log {
    pub(super) fn publish(&mut self, built: Built) {
        let segment = &self.active;
        segment.index.write().add(built.len as u64, self.append_time, &self.ends, &segment.header.ends);
        for (group, bytes) in built.groups {
            let end = group.first + u64::from(group.records) - 1;
            self.ends[group.partition] = end;
            self.tails.push(group.partition, bytes.len());
            let group_of_tail = TailGroup { first: group.first, append_time: self.append_time, bytes };
            let partition = &self.visible.partitions[group.partition];
            partition.tail.lock().push(group_of_tail);
            partition.end.send_replace(end);
        }
        while let Some(partition) = self.tails.pop() {
            self.visible.partitions[partition].tail.lock().pop();
        }
    }
}
