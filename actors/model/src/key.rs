//! Keys: who an actor is, and which partition and bucket hold it. The only place that hashes keys.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

/// Buckets a shard's actors are spread over: the unit of storage and loading.
pub const BUCKETS: u8 = 64;

/// A bucket of a shard, `0 .. BUCKETS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketId(pub u8);

/// Name of an actor within its journal: `shop/id`, with its stable hash. Ids hold no `/`, so the text is unambiguous. Cloned for
/// every event's output: that shares the text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ActorKey {
    text: Arc<str>,
    hash: u64,
    shop_len: u8,
}

impl ActorKey {
    pub fn new(shop: &str, id: &str) -> Self {
        Self::of_parts(shop, "", id)
    }

    /// The user a session belongs to as long as nobody signed in: `guest:<session>`.
    pub fn guest(shop: &str, session: &str) -> Self {
        Self::of_parts(shop, "guest:", session)
    }

    fn of_parts(shop: &str, prefix: &str, id: &str) -> Self {
        let mut text = String::with_capacity(shop.len() + 1 + prefix.len() + id.len());
        text.push_str(shop);
        text.push('/');
        text.push_str(prefix);
        text.push_str(id);
        let hash = xxh3_64(text.as_bytes());
        Self { text: text.into(), hash, shop_len: shop.len() as u8 }
    }

    /// Reads back what [`ActorKey::as_str`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        let (shop, id) = text.split_once('/')?;
        (shop.len() <= usize::from(u8::MAX)).then(|| Self::new(shop, id))
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn shop(&self) -> &str {
        &self.text[..usize::from(self.shop_len)]
    }

    pub fn id(&self) -> &str {
        &self.text[usize::from(self.shop_len) + 1..]
    }

    /// Stable for ever: xxh3-64 of `shop/id`.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn bucket(&self) -> BucketId {
        bucket_of(self.hash)
    }

    /// The partition of a journal with `partitions` of them that holds this actor.
    pub fn partition(&self, partitions: u16) -> u16 {
        partition_of(self.text.as_bytes(), partitions)
    }
}

impl fmt::Debug for ActorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The bucket a key's hash falls into: its highest six bits, so that the low ones stay free for the tables inside.
pub fn bucket_of(hash: u64) -> BucketId {
    BucketId((hash >> 58) as u8)
}

/// The hashes of a bucket's keys.
pub fn hashes_of(bucket: BucketId) -> RangeInclusive<u64> {
    let first = u64::from(bucket.0) << 58;
    first..=first | (u64::MAX >> 6)
}

/// Kafka's default partitioner (murmur2 of the key, as the Java clients have it), so that a producer of theirs finds our shards.
pub fn partition_of(key: &[u8], partitions: u16) -> u16 {
    ((murmur2(key) & 0x7fff_ffff) % u32::from(partitions)) as u16
}

/// MurmurHash2, 32 bits, with Kafka's seed.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut h = SEED ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let tail = chunks.remainder();
    for (i, byte) in tail.iter().enumerate() {
        h ^= u32::from(*byte) << (8 * i);
    }
    if !tail.is_empty() {
        h = h.wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `org.apache.kafka.common.utils.Utils.murmur2` from Kafka's own unit test.
    #[test]
    fn murmur2_is_kafkas() {
        for (key, want) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, want, "{key}");
        }
    }

    #[test]
    fn key_splits_into_shop_and_id() {
        let key = ActorKey::new("main", "guest:s-1");
        assert_eq!((key.shop(), key.id(), key.as_str()), ("main", "guest:s-1", "main/guest:s-1"));
        assert_eq!(ActorKey::guest("main", "s-1"), key);
        assert_eq!(ActorKey::parse(key.as_str()), Some(key));
    }
}
