//! The fold against the recount: two readings of SEMANTICS.md, one journal, one result.
//!
//! Random journals are folded by `souk_model` and counted again by `souk_sim::recount`, which was written from the page alone.
//! Verdicts, ledgers, users, products, alerts and every instance of every metric must be equal, and a fold that was cut,
//! dropped and loaded on the way must not show it.

mod asks;
mod author;
mod case;
mod check;
mod cuts;
mod events;
mod grow;
mod regressions;
mod settings;
mod shape;
mod shrink;

use std::fmt::Write as _;
use std::sync::Arc;
use std::thread;

use prost::Message as _;
use souk_model::shard::SettingsLibrary;
use souk_proto::journal::v1::Record;
use souk_sim::recount::compare::Difference;

/// As many as take about a minute in the test profile.
const SEEDS: u64 = 1_000;
/// Differences told in full.
const TOLD: usize = 8;

fn failure(seed: u64) -> Option<String> {
    let library = Arc::new(SettingsLibrary::default());
    let grown = grow::grow(seed, &library);
    if !grown.unsettled.is_empty() {
        return Some(format!("seed {seed} never settles: {:?}", grown.unsettled));
    }
    let found = check::differences(&grown.case, seed, &library);
    let first = found.first()?.clone();
    if std::env::var_os("SOUK_SHRINK").is_none() {
        return Some(told(seed, &found, &grown.case));
    }
    let of = |difference: &Difference| difference.key.split([' ', '@']).next().map(str::to_owned);
    let same = |difference: &Difference| difference.id == first.id && of(difference) == of(&first);
    let small = shrink::shrink(grown.case, |case| check::differences(case, seed, &library).iter().any(same));
    Some(told(seed, &check::differences(&small, seed, &library), &small))
}

fn told(seed: u64, found: &[Difference], case: &case::Case) -> String {
    let mut text = format!("seed {seed}: {} differences", found.len());
    for difference in found.iter().take(TOLD) {
        let _infallible = write!(text, "\n  {difference}");
    }
    let named = found.iter().filter_map(|difference| difference.key.split_once('@')).take(TOLD);
    for (shard, offset) in named {
        let at = case
            .entries()
            .find(|(id, entry, _)| id.to_string() == shard && entry.offset.to_string() == offset);
        let record = at.map(|(_, entry, _)| Record::decode(&*entry.bytes));
        let _infallible = write!(text, "\n  {shard}@{offset} is {record:?}");
    }
    if case.records.len() <= 60 {
        let _infallible = write!(text, "\nof\n{}", case.settings);
        for (shard, entry, skipped) in case.entries() {
            let record = Record::decode(&*entry.bytes);
            let _infallible = write!(
                text,
                "\n  {shard}@{} A={} skipped={skipped} {record:?}",
                entry.offset, entry.append_time
            );
        }
    }
    text
}

/// Runs the seeds on two threads, and says of the first few that differ how.
fn run(seeds: impl Iterator<Item = u64> + Clone + Sync) {
    let few = |lane: usize| seeds.clone().skip(lane).step_by(2).filter_map(failure).take(2).collect();
    let failures: Vec<String> = thread::scope(|scope| {
        let other = scope.spawn(|| few(1));
        let mut failures: Vec<String> = few(0);
        failures.extend(other.join().expect("a panic of a seed is the test's"));
        failures
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn journals_fold_and_recount_alike() {
    run(0..SEEDS);
}

#[test]
#[ignore = "two minutes with --release"]
fn ten_thousand_journals() {
    run(0..10_000);
}

/// One seed, made small: `SOUK_SHRINK=1 SOUK_SEED=7 cargo test -p souk-sim --test recount_model one -- --ignored`.
#[test]
#[ignore = "for looking at one seed"]
#[allow(clippy::disallowed_methods, reason = "a person names the seed")]
fn one_seed() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("SOUK_SEED").unwrap_or(0);
    run(first..first + number("SOUK_SEEDS").unwrap_or(1));
}
