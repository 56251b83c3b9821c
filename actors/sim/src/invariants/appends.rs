//! I6: an acknowledged append is in the journal as it was sent, and what was asked for once has its effect once.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use souk_model::journal::{Entry, ShardId};
use souk_model::output::Outcome;
use souk_model::record;
use souk_model::verdict::{Reason, Verdict};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;

use super::Violation;
use super::verdicts::Verdicts;
use crate::bridge::{Bridges, SOURCE};
use crate::clients::Open;

#[derive(Debug, Default)]
pub struct Appends {
    acknowledged: BTreeMap<(ShardId, u64), String>,
    poison: BTreeSet<(ShardId, u64)>,
}

impl Appends {
    /// A record stands in the journal.
    pub fn appended(&mut self, shard: ShardId, entry: &Entry) {
        let panics = b"souk.sim.panic";
        if entry.bytes.windows(panics.len()).any(|window| window == panics) {
            self.poison.insert((shard, entry.offset));
        }
    }

    /// A client was told so.
    pub fn acknowledged(&mut self, shard: ShardId, offset: u64, id: String) {
        self.acknowledged.insert((shard, offset), id);
    }

    /// Whether this record may panic the fold.
    pub fn is_poison(&self, shard: ShardId, offset: u64) -> bool {
        self.poison.contains(&(shard, offset))
    }

    /// Every acknowledged append stands where it was said to stand.
    pub fn are_kept(&self, shard: ShardId, entries: &[Entry]) -> Result<(), Violation> {
        let end = entries.len() as u64;
        let lost =
            self.acknowledged.range((shard, 0)..=(shard, u64::MAX)).find(|((_, offset), _)| *offset > end);
        match lost {
            Some(((_, offset), id)) => Err(Violation::new(
                "I6",
                format!("{shard}: {id} was acknowledged at {offset}, the log ends at {end}"),
            )),
            None => Ok(()),
        }
    }
}

/// A foreign record of a bridge is judged at most once, every other copy is a duplicate; and none is missing. Copies refused before
/// the stamp is looked at (out of bounds, out of range) are no judgement: each of them is.
pub fn bridged_once(
    bridges: &Bridges,
    journals: &BTreeMap<ShardId, Vec<Entry>>,
    verdicts: &Verdicts,
) -> Result<(), Violation> {
    let mut judged: BTreeMap<(u32, u64), u32> = BTreeMap::new();
    for (shard, entries) in journals {
        for entry in entries {
            let Some(stamp) = stamp_of(entry) else { continue };
            let verdict = verdicts.of_event(*shard, entry.offset);
            *judged.entry((stamp.partition, stamp.offset)).or_default() +=
                u32::from(verdict.is_some_and(|v| is_judgement(v, entry)));
        }
    }
    for foreign in &bridges.foreign {
        for offset in 1..=foreign.records.len() as u64 {
            match judged.get(&(foreign.partition, offset)) {
                // None at all: its event id is known from elsewhere.
                Some(0 | 1) => {}
                Some(times) => {
                    return Err(Violation::new(
                        "I6",
                        format!("foreign {}@{offset}: judged {times} times", foreign.partition),
                    ));
                }
                None => {
                    return Err(Violation::new(
                        "I6",
                        format!("foreign {}@{offset}: never appended", foreign.partition),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn stamp_of(entry: &Entry) -> Option<journal::BridgeStamp> {
    match journal::Record::decode(&*entry.bytes).ok()?.body? {
        Body::Event(event) => event.bridge.filter(|stamp| stamp.source == SOURCE),
        _ => None,
    }
}

fn is_judgement(verdict: &Verdict, entry: &Entry) -> bool {
    match verdict {
        Verdict::Duplicate => false,
        Verdict::Counted | Verdict::Late => true,
        Verdict::Rejected(refusal) => {
            refusal.reason != Reason::TimeOutOfRange && record::decode(&entry.bytes).is_ok()
        }
    }
}

/// A request nobody deliberately repeated under another id is done at most once.
pub fn done_once(open: &[Open], decided: &BTreeMap<String, Vec<Outcome>>) -> Result<(), Violation> {
    let times =
        |id: &str| decided.get(id).map_or(0, |outcomes| usize::from(outcomes.contains(&Outcome::Done)));
    for open in open {
        let Some(renamed_from) = &open.renamed_from else { continue };
        let total = times(&open.request.id) + times(renamed_from);
        if total > 1 {
            return Err(Violation::new(
                "I6",
                format!("{renamed_from} was asked for once and done {total} times"),
            ));
        }
    }
    Ok(())
}

/// Under one request id one body is done: another is refused, whichever came first. People who were erased may use theirs again.
pub fn one_body_each(
    erased: &BTreeSet<String>,
    journals: &BTreeMap<ShardId, Vec<Entry>>,
    verdicts: &Verdicts,
) -> Result<(), Violation> {
    let mut done: BTreeMap<(String, String), u64> = BTreeMap::new();
    for (shard, entries) in journals {
        for entry in entries {
            if verdicts.of_command(*shard, entry.offset) != Some(&Outcome::Done) {
                continue;
            }
            let Ok(record::Record::Command(command)) = record::decode(&entry.bytes) else { continue };
            let journal::Command { request_id, body_hash, .. } = command.command;
            if request_id.is_empty() || erased.contains(command.key.as_str()) {
                continue;
            }
            let name = (command.key.as_str().to_owned(), request_id);
            let first = *done.entry(name.clone()).or_insert(body_hash);
            if first != body_hash {
                return Err(Violation::new(
                    "I6",
                    format!("{shard}@{}: {} did two things under {}", entry.offset, name.0, name.1),
                ));
            }
        }
    }
    Ok(())
}
