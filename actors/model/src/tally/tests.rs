use std::collections::BTreeSet;

use proptest::prelude::*;

use super::presence::{Presence, Reach, Visit};
use super::runs::{block_start, gain, spread};
use super::*;
use crate::limits::PRESENCES;

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

    #[test]
    fn a_key_reads_back(values in prop::collection::vec(".*|[\u{1b}\u{1f}01/]*", 0..4)) {
        let key = SeriesKey { shop: "main".into(), metric: "pages".into(), key_set: 3, values };
        prop_assert_eq!(SeriesKey::parse(&key.to_text()), Some(key));
    }
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
