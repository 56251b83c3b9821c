//! Reading actors without changing anything: an idle one is decoded into a copy.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::KeyRef;
use super::actors::{Actors, Hint, not_loaded};
use super::index::{Place, tag_of};
use super::store::Bucket;
use super::timers::text;
use crate::actor::{Actor, StateError};
use crate::key::{BUCKETS, BucketId};

impl<A: Actor> Actors<A> {
    /// Lets `read` see the actor, if there is one.
    pub fn get<R>(&self, key: KeyRef<'_>, read: impl FnOnce(&A) -> R) -> Result<Option<R>, StateError> {
        let bucket = self.bucket(key.bucket())?;
        let Some((_, place)) = bucket.find(&self.slab, key) else { return Ok(None) };
        self.visit(bucket, place, |_, actor| read(actor))
    }

    /// Lets `read` see the actor of a spot found before, with its key, if it is still there.
    pub fn get_known<R>(&self, hint: Hint, hash: u64, read: impl FnOnce(&str, &A) -> R) -> Option<R> {
        let slot = self.slab.at(hint.0).filter(|slot| slot.hash == hash)?;
        slot.body.get().map(|actor| read(text(slot.key.as_bytes()), actor))
    }

    pub fn contains(&self, key: KeyRef<'_>) -> bool {
        let Ok(bucket) = self.bucket(key.bucket()) else { return false };
        bucket.find(&self.slab, key).is_some_and(|(_, place)| self.is_there(place))
    }

    /// Visits every actor of a loaded bucket in key order.
    pub fn peek(&self, bucket: BucketId, mut visit: impl FnMut(KeyRef<'_>, &A)) -> Result<(), StateError> {
        let bucket = self.bucket(bucket)?;
        let mut places: Vec<Place> = bucket.index.from(0).map(|(_, place)| place).collect();
        places.sort_unstable_by(|a, b| self.key(bucket, *a).cmp(self.key(bucket, *b)));
        for place in places {
            self.visit(bucket, place, &mut visit)?;
        }
        Ok(())
    }

    /// Visits about `budget` actors of the loaded buckets, those after the hash `after`, in hash order; says where to go on, `None` at
    /// the end. Actors may come, go and become idle between two calls.
    pub fn scan(
        &self,
        after: Option<u64>,
        budget: usize,
        mut visit: impl FnMut(KeyRef<'_>, &A),
    ) -> Result<Option<u64>, StateError> {
        let first = after.map_or(0, |after| crate::key::bucket_of(after).0);
        let mut seen = 0;
        for number in first..BUCKETS {
            let Some(bucket) = &self.buckets[usize::from(number)] else { continue };
            let from = after.filter(|_| number == first).map_or(0, tag_of);
            let mut group: Vec<(u64, Place)> = Vec::new();
            let mut cells = bucket.index.from(from).peekable();
            while let Some((tag, place)) = cells.next() {
                group.push((self.hash(bucket, place), place));
                if cells.peek().is_some_and(|(next, _)| *next == tag) {
                    continue; // a whole tag at once: within it only the hashes say the order
                }
                group.sort_unstable_by(|a, b| {
                    a.0.cmp(&b.0).then_with(|| self.key(bucket, a.1).cmp(self.key(bucket, b.1)))
                });
                let mut last = None;
                for (hash, place) in
                    group.drain(..).filter(|(hash, _)| after.is_none_or(|after| *hash > after))
                {
                    self.visit(bucket, place, &mut visit)?;
                    last = Some(hash);
                    seen += 1;
                }
                if seen >= budget && last.is_some() {
                    return Ok(last);
                }
            }
        }
        Ok(None)
    }

    /// Actors in the loaded buckets.
    pub fn len(&self) -> u64 {
        self.buckets.iter().flatten().map(|bucket| bucket.live).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Order-independent digest of every actor in the loaded and the evicted buckets, hot and idle alike. Two owners compare it once
    /// both have loaded everything: a bucket never loaded adds nothing.
    pub fn digest(&self) -> Result<u64, StateError> {
        let mut sum = 0_u64;
        for number in 0..BUCKETS {
            let digest = match self.evicted[usize::from(number)] {
                Some(digest) => digest,
                None if self.is_loaded(BucketId(number)) => self.digest_of(BucketId(number))?,
                None => 0,
            };
            sum = sum.wrapping_add(digest);
        }
        Ok(sum)
    }

    /// Digest of one bucket; none while it is not loaded.
    pub fn bucket_digest(&self, bucket: BucketId) -> Result<Option<u64>, StateError> {
        match self.evicted[usize::from(bucket.0)] {
            Some(digest) => Ok(Some(digest)),
            None if self.is_loaded(bucket) => self.digest_of(bucket).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn digest_of(&self, bucket: BucketId) -> Result<u64, StateError> {
        let bucket = self.bucket(bucket)?;
        let mut encoded = Vec::new();
        let mut sum = 0_u64;
        for (_, place) in bucket.index.from(0) {
            let state = match place {
                Place::Idle(at) => bucket.arena.get(at).state,
                Place::Hot(at) => {
                    let Some(actor) = self.slab.get(at).body.get() else { continue };
                    encoded.clear();
                    actor.encode(&mut encoded);
                    &encoded
                }
            };
            sum = sum.wrapping_add(xxh3_64_with_seed(state, xxh3_64(self.key(bucket, place))));
        }
        Ok(sum)
    }

    fn bucket(&self, bucket: BucketId) -> Result<&Bucket, StateError> {
        let found = self.buckets.get(usize::from(bucket.0)).and_then(Option::as_ref);
        found.ok_or_else(|| not_loaded(bucket.0))
    }

    fn key<'a>(&'a self, bucket: &'a Bucket, place: Place) -> &'a [u8] {
        match place {
            Place::Hot(at) => self.slab.get(at).key.as_bytes(),
            Place::Idle(at) => bucket.arena.get(at).key,
        }
    }

    fn hash(&self, bucket: &Bucket, place: Place) -> u64 {
        match place {
            Place::Hot(at) => self.slab.get(at).hash,
            Place::Idle(at) => xxh3_64(bucket.arena.get(at).key),
        }
    }

    fn is_there(&self, place: Place) -> bool {
        match place {
            Place::Hot(at) => self.slab.get(at).body.get().is_some(),
            Place::Idle(_) => true,
        }
    }

    fn visit<R>(
        &self,
        bucket: &Bucket,
        place: Place,
        visit: impl FnOnce(KeyRef<'_>, &A) -> R,
    ) -> Result<Option<R>, StateError> {
        match place {
            Place::Hot(at) => {
                let slot = self.slab.get(at);
                let key = KeyRef { text: text(slot.key.as_bytes()), hash: slot.hash };
                Ok(slot.body.get().map(|actor| visit(key, actor)))
            }
            Place::Idle(at) => {
                let idle = bucket.arena.get(at);
                let actor = A::decode(idle.state)?;
                Ok(Some(visit(KeyRef::of(text(idle.key)), &actor)))
            }
        }
    }
}
