//! One page of a list: the smallest set that must hold every answer is walked, the rest of the query checked on each product.

use std::collections::btree_set::Range;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use super::index::{Ids, Listed, ShopIndex};
use super::words::words;
use crate::limits::{LIST_PAGE, LIST_SCAN, PREFIX_WORDS, QUERY_WORDS};

/// What to list: everything that is given must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<'a> {
    /// Exactly this category.
    pub category: Option<&'a str>,
    /// Words, each the beginning of one of the product's; at most [`QUERY_WORDS`] are looked at.
    pub text: &'a str,
    /// Featured products only.
    pub featured: bool,
}

/// Product ids in order. A page may be short, even empty, and still have a next one: looking is bounded too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub products: Vec<Arc<str>>,
    /// Ask for what comes after this id; absent: that was all.
    pub next: Option<Arc<str>>,
}

/// Sets whose union is walked in order; none: every product.
type Sets<'a> = Option<Vec<&'a Ids>>;

impl ShopIndex {
    pub(super) fn list(&self, query: &Query<'_>, after: Option<&str>, limit: usize) -> Page {
        let wanted: Vec<String> = words(query.text).take(QUERY_WORDS).collect();
        let Some(sets) = self.smallest(query, &wanted) else { return Page::default() };
        let limit = limit.clamp(1, LIST_PAGE);
        let mut page = Page::default();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ids: Box<dyn Iterator<Item = &Arc<str>>> = match sets {
            Some(sets) => Box::new(Union::new(&sets, from)),
            None => Box::new(self.products.range::<str, _>((from, Bound::Unbounded)).map(|(id, _)| id)),
        };
        let mut last = None;
        for id in ids.by_ref().take(LIST_SCAN) {
            if page.products.len() == limit {
                page.next = last.map(Arc::clone);
                return page;
            }
            last = Some(id);
            if self.products.get(id).is_some_and(|listed| fits(listed, query, &wanted)) {
                page.products.push(Arc::clone(id));
            }
        }
        if ids.next().is_some() {
            page.next = last.map(Arc::clone);
        }
        page
    }

    /// The fewest products that hold every answer: `None` when something wanted stands nowhere.
    fn smallest(&self, query: &Query<'_>, wanted: &[String]) -> Option<Sets<'_>> {
        let mut choices: Vec<Vec<&Ids>> = Vec::new();
        if let Some(category) = query.category {
            choices.push(vec![self.categories.get(category)?]);
        }
        if query.featured {
            choices.push(vec![&self.featured]);
        }
        for prefix in wanted {
            let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
            let words =
                self.words.range::<str, _>(from).take_while(|(word, _)| word.starts_with(prefix.as_str()));
            let sets: Vec<&Ids> = words.map(|(_, ids)| ids).take(PREFIX_WORDS + 1).collect();
            match sets.len() {
                0 => return None,
                1..=PREFIX_WORDS => choices.push(sets),
                _ => {} // too many words begin so: another set, or all products, are walked instead
            }
        }
        Some(choices.into_iter().min_by_key(|sets| sets.iter().map(|ids| ids.len()).sum::<usize>()))
    }
}

fn fits(listed: &Listed, query: &Query<'_>, wanted: &[String]) -> bool {
    query.category.is_none_or(|category| *listed.category == *category)
        && (listed.featured || !query.featured)
        && wanted.iter().all(|prefix| {
            let at = listed.words.partition_point(|word| **word < **prefix);
            listed.words.get(at).is_some_and(|word| word.starts_with(prefix.as_str()))
        })
}

/// Several ordered sets as one, each id once.
struct Union<'a> {
    sets: Vec<Peekable<Range<'a, Arc<str>>>>,
}

impl<'a> Union<'a> {
    fn new(sets: &[&'a Ids], from: Bound<&str>) -> Self {
        let tail = |ids: &&'a Ids| ids.range::<str, _>((from, Bound::Unbounded)).peekable();
        Self { sets: sets.iter().map(tail).collect() }
    }
}

impl<'a> Iterator for Union<'a> {
    type Item = &'a Arc<str>;

    fn next(&mut self) -> Option<Self::Item> {
        let least = self.sets.iter_mut().filter_map(|set| set.peek().copied()).min()?;
        for set in &mut self.sets {
            set.next_if(|id| *id == least);
        }
        Some(least)
    }
}
