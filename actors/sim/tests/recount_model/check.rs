//! Folds a case, recounts it, and says where the two differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::metric::TimeRange;
use souk_model::output::{Outcome, Output, Outputs};
use souk_model::owner::effect::PeerMessage;
use souk_model::owner::fold::Fold;
use souk_model::shard::{SettingsLibrary, Shard};
use souk_model::time::HOUR;
use souk_model::verdict::Verdict as FoldVerdict;
use souk_proto::journal::v1::Record;
use souk_proto::journal::v1::record::Body;
use souk_sim::observed;
use souk_sim::recount::compare::{self, Difference, Observed};
use souk_sim::recount::{AlertView, ProductView, Recount, Verdict, recount};
use souk_sim::rng::Rng;

use crate::case::{Case, SHARDS, fold, fresh};

/// Messages between shards per round, and rounds after which everything has arrived.
const BUDGET: usize = 16;
const ROUNDS: usize = 200;
/// Of windows by the second no longer range is answered whole.
const LONGEST: i64 = 2 * HOUR;

/// The folds of a case, and what they said on the way.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) shards: BTreeMap<ShardId, Shard>,
    pub(crate) observed: Observed,
}

/// Every difference between the fold of a case and its recount.
pub(crate) fn differences(case: &Case, seed: u64, library: &Arc<SettingsLibrary>) -> Vec<Difference> {
    let mut expected = match recount(&case.input()) {
        Ok(expected) => expected,
        Err(error) => return vec![difference("recount", &error.to_string())],
    };
    let mut found = compare::broken_laws(&expected);
    let ranges = ranges(&expected);
    let mut folded = match folded(case, seed, &ranges, library) {
        Ok(folded) => folded,
        Err(error) => return vec![difference("fold", &error)],
    };
    align(&mut expected, &mut folded.observed);
    found.extend(compare::differences(&expected, &folded.observed));
    found.extend(crate::cuts::differences(case, seed, (&folded, &ranges), library));
    found
}

pub(crate) fn difference(key: &str, got: &str) -> Difference {
    Difference { id: "fold", key: key.to_owned(), expected: String::new(), got: got.to_owned() }
}

/// Where windows start that anything was counted in: a query of all of them over days of silence would be cut short.
fn ranges(expected: &Recount) -> Vec<TimeRange> {
    let starts = expected.instances().into_keys().map(|instance| instance.span.start);
    let hours: BTreeSet<i64> =
        starts.filter(|start| *start > i64::MIN).map(|start| start.div_euclid(HOUR)).collect();
    let mut ranges: Vec<TimeRange> = vec![TimeRange { start: 0, end: 0 }]; // for `total`, which starts nowhere
    for hour in hours {
        let (start, end) = (hour * HOUR, (hour + 1) * HOUR);
        match ranges.last_mut() {
            Some(last) if last.end == start && last.end - last.start < LONGEST => last.end = end,
            _ => ranges.push(TimeRange { start, end }),
        }
    }
    ranges
}

fn folded(
    case: &Case,
    seed: u64,
    ranges: &[TimeRange],
    library: &Arc<SettingsLibrary>,
) -> Result<Folded, String> {
    let mut rng = Rng::of(seed, "tallies");
    let lossy = rng.one_in(2);
    let mut shards: BTreeMap<ShardId, Shard> =
        SHARDS.into_iter().map(|id| (id, fresh(id, &case.settings, library))).collect();
    let mut observed = Observed::default();
    let mut out = Outputs::default();
    for (id, entry, skipped) in case.entries() {
        let Some(shard) = shards.get_mut(&id) else { continue };
        out.items.clear();
        fold(shard, &entry, skipped, &mut out);
        take_verdicts(&mut observed, id, shard, &entry.bytes, entry.offset, &out);
        if rng.one_in(20) {
            exchange(&mut shards, |_| 1, &mut |_| lossy && rng.one_in(4));
        }
    }
    for _ in 0..ROUNDS {
        exchange(&mut shards, |_| 1, &mut |_| false);
    }
    for (id, shard) in &shards {
        take(&mut observed, *id, shard, ranges)?;
    }
    Ok(Folded { shards, observed })
}

/// One round of messages between the shards; `epoch` says under which a shard sends, `lost` which message never arrives.
/// Gives how many were sent.
pub(crate) fn exchange(
    shards: &mut BTreeMap<ShardId, Shard>,
    epoch: impl Fn(ShardId) -> u64,
    lost: &mut dyn FnMut(&PeerMessage) -> bool,
) -> usize {
    let mut sent = Vec::new();
    for (id, shard) in shards.iter_mut() {
        sent.extend(
            shard.peer_messages(epoch(*id), BUDGET).into_iter().map(|(to, message)| (*id, to, message)),
        );
    }
    let count = sent.len();
    for (from, to, message) in sent {
        if !lost(&message)
            && let Some(shard) = shards.get_mut(&to)
        {
            shard.receive(from, message);
        }
    }
    count
}

/// The fold's word on one record: on an event, on a command, or that a command was no command.
fn take_verdicts(
    observed: &mut Observed,
    id: ShardId,
    shard: &Shard,
    bytes: &[u8],
    offset: u64,
    out: &Outputs,
) {
    let mut word = out.items.iter().find_map(|output| match output {
        Output::Verdict { verdict, .. } => Some(match verdict {
            FoldVerdict::Counted => Verdict::Counted,
            FoldVerdict::Duplicate => Verdict::Duplicate,
            FoldVerdict::Late => Verdict::Late,
            FoldVerdict::Rejected(refusal) => Verdict::Rejected(refusal.reason),
        }),
        Output::Decided { outcome: Outcome::Done, .. } => Some(Verdict::Done),
        Output::Decided { outcome: Outcome::Refused(refusal), .. } => Some(Verdict::Refused(refusal.reason)),
        _ => None,
    });
    let is_command = || matches!(Record::decode(bytes), Ok(Record { body: Some(Body::Command(_)) }));
    if word.is_none() && is_command() {
        let letter = shard.dead_letters(None).find(|(at, _)| at.position == offset);
        word = letter.map(|(_, letter)| Verdict::Refused(letter.refusal.reason));
    }
    if let Some(word) = word {
        observed.verdicts.get_or_insert_default().insert((observed::name(id), offset), word);
    }
}

/// Everything a shard holds, in the recount's words.
pub(crate) fn take(
    observed: &mut Observed,
    id: ShardId,
    shard: &Shard,
    ranges: &[TimeRange],
) -> Result<(), String> {
    observed::take_shard(observed, id, shard).map_err(|error| error.to_string())?;
    for shop in ["main", "b"] {
        for within in ranges {
            observed::take_series_of(observed, shop, shard, *within)?;
        }
    }
    let Shard::Products(products) = shard else { return Ok(()) };
    let alerts = products.alerts().after(None).map(|(at, alert)| AlertView {
        offset: at.position,
        kind: alert.kind,
        product: alert.actor.as_str().to_owned(),
    });
    observed.alerts.get_or_insert_default().insert(observed::name(id), alerts.collect());
    let held = products.each_product(|key, product| {
        let shop = key.split_once('/').map_or("", |(shop, _)| shop);
        if let Some(view) = observed.products.get_or_insert_default().get_mut(key) {
            let holds = product
                .holds()
                .map(|(user, order, pieces)| ((format!("{shop}/{user}"), order.to_owned()), pieces));
            view.holds = holds.collect();
        }
    });
    held.map_err(|error| error.to_string())
}

/// Leaves out what is no difference: actors and books nothing is known of.
pub(crate) fn align(expected: &mut Recount, got: &mut Observed) {
    let nothing = ProductView::default();
    expected.products.retain(|_, view| *view != nothing);
    got.products.get_or_insert_default().retain(|_, view| *view != nothing);
    let users = got.users.get_or_insert_default();
    users.retain(|key, _| !key.starts_with("~/"));
    let ledgers = got.ledgers.get_or_insert_default();
    let empty: BTreeSet<_> =
        expected.ledgers.iter().filter(|(_, ledger)| ledger.facts == 0).map(|(key, _)| key.clone()).collect();
    expected.ledgers.retain(|key, _| !empty.contains(key) || ledgers.contains_key(key));
    ledgers.retain(|key, ledger| ledger.facts > 0 || expected.ledgers.contains_key(key));
    let alerts = got.alerts.get_or_insert_default();
    for id in SHARDS.into_iter().filter(|id| id.journal == Journal::Products) {
        alerts.entry(observed::name(id)).or_default();
    }
    got.metrics.get_or_insert_default();
    got.verdicts.get_or_insert_default();
}
