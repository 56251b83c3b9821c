//! The partitions of both journals as one row of numbers: users first, then products. Frames name partitions by these.

use souk_model::journal::{Journal, Partitions, ShardId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout(pub(crate) Partitions);

impl Layout {
    pub(crate) fn len(self) -> usize {
        usize::from(self.0.users) + usize::from(self.0.products)
    }

    pub(crate) fn partitions_of(self, journal: Journal) -> u16 {
        match journal {
            Journal::Users => self.0.users,
            Journal::Products => self.0.products,
        }
    }

    /// The number of a shard; none that the journal does not have.
    pub(crate) fn number(self, shard: ShardId) -> Option<usize> {
        let before = match shard.journal {
            Journal::Users => 0,
            Journal::Products => usize::from(self.0.users),
        };
        (shard.partition < self.partitions_of(shard.journal)).then_some(before + usize::from(shard.partition))
    }
}
