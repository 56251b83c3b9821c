//! Rows published at any moment by any owner, written in any order: what stays is what queries answer.

use super::*;
use crate::metric::Window;
use crate::tally::split_head;

const EVERY: Again = Again { ended_after: BASE - 86_400_000, from: BASE - 86_400_000, records: 0 };

/// Rows as readers find them: set if newer.
#[derive(Default)]
struct Written(BTreeMap<(String, Window, TimeRange), (u64, Vec<Measured>)>);

impl Written {
    fn write(&mut self, published: PublishedRow) {
        let PublishedRow { row, revision, .. } = published;
        let held = self.0.entry((row.key, row.window, row.range)).or_default();
        if held.0 < revision {
            *held = (revision, row.values);
        }
    }
}

/// Windows a change may concern, or all that hold anything.
fn concerned(settings: &Settings, series: &mut SeriesBook) -> Vec<(String, Window, TimeRange)> {
    series.listen(Listener::Publish, true);
    let metric = |key: &str| settings.metric(split_head(key).unwrap().1).unwrap();
    let mut found = Vec::new();
    match series.take_changed(Listener::Publish) {
        Some(changes) => {
            for Change { key, pane } in changes {
                for window in &metric(&key).windows {
                    if (*window == Window::Total) == (pane == crate::tally::cells::TOTAL) {
                        let zone = &metric(&key).time_zone;
                        found.extend(
                            window.instances_of(zone, pane).map(|range| (key.to_string(), *window, range)),
                        );
                    }
                }
            }
        }
        None => {
            let mut after = String::new();
            loop {
                let keys = series.keys_after(&after, 3).unwrap();
                let Some(last) = keys.last() else { break };
                after.clone_from(last);
                for key in keys {
                    for window in &metric(&key).windows {
                        let ranges = series.instances(&key, *window, EVERY).unwrap();
                        found.extend(ranges.into_iter().map(|range| (key.clone(), *window, range)));
                    }
                }
            }
        }
    }
    found
}

type Dirty = BTreeSet<(String, Window, TimeRange)>;

/// Rows to write now. What is not settled stays dirty.
fn rows(settings: &Settings, series: &mut SeriesBook, dirty: &mut Dirty) -> Vec<PublishedRow> {
    dirty.extend(concerned(settings, series));
    let mut rows = Vec::new();
    dirty.retain(|(key, window, range)| {
        let row = series.published(key, *window, *range).unwrap();
        let stays = row.as_ref().is_some_and(|row| !row.settled);
        rows.extend(row);
        stays
    });
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_stays_is_what_queries_answer(steps in steps(), sources in 1_u16..4, fates in prop::collection::vec(any::<u8>(), 64)) {
        let settings = Settings::layered(SETTINGS).unwrap();
        let mut shards: Vec<Shard> = (0..sources).map(|_| Shard::new(&settings)).collect();
        let mut series = products(&settings, sources);
        let mut stores = [Vec::new(), Vec::new()];
        let mut zombies: Vec<SeriesBook> = Vec::new();
        let mut dirty = [Dirty::new(), Dirty::new()];
        let mut held_up: Vec<PublishedRow> = Vec::new();
        let mut written = Written::default();
        let mut at = 0;
        let fate = || { at += 1; fates[at % fates.len()].wrapping_add((at / fates.len()) as u8) };
        let mut net = Net { fate, late: Vec::new() };
        for (n, step) in steps.into_iter().enumerate() {
            shards[step.user % usize::from(sources)].count(&settings, &step);
            match (net.fate)() {
                0..=9 => shards[step.user % usize::from(sources)].take_over(&settings),
                10..=24 => {
                    // The old owner does not know; its unwritten changes are the new one's to find.
                    let mut next = SeriesBook::new(&settings, sources, Planted::default());
                    std::mem::swap(&mut next, &mut series[n % 2]);
                    let header = next.encode_header();
                    cut(next.rows_mut(), &mut stores[n % 2]);
                    series[n % 2].decode_header(&settings, &header).unwrap();
                    load(series[n % 2].rows_mut(), &stores[n % 2]);
                    zombies.push(next);
                    dirty[n % 2].clear();
                }
                25..=110 => net.round(&settings, &mut shards, &mut series),
                111..=150 => rows(&settings, &mut series[n % 2], &mut dirty[n % 2]).into_iter().for_each(|row| written.write(row)),
                151..=190 => held_up.extend(rows(&settings, &mut series[n % 2], &mut dirty[n % 2])),
                _ => {}
            }
        }
        for shard in &mut shards {
            shard.now.offset += 1;
            shard.now.high_water = shard.now.high_water.max(BASE);
        }
        let mut quiet = Net { fate: || 7, late: Vec::new() };
        for _ in 0..8 {
            quiet.round(&settings, &mut shards, &mut series);
        }
        for (book, dirty) in series.iter_mut().zip(&mut dirty) {
            rows(&settings, book, dirty).into_iter().for_each(|row| written.write(row));
        }
        held_up.into_iter().rev().for_each(|row| written.write(row));
        for zombie in &mut zombies {
            zombie.listen(Listener::Publish, false);
            rows(&settings, zombie, &mut Dirty::new()).into_iter().for_each(|row| written.write(row));
        }
        for book in &mut series {
            for key in book.keys_after("", usize::MAX).unwrap() {
                for window in &settings.metric(split_head(&key).unwrap().1).unwrap().windows {
                    for range in book.instances(&key, *window, EVERY).unwrap() {
                        let stands = book.published(&key, *window, range).unwrap().unwrap();
                        let found = written.0.get(&(key.clone(), *window, range));
                        prop_assert_eq!(found, Some(&(stands.revision, stands.row.values)), "{} {} {:?}", key, window, range);
                    }
                }
            }
        }
    }
}

#[test]
fn a_window_long_closed_is_published_again_if_it_changed_of_late() {
    let settings = Settings::layered(SETTINGS).unwrap();
    let mut shards = [Shard::new(&settings)];
    let mut series = products(&settings, 1);
    // A view a minute, then one that corrects the fourth of those minutes.
    for minute in (0..9).chain([3]) {
        let step = Step { at: BASE + minute * MINUTE, user: 0, page: 0, what: 0, amount: 0 };
        assert!(shards[0].count(&settings, &step));
    }
    let mut net = Net { fate: || 7, late: Vec::new() };
    for _ in 0..4 {
        net.round(&settings, &mut shards, &mut series);
    }
    let mut minutes = |again: Again| -> BTreeSet<i64> {
        let found = series.iter_mut().flat_map(|book| {
            let keys = book.keys_after("", usize::MAX).unwrap();
            keys.into_iter()
                .flat_map(|key| book.instances(&key, Window::Tumbling { size: MINUTE }, again).unwrap())
        });
        found.map(|range| (range.start - BASE).div_euclid(MINUTE)).collect()
    };
    let at = |minute: i64| (BASE + minute * MINUTE - BASE.rem_euclid(MINUTE) - BASE).div_euclid(MINUTE);
    let of = |minutes: &[i64]| minutes.iter().map(|minute| at(*minute)).collect::<BTreeSet<_>>();
    let ended_after = BASE + 7 * MINUTE;
    assert_eq!(minutes(Again { ended_after, from: BASE - MINUTE, records: 0 }), of(&[7, 8]));
    assert_eq!(minutes(Again { ended_after, from: BASE - MINUTE, records: 1 }), of(&[3, 7, 8]));
    assert_eq!(minutes(Again { ended_after, from: BASE + 5 * MINUTE, records: 9 }), of(&[5, 6, 7, 8]));
}
