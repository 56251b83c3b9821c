//! Where rows were found before. Keys without dimensions, or with one of few values, come with every event: their texts are neither
//! composed nor hashed again, and their rows not looked for. Representation only.

use xxhash_rust::xxh3::xxh3_64;

use super::plan::KeySet;
use crate::bucket::{Hint, KeyRef};
use crate::fact::Fact;
use crate::metric::Field;

/// Rows remembered per key set: more than there are kinds of event.
const ROWS: usize = 64;

/// Rows of one key set, each in the one place its value may lie in.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    closed: Option<Field>,
    rows: Vec<Known>,
}

/// A row's key, whole and as its parts, and where the row was.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    text: String,
    hash: u64,
    shop: usize,
    value: usize,
    pub hint: Hint,
}

impl Recent {
    pub(super) fn of(key_set: &KeySet) -> Self {
        let closed = key_set.closed_dimension();
        let rows = match (key_set.dimensions.is_empty(), closed) {
            (true, _) => 1,
            (false, Some(_)) => ROWS,
            (false, None) => 0,
        };
        Self { closed, rows: vec![Known::default(); rows] }
    }

    /// The fact's row, if its key set is one whose rows are remembered.
    #[inline]
    pub(super) fn row(&mut self, key_set: &KeySet, fact: &Fact<'_>) -> Option<&mut Known> {
        let value = self.closed.map_or("", |field| fact.field(field));
        let known = match value.as_bytes() {
            [] => self.rows.first_mut()?,
            [first, .., last] => {
                &mut self.rows[usize::from(first ^ last.rotate_left(3) ^ value.len() as u8) % ROWS]
            }
            [only] => &mut self.rows[usize::from(*only) % ROWS],
        };
        let shop = fact.who.shop;
        let (text, shop_len) = (known.text.as_bytes(), known.shop);
        let is_this = !text.is_empty()
            && &text[..shop_len] == shop.as_bytes()
            && &text[known.value..] == value.as_bytes();
        if !is_this {
            key_set.write_key(fact, &mut known.text);
            known.hash = xxh3_64(known.text.as_bytes());
            known.shop = shop.len();
            known.value = known.text.len() - value.len();
            known.hint = Hint::default();
        }
        Some(known)
    }
}

impl Known {
    #[inline]
    pub(super) fn split(&mut self) -> (KeyRef<'_>, &mut Hint) {
        (KeyRef { text: &self.text, hash: self.hash }, &mut self.hint)
    }
}
