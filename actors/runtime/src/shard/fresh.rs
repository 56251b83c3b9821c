//! Records this node appended a moment ago, still decoded from intake: the shard that reads them back need not decode them again. A
//! shortcut only: what is not here is decoded from its bytes, to the same.

use parking_lot::Mutex;
use souk_model::journal::Entry;
use souk_model::shard::Decoded;

use crate::limits::FRESH_KEPT;

#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<Vec<(u64, Box<Decoded>)>>);

impl Fresh {
    /// Keeps what was appended at these offsets, unless nobody fetches what is kept.
    pub(crate) fn put(&self, decoded: impl ExactSizeIterator<Item = (u64, Box<Decoded>)>) {
        let mut kept = self.0.lock();
        if kept.len() + decoded.len() <= FRESH_KEPT {
            kept.extend(decoded);
        }
    }

    /// What the entries decode to, in their order; they follow each other. Anything older is forgotten.
    pub(crate) fn take(&self, entries: &[Entry]) -> Vec<(u64, Box<Decoded>)> {
        let Some(last) = entries.last() else { return Vec::new() };
        let mut fresh = {
            let mut kept = self.0.lock();
            let mut fresh = std::mem::take(&mut *kept);
            kept.extend(fresh.extract_if(.., |(offset, _)| *offset > last.offset));
            fresh
        };
        // Batches are in order; several callers' are not.
        fresh.sort_by_key(|(offset, _)| *offset);
        let mut fresh = fresh.into_iter().peekable();
        let decoded = entries.iter().map(|entry| {
            while fresh.next_if(|(offset, _)| *offset < entry.offset).is_some() {}
            let known = fresh.next_if(|(offset, _)| *offset == entry.offset);
            known.unwrap_or_else(|| (entry.offset, Box::new(Decoded::of(entry))))
        });
        decoded.collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use souk_model::record::Record;

    use super::*;

    fn entry(offset: u64) -> Entry {
        Entry::new(offset, 0, Bytes::new())
    }

    fn fresh(offset: u64) -> (u64, Box<Decoded>) {
        (offset, Box::new(Decoded { record: Ok(Record::VersionBarrier(offset as u32)), is_event: false }))
    }

    #[test]
    fn entries_find_what_was_kept_of_them_in_any_order_of_callers() {
        let kept = Fresh::default();
        kept.put([fresh(5), fresh(7)].into_iter());
        kept.put([fresh(3), fresh(9)].into_iter());
        let taken = kept.take(&[entry(5), entry(6), entry(7)]);
        assert_eq!(taken[0].1.record, Ok(Record::VersionBarrier(5)));
        assert!(taken[1].1.record.is_err(), "nobody kept it: decoded, and no record");
        assert_eq!(taken[2].1.record, Ok(Record::VersionBarrier(7)));
        assert_eq!(kept.take(&[entry(9)])[0].1.record, Ok(Record::VersionBarrier(9)));
        assert!(kept.0.lock().is_empty());
    }
}
