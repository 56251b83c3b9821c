//! Hot actors: decoded, in chunks of slots that never move, so that growing copies nothing and an empty chunk goes back to the system.

use std::collections::BTreeSet;

use crate::time::Millis;

/// Slots of a chunk.
const CHUNK: usize = 512;
/// No deadline.
pub(super) const NEVER: Millis = Millis::MAX;

/// Whether a cut still has to take an actor: clean, or one of two marks that take turns (dirty now, dirty when the cut was frozen).
pub(super) type Mark = u8;
pub(super) const CLEAN: Mark = 0;

/// A decoded actor and what its bucket knows of it. Aligned and in this order so that finding it, arming it and marking it are one cache
/// line, and the actor begins the next.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Slot<A> {
    pub(super) hash: u64,
    pub(super) key: SmallKey,
    /// Per clock, the earliest timer held for it. Its true deadline may be later, never earlier.
    pub(super) armed: [Millis; 2],
    pub(super) mark: Mark,
    /// Folded since the clock hand last passed.
    pub(super) touched: bool,
    pub(super) body: Body<A>,
}

#[derive(Debug)]
pub(super) enum Body<A> {
    Vacant,
    /// Removed, or not made yet; kept until a committed cut has said so.
    Gone,
    Is(A),
}

impl<A> Body<A> {
    pub(super) fn get(&self) -> Option<&A> {
        if let Self::Is(actor) = self { Some(actor) } else { None }
    }
}

/// A key's bytes, beside the actor for all but the longest: comparing it costs no cache miss of its own.
#[derive(Debug, Clone)]
pub(super) enum SmallKey {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

const SHORT: usize = 30;

impl SmallKey {
    pub(super) fn new(key: &[u8]) -> Self {
        if key.len() > SHORT {
            return Self::Long(key.into());
        }
        let mut bytes = [0; SHORT];
        bytes[..key.len()].copy_from_slice(key);
        Self::Short { len: key.len() as u8, bytes }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => &bytes[..usize::from(*len)],
            Self::Long(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
pub(super) struct Slab<A> {
    chunks: Vec<Chunk<A>>,
    /// Chunks with room. The lowest is filled first, so that the highest empty out.
    roomy: BTreeSet<u32>,
    live: usize,
    /// Where the clock hand stands.
    hand: u32,
}

#[derive(Debug)]
struct Chunk<A> {
    slots: Vec<Slot<A>>,
    free: Vec<u16>,
}

impl<A> Default for Slab<A> {
    fn default() -> Self {
        Self { chunks: Vec::new(), roomy: BTreeSet::new(), live: 0, hand: 0 }
    }
}

impl<A> Slab<A> {
    #[inline]
    pub(super) fn get(&self, at: u32) -> &Slot<A> {
        let at = at as usize;
        &self.chunks[at / CHUNK].slots[at % CHUNK]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> &mut Slot<A> {
        let at = at as usize;
        &mut self.chunks[at / CHUNK].slots[at % CHUNK]
    }

    /// The slot, if there is one.
    #[inline]
    pub(super) fn at(&self, at: u32) -> Option<&Slot<A>> {
        let at = at as usize;
        self.chunks.get(at / CHUNK)?.slots.get(at % CHUNK)
    }

    pub(super) fn insert(&mut self, slot: Slot<A>) -> u32 {
        let number = self.roomy.first().copied().unwrap_or_else(|| {
            let number = self.chunks.len() as u32;
            self.chunks.push(Chunk { slots: Vec::new(), free: Vec::new() });
            self.roomy.insert(number);
            number
        });
        let chunk = &mut self.chunks[number as usize];
        let within = match chunk.free.pop() {
            Some(within) => {
                chunk.slots[usize::from(within)] = slot;
                usize::from(within)
            }
            None => {
                chunk.slots.reserve_exact(if chunk.slots.is_empty() { CHUNK } else { 0 });
                chunk.slots.push(slot);
                chunk.slots.len() - 1
            }
        };
        if chunk.free.is_empty() && chunk.slots.len() == CHUNK {
            self.roomy.remove(&number);
        }
        self.live += 1;
        number * CHUNK as u32 + within as u32
    }

    pub(super) fn remove(&mut self, at: u32) {
        let (number, within) = (at as usize / CHUNK, at as usize % CHUNK);
        let chunk = &mut self.chunks[number];
        let slot = &mut chunk.slots[within];
        slot.body = Body::Vacant;
        slot.key = SmallKey::new(&[]);
        chunk.free.push(within as u16);
        if chunk.free.len() == chunk.slots.len() {
            *chunk = Chunk { slots: Vec::new(), free: Vec::new() };
        }
        self.roomy.insert(number as u32);
        self.live -= 1;
    }

    /// Moves the hand over the next slot, if there is any, and says which it was.
    pub(super) fn next(&mut self) -> Option<(u32, &mut Slot<A>)> {
        for _ in 0..=self.chunks.len() {
            let (number, within) = (self.hand as usize / CHUNK, self.hand as usize % CHUNK);
            match self.chunks.get(number) {
                None => self.hand = 0,
                Some(chunk) if within >= chunk.slots.len() => self.hand = ((number + 1) * CHUNK) as u32,
                Some(_) => {
                    let at = self.hand;
                    self.hand += 1;
                    return Some((at, &mut self.chunks[number].slots[within]));
                }
            }
        }
        None
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn bytes(&self) -> usize {
        let chunks = self.chunks.iter();
        chunks.map(|c| c.slots.capacity() * size_of::<Slot<A>>() + c.free.capacity() * size_of::<u16>()).sum()
    }
}
