//! Tombstones: what is left of an erased user. Named by a salted hash, so that nobody reads from it who it was. SEMANTICS.md section 10.

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::actor::{Actor, StateError};
use crate::key::ActorKey;
use crate::time::Millis;

/// First section of the tombstones' buckets.
pub(super) const SECTION: u16 = 192;

/// Newest format this build writes and reads.
const FORMAT: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tombstone {
    /// Log time of the newest erase; events at or before it are refused.
    pub erased_at: Option<Millis>,
}

/// Key of a user's tombstone under the shard's salt.
pub(super) fn key_of(salt: &[u8], user: &ActorKey) -> ActorKey {
    let mut salted = salt.to_vec();
    salted.extend_from_slice(user.as_str().as_bytes());
    let digest = xxh3_128_with_seed(&salted, salt.len() as u64);
    ActorKey::new(user.shop(), &format!("{digest:032x}"))
}

impl Actor for Tombstone {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        if let Some(erased_at) = self.erased_at {
            out.extend_from_slice(&erased_at.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        match bytes.split_first() {
            Some((&FORMAT, [])) => Ok(Self { erased_at: None }),
            Some((&FORMAT, rest)) => {
                let bytes =
                    rest.try_into().map_err(|_| StateError::Damaged("tombstone is not 9 bytes".into()))?;
                Ok(Self { erased_at: Some(Millis::from_le_bytes(bytes)) })
            }
            Some((&found, _)) => Err(StateError::Newer { found, newest: FORMAT }),
            None => Err(StateError::Damaged("empty tombstone".into())),
        }
    }

    fn is_empty(&self) -> bool {
        self.erased_at.is_none()
    }
}
