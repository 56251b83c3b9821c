//! Which partition an actor belongs to (section 1): murmur2 of `shop/id`, as Kafka's clients have it.

use super::input::{Input, ShardName};

/// One shard among the partitions of its journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    here: ShardName,
    partitions: u32,
}

impl Home {
    pub(super) fn of(here: ShardName, input: &Input) -> Self {
        let same = input.partitions.iter().filter(|partition| partition.shard.journal == here.journal);
        Self { here, partitions: same.count() as u32 }
    }

    pub(super) fn is_of(&self, shop: &str, actor: &str) -> bool {
        let hash = murmur2(format!("{shop}/{actor}").as_bytes());
        (hash & 0x7fff_ffff) % self.partitions == self.here.partition
    }
}

fn murmur2(bytes: &[u8]) -> u32 {
    let m = 0x5bd1_e995_u32;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    for group in bytes.chunks(4) {
        let word = group.iter().rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        if group.len() == 4 {
            let mixed = word.wrapping_mul(m);
            hash = hash.wrapping_mul(m) ^ (mixed ^ mixed >> 24).wrapping_mul(m);
        } else {
            hash = (hash ^ word).wrapping_mul(m);
        }
    }
    hash = (hash ^ hash >> 13).wrapping_mul(m);
    hash ^ hash >> 15
}
