//! Which shard is which partition of which topic, and its place among all of them.

use souk_model::journal::{Form, Journal, Partitions, ShardId};

use crate::options::{Options, Topics};

/// Shards numbered through: users first, then products.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) partitions: Partitions,
    topics: Topics,
    /// Of an adopted users topic: how each partition's messages are read.
    foreign: Vec<Form>,
}

impl Layout {
    pub(crate) fn new(options: &Options) -> Self {
        let (topics, partitions) = (options.topics.clone(), options.partitions);
        let foreign = options.adopted.as_ref().map(|adopted| adopted.forms(&topics.users, partitions.users));
        Self { partitions, topics, foreign: foreign.unwrap_or_default() }
    }

    /// How messages of a partition are read that are not marked as ours; none where all are.
    pub(crate) fn foreign(&self, number: usize) -> Option<&Form> {
        self.foreign.get(number)
    }

    /// Whether what we write there must be marked.
    pub(crate) fn is_shared(&self, journal: Journal) -> bool {
        journal == Journal::Users && !self.foreign.is_empty()
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
