//! Which partition of the users journal holds an actor. Ours goes by the whole name; a topic that was adopted goes by the key its own
//! producers write, and by the hash they were told.

use std::fmt;
use std::str::FromStr;

use crate::key::{ActorKey, partition_of};

/// How a producer finds the partition of a key, by the names of the hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partitioner {
    /// What Java clients do.
    #[default]
    Murmur2,
    /// What librdkafka does unless it is told otherwise (`consistent`, `consistent_random`).
    Crc32,
    /// What Sarama does.
    Fnv1a,
}

impl Partitioner {
    pub const ALL: [Self; 3] = [Self::Murmur2, Self::Crc32, Self::Fnv1a];

    pub fn name(self) -> &'static str {
        match self {
            Self::Murmur2 => "murmur2",
            Self::Crc32 => "crc32",
            Self::Fnv1a => "fnv1a",
        }
    }

    pub fn partition(self, key: &[u8], partitions: u16) -> u16 {
        match self {
            Self::Murmur2 => partition_of(key, partitions),
            Self::Crc32 => (crc32fast::hash(key) % u32::from(partitions)) as u16,
            Self::Fnv1a => (fnv1a(key) % u32::from(partitions)) as u16,
        }
    }
}

impl fmt::Display for Partitioner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Partitioner {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or("must be murmur2, crc32 or fnv1a")
    }
}

/// FNV-1a of 32 bits, without its sign.
fn fnv1a(key: &[u8]) -> u32 {
    const PRIME: u32 = 0x0100_0193;
    const OFFSET: u32 = 0x811c_9dc5;
    let hash = key.iter().fold(OFFSET, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME));
    hash.cast_signed().unsigned_abs()
}

/// By what the users journal is partitioned. Fixed for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keying {
    /// By murmur2 of `shop/id`.
    #[default]
    Own,
    /// By this hash of what [`foreign_key`] gives.
    Adopted(Partitioner),
}

impl Keying {
    pub fn partition(self, actor: &ActorKey, partitions: u16) -> u16 {
        match self {
            Self::Own => actor.partition(partitions),
            Self::Adopted(partitioner) => partitioner.partition(foreign_key(actor).as_bytes(), partitions),
        }
    }
}

/// The key others write for an actor: the user, else the session, else what the event is about; of no shop.
pub fn foreign_key(actor: &ActorKey) -> &str {
    let id = actor.id();
    id.strip_prefix("guest:").unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of librdkafka's own unit test of its copy of Sarama's hash.
    #[test]
    fn fnv1a_is_saramas() {
        for (key, want) in [
            ("kafka", 0x0d33_c4e1),
            ("giberish123456789", 0x77a5_8295),
            ("1234", 0x023b_dd03),
            ("", 0x7ee3_623b),
        ] {
            assert_eq!(fnv1a(key.as_bytes()), want, "{key}");
        }
    }

    #[test]
    fn an_adopted_topic_goes_by_what_others_write() {
        let keying = Keying::Adopted(Partitioner::Crc32);
        // The check value of CRC-32.
        assert_eq!(
            keying.partition(&ActorKey::new("main", "123456789"), 1_024),
            (0xcbf4_3926_u32 % 1_024) as u16
        );
        let guest = ActorKey::guest("main", "s-1");
        assert_eq!(foreign_key(&guest), "s-1");
        assert_eq!(Keying::Own.partition(&guest, 8), guest.partition(8));
        for partitioner in Partitioner::ALL {
            assert_eq!(partitioner.name().parse(), Ok(partitioner));
            assert!((0..100).all(|n| partitioner.partition(format!("u-{n}").as_bytes(), 7) < 7));
        }
    }
}
