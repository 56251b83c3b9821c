//! What a member of the group is told.

use souk_model::journal::{Partitions, ShardId};

use crate::limits::PARTITIONS;
use crate::{Brokers, Error};

#[derive(Debug, Clone)]
pub struct PlacementOptions {
    pub brokers: Brokers,
    /// The topic whose partitions stand for shards: those of users, then those of products.
    pub members_topic: String,
    /// The group the nodes are members of.
    pub group: String,
    pub partitions: Partitions,
}

impl PlacementOptions {
    pub(super) fn check(&self) -> Result<(), Error> {
        self.brokers.check()?;
        for (option, value) in [("members_topic", &self.members_topic), ("group", &self.group)] {
            if value.is_empty() {
                return Err(Error::option(option, "must not be empty"));
            }
        }
        let counts = 1..=PARTITIONS;
        if !counts.contains(&self.partitions.users) || !counts.contains(&self.partitions.products) {
            return Err(Error::option("partitions", format!("must be 1 to {PARTITIONS} each")));
        }
        Ok(())
    }

    /// Partitions of the topic.
    pub(super) fn count(&self) -> usize {
        usize::from(self.partitions.users) + usize::from(self.partitions.products)
    }
}

/// The shard a partition of the topic stands for.
pub(super) fn shard_of(partitions: Partitions, partition: i32) -> Option<ShardId> {
    let number = u16::try_from(partition).ok()?;
    match number.checked_sub(partitions.users) {
        None => Some(ShardId::users(number)),
        Some(product) => (product < partitions.products).then(|| ShardId::products(product)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_stand_for_shards_in_their_order() {
        let partitions = Partitions { users: 3, products: 2 };
        let shards: Vec<_> = (0..5).filter_map(|partition| shard_of(partitions, partition)).collect();
        assert_eq!(shards, partitions.shards().collect::<Vec<_>>());
        assert_eq!((shard_of(partitions, 5), shard_of(partitions, -1)), (None, None));
    }

    #[test]
    fn what_is_wrong_in_itself_is_found_without_a_broker() {
        let right = PlacementOptions {
            brokers: Brokers::new(vec!["localhost:9092".to_owned()]),
            members_topic: "souk-members".to_owned(),
            group: "souk".to_owned(),
            partitions: Partitions { users: 3, products: 2 },
        };
        assert!(right.check().is_ok());
        let partitions = Partitions { users: 0, products: 2 };
        assert!(PlacementOptions { partitions, ..right.clone() }.check().is_err());
        assert!(PlacementOptions { brokers: Brokers::new(Vec::new()), ..right.clone() }.check().is_err());
        assert!(PlacementOptions { group: String::new(), ..right.clone() }.check().is_err());
        let mut own = right;
        own.brokers.properties.insert("session.timeout.ms".to_owned(), "1".to_owned());
        assert!(own.check().is_err(), "what the promises hang on is not for callers");
    }
}
