use std::collections::BTreeSet;

use proptest::prelude::*;

use super::key_set::KeySet;
use super::presence::{Presence, Reach, Visit};
use super::recent::Recent;
use super::runs::{block_start, gain, spread};
use super::*;
use crate::bucket::Hint;
use crate::limits::PRESENCES;
use crate::metric::Dimension;

/// Counts by difference, as cells keep them, for windows of `n` panes.
fn differences(panes: &[i64], n: i64, join: i64) -> std::collections::BTreeMap<i64, i64> {
    let mut presence = Presence::default();
    let mut differences = std::collections::BTreeMap::new();
    for pane in panes {
        let reach = Reach { join, keep: 1_000_000 };
        if let Visit::Between { before, after } = presence.visit(7, *pane, reach, 0)
            && let Some(ends) = gain(*pane, n, before, after)
        {
            spread(ends, n, |end, difference| *differences.entry(end).or_insert(0) += difference);
        }
    }
    differences
}

proptest! {
    /// Out of order, repeated, for windows of several sizes that share one presence: an actor counts once in every window it was in.
    #[test]
    fn sliding_counts_equal_sets(panes in prop::collection::vec(-40_i64..80, 0..30), sizes in prop::collection::vec(1_i64..20, 1..4)) {
        let join = sizes.iter().copied().min().unwrap();
        for n in sizes {
            let differences = differences(&panes, n, join);
            for end in -50..120 {
                let count: i64 = differences.range(block_start(end, n)..=end).map(|(_, d)| d).sum();
                let present = panes.iter().any(|pane| end - n <= *pane && *pane < end);
                prop_assert_eq!(count, i64::from(present), "end {} of {} panes", end, n);
            }
        }
    }

    #[test]
    fn tumbling_instances_are_entered_once(panes in prop::collection::vec(-40_i64..80, 0..30), size in 1_i64..20, smaller in 0_i64..5) {
        let reach = Reach { join: (size - smaller).max(1), keep: 1_000_000 };
        let mut presence = Presence::default();
        let mut entered = Vec::new();
        for pane in &panes {
            if let Visit::Between { before, after } = presence.visit(7, *pane, reach, 0) {
                let window = pane.div_euclid(size);
                let known = |pane: Option<i64>| pane.is_some_and(|pane| pane.div_euclid(size) == window);
                if !known(before) && !known(after) {
                    entered.push(window);
                }
            }
        }
        entered.sort_unstable();
        let windows: BTreeSet<i64> = panes.iter().map(|pane| pane.div_euclid(size)).collect();
        prop_assert_eq!(entered, windows.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn presence_reads_back(visits in prop::collection::vec((0_u64..5, -1_000_000_i64..1_000_000, any::<bool>()), 0..40), seconds in any::<bool>()) {
        let unit = if seconds { 1_000 } else { 1 };
        let mut presence = Presence::default();
        for (key, pane, ever) in visits {
            let reach = Reach { join: 20_000, keep: 1_000_000_000 + key as i64 };
            presence.visit(key, pane * unit, reach, 0);
            if ever {
                presence.first_ever(key, pane, 0);
            }
        }
        let mut bytes = Vec::new();
        presence.encode(&mut bytes);
        prop_assert_eq!(Presence::decode(&bytes).unwrap(), presence);
    }

    /// Keys are hashes: where a run is looked for first is a guess by the key's share of them, and any guess must do.
    #[test]
    fn runs_stay_sorted_whatever_the_keys(visits in prop::collection::vec((prop_oneof![any::<u64>(), 0_u64..3, (u64::MAX - 3)..], -9_i64..9), 0..80)) {
        let mut presence = Presence::default();
        let mut seen = BTreeSet::new();
        for (key, pane) in visits {
            let visit = presence.visit(key, pane, Reach { join: 0, keep: 1_000 }, 0);
            prop_assert_eq!(visit == Visit::Known, !seen.insert((key, pane)));
        }
        let mut bytes = Vec::new();
        presence.encode(&mut bytes);
        prop_assert_eq!(Presence::decode(&bytes).unwrap(), presence);
    }

    /// A row found by its values is the one its text names, and values that must be escaped are never taken for others.
    #[test]
    fn values_make_the_key_they_are_written_as(
        values in prop::collection::vec("[a-c\u{1b}\u{1f}01]{0,18}", 0..4),
        others in prop::collection::vec("[a-c\u{1b}\u{1f}01]{0,18}", 0..4),
    ) {
        let dimension = |place: usize| Dimension::Label(place.to_string());
        let key_set = |of: &[String]| KeySet::of("pages", 3, &(0..of.len()).map(dimension).collect::<Vec<_>>());
        let texts = |of: &[String]| {
            let mut text = String::new();
            key_set(of).write_key("main", &of.iter().map(String::as_str).collect::<Vec<_>>(), &mut text);
            text
        };
        let plain: Vec<&str> = values.iter().map(String::as_str).collect();
        let is_escaped = values.iter().any(|value| value.contains(['\u{1b}', '\u{1f}']));
        let own = texts(&values);
        prop_assert_eq!(key_set(&values).makes("main", &plain, own.as_bytes()), !is_escaped);
        prop_assert!(!key_set(&values).makes("mail", &plain, own.as_bytes()));
        if values != others && values.len() == others.len() && !others.iter().any(|value| value.contains(['\u{1b}', '\u{1f}'])) {
            prop_assert!(!key_set(&values).makes("main", &plain, texts(&others).as_bytes()));
        }
    }

    #[test]
    fn a_key_reads_back(values in prop::collection::vec(".*|[\u{1b}\u{1f}01/]*", 0..4)) {
        let key = SeriesKey { shop: "main".into(), metric: "pages".into(), key_set: 3, values };
        prop_assert_eq!(SeriesKey::parse(&key.to_text()), Some(key));
    }
}

#[test]
fn rows_remembered_are_found_until_newer_ones_take_their_place() {
    let mut recent = Recent::default();
    let tag = |n: u32| n.wrapping_mul(0x9e37_79b1);
    let found =
        |recent: &Recent, n: u32| recent.find(tag(n), |hint| (hint == Hint::at(n)).then_some(())).is_some();
    for n in 0..2_000 {
        recent.put(tag(n), Hint::at(n));
        assert!(found(&recent, n), "row {n} was just remembered");
    }
    let still = (0..2_000).filter(|n| found(&recent, *n)).count();
    assert!(still > 1_900, "{still} of 2,000 are still remembered");
    assert!(!found(&recent, 2_000));
    recent.put(tag(7), Hint::at(9_999));
    assert!(found(&recent, 7), "where it was before is tried next");
}

#[test]
fn the_oldest_presence_gives_way_and_old_ones_are_forgotten() {
    let reach = Reach { join: 10, keep: 1_000_000 };
    let mut presence = Presence::default();
    for key in 0..=PRESENCES as u64 {
        assert!(matches!(presence.visit(key, key as i64, reach, 0), Visit::Between { .. }));
    }
    assert_eq!(presence.visit(1, 1, reach, 0), Visit::Known);
    assert_eq!(presence.visit(0, 0, reach, 0), Visit::Between { before: None, after: None });
    presence.prune(2_000_000);
    assert!(presence.is_empty());
}

#[test]
fn a_presence_that_was_cut_short_is_damaged() {
    let mut presence = Presence::default();
    presence.visit(7, 1_000, Reach { join: 10, keep: 10 }, 0);
    let mut bytes = Vec::new();
    presence.encode(&mut bytes);
    bytes.pop();
    assert!(Presence::decode(&bytes).is_err());
}
