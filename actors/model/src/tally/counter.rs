//! A fact on its way to its rows: the row of each key set is found, its key admitted, and the fact counted in it. SEMANTICS.md
//! section 11.

use super::admission::Admission;
use super::count::{Read, RowCounter};
use super::key_set::{KeySet, Values, mix};
use super::recent::Recent;
use super::row::Row;
use crate::bucket::{Actors, Hint, KeyRef};

/// What is known of the keys of one key set.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub admission: Admission,
    pub recent: Recent,
}

/// One fact, and the rows it may have to be counted in.
pub(super) struct Counter<'a, 'f> {
    rows: &'a mut Actors<Row>,
    to: RowCounter<'a, 'f>,
    /// Of the fact's shop: where tags begin.
    shop_tag: u64,
    /// Scratch: the values of a key, and its text.
    values: Values<'f>,
    text: &'a mut String,
}

impl<'a, 'f> Counter<'a, 'f> {
    pub(super) fn new(rows: &'a mut Actors<Row>, text: &'a mut String, to: RowCounter<'a, 'f>) -> Self {
        Self { rows, shop_tag: mix(0, to.fact.who.shop), to, values: Values::default(), text }
    }

    /// Counts under every key set of a metric: under the fact's own key, or `other` when there is no place for it.
    #[inline]
    pub(super) fn count(&mut self, read: &Read<'_>, keys: &mut [Keys]) {
        for (key_set, keys) in read.plan.key_sets.iter().zip(keys) {
            let values = key_set.read(self.to.fact, &mut self.values);
            let mut tag = self.shop_tag;
            for value in values {
                tag = mix(tag, value);
            }
            let tag = (tag >> 32) as u32;
            let is_counted = match self.in_known(read, key_set, keys, tag) {
                Some(is_counted) => is_counted,
                None => self.in_new(read, key_set, keys, tag),
            };
            if !is_counted {
                self.in_other(read, key_set, keys);
            }
        }
    }

    /// Counts in a row found before; whether its key was admitted. The values are those just read.
    #[inline]
    fn in_known(&mut self, read: &Read<'_>, key_set: &KeySet, keys: &mut Keys, tag: u32) -> Option<bool> {
        let Self { rows, to, values, .. } = self;
        let (shop, values) = (to.fact.who.shop, &values[..key_set.dimensions.len()]);
        let Keys { admission, recent } = keys;
        recent.find(tag, |hint| {
            rows.fold_known(
                hint,
                |key| key_set.makes(shop, values, key),
                |spot, row| {
                    let is_admitted = admits(read, admission, row, || needs_place(key_set, shop, spot.key()));
                    if is_admitted {
                        to.count(read, spot, row);
                    }
                    is_admitted
                },
            )
        })
    }

    /// Counts in a row looked for or made; whether its key was admitted. The values are those just read.
    #[cold]
    fn in_new(&mut self, read: &Read<'_>, key_set: &KeySet, keys: &mut Keys, tag: u32) -> bool {
        let (shop, values) = (self.to.fact.who.shop, &self.values[..key_set.dimensions.len()]);
        key_set.write_key(shop, values, self.text);
        let key = KeyRef::of(self.text);
        let Keys { admission, recent } = keys;
        let needs_place = needs_place(key_set, shop, self.text.as_bytes());
        // With every place taken a new key is turned away before it gets a row.
        if needs_place && admission.is_full(read.dead, read.plan.metric.max_keys) && !self.rows.contains(key)
        {
            return false;
        }
        let hint = count_under(self.rows, &mut self.to, read, key, needs_place.then_some(admission));
        if let Some(hint) = hint
            && key_set.makes(shop, values, self.text.as_bytes())
        {
            recent.put(tag, hint);
        }
        hint.is_some()
    }

    /// Counts in the row past `max_keys`.
    #[cold]
    fn in_other(&mut self, read: &Read<'_>, key_set: &KeySet, keys: &mut Keys) {
        let shop = self.to.fact.who.shop;
        let (is, to) = (|key: &[u8]| key_set.makes_other(shop, key), &mut self.to);
        if self.rows.fold_known(keys.recent.other, is, |spot, row| to.count(read, spot, row)).is_some() {
            return;
        }
        key_set.write_other(shop, self.text);
        let key = KeyRef::of(self.text);
        keys.recent.other = count_under(self.rows, &mut self.to, read, key, None).unwrap_or_default();
    }
}

/// Counts under one key, if it is admitted; where its row is.
fn count_under(
    rows: &mut Actors<Row>,
    to: &mut RowCounter<'_, '_>,
    read: &Read<'_>,
    key: KeyRef<'_>,
    admission: Option<&mut Admission>,
) -> Option<Hint> {
    let folded = rows.fold_at_spot(key, |spot, row| {
        if !admission.is_none_or(|admission| admits(read, admission, row, || true)) {
            return None;
        }
        to.count(read, spot, row);
        Some(spot.hint())
    });
    folded.unwrap_or_else(|error| panic!("a row of the tally book cannot be read: {error}"))
}

/// Whether a key takes one of the places of its key set.
#[inline]
fn needs_place(key_set: &KeySet, shop: &str, key: &[u8]) -> bool {
    !key_set.dimensions.is_empty() && !key_set.is_other(shop, key)
}

/// Whether a key may count where the plan stands.
#[inline]
fn admits(read: &Read<'_>, admission: &mut Admission, row: &mut Row, needs_place: impl Fn() -> bool) -> bool {
    let (end, max) = (read.plan.here.live_until, read.plan.metric.max_keys);
    let is_live = row.newest_end > read.dead && row.newest_end >= end;
    is_live || !needs_place() || admission.admit(&mut row.newest_end, end, read.dead, max)
}
