//! I8: the view may vanish or lie; while an owner lives no answer changes, and a value of another key is never taken.

use std::collections::BTreeMap;

use super::Violation;
use crate::view::Published;

#[derive(Debug, Default)]
pub struct Views {
    /// What was published under a key at a revision: the same by every owner.
    published: BTreeMap<(String, u64), u64>,
}

impl Views {
    /// An owner publishes: two owners may not publish two values under one revision.
    pub fn publish(&mut self, published: &Published) -> Result<(), Violation> {
        let key = (published.key.clone(), published.revision);
        let first = *self.published.entry(key).or_insert(published.value);
        if first == published.value {
            return Ok(());
        }
        let Published { key, revision, .. } = published;
        Err(Violation::new(
            "I8",
            format!("{key} was published twice with revision {revision} and different values"),
        ))
    }

    /// A reader took this for an answer, marked stale.
    pub fn answered(&self, key: &str, answer: &Published) -> Result<(), Violation> {
        let known = self.published.get(&(key.to_owned(), answer.revision));
        if answer.key == key && known == Some(&answer.value) {
            return Ok(());
        }
        Err(Violation::new("I8", format!("asked for {key}, answered {answer:?}")))
    }
}
