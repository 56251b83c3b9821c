//! Seeds that once found a bug of the model, each with the name of what was wrong. They stay green.

use std::sync::Arc;

use souk_sim::plan::Plan;
use souk_sim::run::run;
use souk_sim::trace::Tracing;

fn stays_green(seed: u64, operations: u32) {
    let outcome = run(Plan { operations, ..Plan::of(seed) }, Tracing::Off, &Arc::default());
    assert!(
        outcome.violation.is_none(),
        "seed {seed}: {}",
        outcome.violation.map(|v| v.to_string()).unwrap_or_default()
    );
}

/// A merge that left a line's quantity alone still moved its time of adding, under the same version of the cart.
#[test]
fn a_merged_line_changes_whole_or_not_at_all() {
    stays_green(222, 366);
}

/// Two partitions saw two settings in different order, and kept different ones for ever.
#[test]
fn settings_overtaken_on_the_way_are_not_kept() {
    stays_green(362, 191);
}

/// A timer of a bucket that was not loaded fired a record late: what a batch of records touches was asked without the time the records
/// before them would move.
#[test]
fn a_batch_is_looked_at_with_the_time_its_own_records_move() {
    stays_green(1396, 147);
}

/// The store was away, then one replica that had missed a write answered: the segment counted as lost at once.
#[test]
fn only_answers_count_as_stale_reads() {
    stays_green(4852, 167);
}

/// Two runs of one seed are the same to the last byte of what was sent; two seeds are not.
#[test]
fn a_seed_is_one_run() {
    let library = Arc::default();
    let hash = |seed| run(Plan::of(seed), Tracing::Hashed, &library).hash;
    assert_eq!(hash(100), hash(100));
    assert_ne!(hash(100), hash(101));
}
