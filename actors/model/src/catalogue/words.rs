//! Words of a text as they are searched: lower case, letters and digits only.

use crate::limits::{SEARCH_WORD_BYTES, SEARCH_WORDS};
use crate::product::Text;

/// The words of a text, at most [`SEARCH_WORD_BYTES`] of each, in order.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let mut word = word.to_lowercase();
        word.truncate(word.floor_char_boundary(SEARCH_WORD_BYTES));
        word
    })
}

/// What a product is found by, the title first: sorted, each once, at most [`SEARCH_WORDS`].
pub(super) fn words_of(text: &Text) -> Vec<String> {
    let parts = [&text.title, &text.brand, &text.category].into_iter().chain(&text.tags);
    let mut found: Vec<String> = parts.flat_map(|part| words(part)).take(SEARCH_WORDS).collect();
    found.sort_unstable();
    found.dedup();
    found
}
