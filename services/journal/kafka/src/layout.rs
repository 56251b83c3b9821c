//! Which shard is which partition of which topic, and its place among all of them.

use souk_model::journal::{Journal, Partitions, ShardId};

use crate::options::Topics;

/// Shards numbered through: users first, then products.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) partitions: Partitions,
    topics: Topics,
}

impl Layout {
    pub(crate) fn new(topics: Topics, partitions: Partitions) -> Self {
        Self { partitions, topics }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.partitions.users) + usize::from(self.partitions.products)
    }

    pub(crate) fn topic(&self, journal: Journal) -> &str {
        match journal {
            Journal::Users => &self.topics.users,
            Journal::Products => &self.topics.products,
        }
    }

    pub(crate) fn partitions_of(&self, journal: Journal) -> u16 {
        match journal {
            Journal::Users => self.partitions.users,
            Journal::Products => self.partitions.products,
        }
    }

    pub(crate) fn number(&self, shard: ShardId) -> Option<usize> {
        let partition = usize::from(shard.partition);
        (shard.partition < self.partitions_of(shard.journal)).then(|| match shard.journal {
            Journal::Users => partition,
            Journal::Products => usize::from(self.partitions.users) + partition,
        })
    }

    pub(crate) fn shard(&self, number: usize) -> ShardId {
        let users = usize::from(self.partitions.users);
        match number.checked_sub(users) {
            None => ShardId::users(number as u16),
            Some(partition) => ShardId::products(partition as u16),
        }
    }

    /// The place of a partition as the client library names it.
    pub(crate) fn number_of(&self, topic: &[u8], partition: i32) -> Option<usize> {
        let partition = u16::try_from(partition).ok()?;
        if topic == self.topics.users.as_bytes() {
            self.number(ShardId::users(partition))
        } else if topic == self.topics.products.as_bytes() {
            self.number(ShardId::products(partition))
        } else {
            None
        }
    }
}
