//! Keyless events (a trip, a bare transaction) belong to no person: their ids are remembered by one actor per bucket, so that
//! nobody's memory grows by them. SEMANTICS.md section 2.

use std::sync::OnceLock;

use crate::key::{ActorKey, BUCKETS};

/// Shop of the keyless actors: no shop can be called so.
const SHOP: &str = "~";

/// The actor that remembers the keyless events whose own key falls into the same bucket.
pub(super) fn actor_of(own: &ActorKey) -> &'static ActorKey {
    static KEYS: OnceLock<Vec<ActorKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| (0..BUCKETS).map(find).collect());
    &keys[usize::from(own.bucket().0)]
}

/// The first name that falls into the bucket: the same on every machine, as the hash is.
fn find(bucket: u8) -> ActorKey {
    (0_u32..)
        .map(|n| ActorKey::new(SHOP, &format!("keyless-{n}")))
        .find(|key| key.bucket().0 == bucket)
        .expect("one in 64 names falls into any bucket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_actor_shares_the_bucket() {
        for n in 0..500 {
            let own = ActorKey::new("main", &format!("trip-{n}"));
            assert_eq!(actor_of(&own).bucket(), own.bucket());
        }
    }
}
