//! I1: metrics, carts, orders and stock equal the recount of the final journals, to the last piece and cent.

use std::collections::BTreeMap;

use souk_model::journal::{Entry, ShardId};
use souk_model::output::Outcome;
use souk_model::shard::Shard;
use souk_model::verdict::Verdict as FoldVerdict;

use super::Violation;
use crate::observed;
use crate::recount::compare::{self, Difference, Observed};
use crate::recount::{Input, JournalRecord, Partition, ProductView, Recount, UserView, Verdict, recount};
use crate::settings;
use crate::workload::SHOP;
use crate::world::World;

/// Characters two texts may have in common before they are left out.
const SAME: usize = 60;
/// Characters shown of either.
const PART: usize = 100;

/// Recounts the journals and holds the folds against it: users and products as folded from scratch, series as their owners hold them.
pub fn check(
    world: &World,
    journals: &BTreeMap<ShardId, Vec<Entry>>,
    folds: &BTreeMap<ShardId, Shard>,
) -> Result<(), Violation> {
    let mut expected =
        recount(&input(world, journals)).map_err(|error| Violation::new("I1", error.to_string()))?;
    told(compare::broken_laws(&expected))?;
    let mut got = Observed::default();
    for (id, shard) in folds {
        observed::take_shard(&mut got, *id, shard)
            .map_err(|error| Violation::new("I1", error.to_string()))?;
        take_verdicts(&mut got, world, *id, &journals[id]);
        let owner = world.current.get(id).and_then(|owner| world.owners.get(owner));
        if let Some(owner) = owner {
            observed::take_series(&mut got, SHOP, owner.owner.fold())
                .map_err(|error| Violation::new("I1", error))?;
        }
    }
    align(&mut expected, &mut got);
    told(compare::differences(&expected, &got))
}

fn input(world: &World, journals: &BTreeMap<ShardId, Vec<Entry>>) -> Input {
    let partitions = journals.iter().map(|(shard, entries)| Partition {
        shard: observed::name(*shard),
        records: entries
            .iter()
            .map(|entry| JournalRecord {
                offset: entry.offset,
                append_ms: entry.append_time,
                bytes: entry.bytes.to_vec(),
            })
            .collect(),
        skipped: world
            .store
            .manifest(*shard)
            .map(|manifest| manifest.skips.keys().copied().collect())
            .unwrap_or_default(),
    });
    Input { settings: settings::INITIAL.to_owned(), partitions: partitions.collect() }
}

fn take_verdicts(got: &mut Observed, world: &World, id: ShardId, entries: &[Entry]) {
    let verdicts = &world.ledger.verdicts;
    for offset in entries.iter().map(|entry| entry.offset) {
        let event = verdicts.of_event(id, offset).map(|verdict| match verdict {
            FoldVerdict::Counted => Verdict::Counted,
            FoldVerdict::Duplicate => Verdict::Duplicate,
            FoldVerdict::Late => Verdict::Late,
            FoldVerdict::Rejected(refusal) => Verdict::Rejected(refusal.reason),
        });
        let command = verdicts.of_command(id, offset).map(|outcome| match outcome {
            Outcome::Done => Verdict::Done,
            Outcome::Refused(refusal) => Verdict::Refused(refusal.reason),
        });
        if let Some(verdict) = event.or(command) {
            got.verdicts.get_or_insert_default().insert((observed::name(id), offset), verdict);
        }
    }
}

/// Leaves out what only one side keeps: actors nothing is known of, holds by order, which no reader is shown.
fn align(expected: &mut Recount, got: &mut Observed) {
    for product in expected.products.values_mut() {
        product.holds.clear();
    }
    let nobody = UserView::default();
    expected.users.retain(|_, view| *view != nobody);
    let nothing = ProductView::default();
    expected.products.retain(|_, view| *view != nothing);
    if let Some(users) = &mut got.users {
        users.retain(|_, view| *view != nobody);
    }
    if let Some(products) = &mut got.products {
        products.retain(|_, view| *view != nothing);
    }
    if let Some(ledgers) = &mut got.ledgers {
        expected.ledgers.retain(|key, ledger| ledger.facts > 0 || ledgers.contains_key(key));
        ledgers.retain(|key, ledger| ledger.facts > 0 || expected.ledgers.contains_key(key));
    }
}

fn told(differences: Vec<Difference>) -> Result<(), Violation> {
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(Violation::of(first.id, differences.iter().map(line))),
    }
}

/// A difference that fits a line: of two long texts only what follows their common beginning.
fn line(difference: &Difference) -> String {
    let Difference { id, key, expected, got } = difference;
    let common = expected.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
    let skip = if common > SAME { common - SAME / 2 } else { 0 };
    let shown = |text: &str| {
        let dots = if skip > 0 { "…" } else { "" };
        let part: String = text.chars().skip(skip).take(PART).collect();
        format!("{dots}{part}")
    };
    format!("{id} {key}: expected {}, got {}", shown(expected), shown(got))
}
