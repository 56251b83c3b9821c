//! The desk: what the fold said of records somebody waits for. Kept only while somebody does, and no longer than [`WORDS_KEPT`] words.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use souk_model::output::Outcome;
use souk_model::verdict::Verdict;

use crate::limits::WORDS_KEPT;

/// The fold's word on one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    Verdict(Verdict),
    Decided(Outcome),
}

#[derive(Debug, Default)]
pub(crate) struct Desk {
    waiting: AtomicUsize,
    /// By rising offset.
    words: Mutex<VecDeque<(u64, Word)>>,
}

/// Somebody waits. Made before the append, so that no word is missed.
#[derive(Debug)]
pub(crate) struct Waiting<'a>(&'a Desk);

impl Desk {
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(self)
    }

    /// Whether words are worth keeping.
    pub(crate) fn is_manned(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn put(&self, said: impl Iterator<Item = (u64, Word)>) {
        let mut words = self.words.lock();
        for word in said {
            if words.len() == WORDS_KEPT {
                words.pop_front();
            }
            words.push_back(word);
        }
    }
}

impl Waiting<'_> {
    /// The word on a record, if it was kept.
    pub(crate) fn word(&self, offset: u64) -> Option<Word> {
        let words = self.0.words.lock();
        let at = words.partition_point(|(said, _)| *said < offset);
        words.get(at).filter(|(said, _)| *said == offset).map(|(_, word)| word.clone())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) == 1 {
            let mut words = self.0.words.lock();
            if !self.0.is_manned() {
                words.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_while_somebody_waits() {
        let desk = Desk::default();
        assert!(!desk.is_manned());
        let first = desk.wait();
        let second = desk.wait();
        desk.put([(3, Word::Verdict(Verdict::Counted)), (5, Word::Verdict(Verdict::Late))].into_iter());
        drop(first);
        assert_eq!(second.word(5), Some(Word::Verdict(Verdict::Late)));
        assert_eq!(second.word(4), None);
        drop(second);
        assert_eq!(desk.wait().word(5), None);
    }
}
