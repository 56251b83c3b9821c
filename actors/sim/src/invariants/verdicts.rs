//! I4: received = counted + duplicate + late + rejected; every event has one verdict, and every owner says the same one.

use std::collections::BTreeMap;

use souk_model::journal::ShardId;
use souk_model::output::{Outcome, Output};
use souk_model::shard::Shard;
use souk_model::verdict::Verdict;

use super::Violation;

#[derive(Debug, Default)]
pub struct Verdicts {
    events: BTreeMap<(ShardId, u64), Verdict>,
    commands: BTreeMap<(ShardId, u64), Outcome>,
}

impl Verdicts {
    /// Takes what an owner, or a fold from scratch, says of the records of its shard.
    pub fn take(&mut self, shard: ShardId, outputs: &[Output]) -> Result<(), Violation> {
        for output in outputs {
            match output {
                Output::Verdict { offset, verdict } => same(&mut self.events, shard, *offset, verdict)?,
                Output::Decided { offset, outcome, .. } => same(&mut self.commands, shard, *offset, outcome)?,
                _ => {}
            }
        }
        Ok(())
    }

    pub fn of_event(&self, shard: ShardId, offset: u64) -> Option<&Verdict> {
        self.events.get(&(shard, offset))
    }

    pub fn of_command(&self, shard: ShardId, offset: u64) -> Option<&Outcome> {
        self.commands.get(&(shard, offset))
    }

    /// Verdicts and the shard's own counts, once everything was folded.
    pub fn add_up(&self, shard: ShardId, fold: &Shard) -> Result<(), Violation> {
        let counts = fold.counts();
        let events = self.events.range((shard, 0)..=(shard, u64::MAX));
        let (mut received, mut counted, mut duplicate, mut late, mut rejected) = (0, 0, 0, 0, 0);
        for (_, verdict) in events {
            received += 1;
            match verdict {
                Verdict::Counted => counted += 1,
                Verdict::Duplicate => duplicate += 1,
                Verdict::Late => late += 1,
                Verdict::Rejected(_) => rejected += 1,
            }
        }
        let own = (counts.received, counts.counted, counts.duplicate, counts.late, counts.rejected);
        if !counts.add_up() || own != (received, counted, duplicate, late, rejected) {
            let seen = (received, counted, duplicate, late, rejected);
            return Err(Violation::new("I4", format!("{shard}: verdicts {seen:?}, counts {own:?}")));
        }
        Ok(())
    }
}

fn same<T: Clone + PartialEq + std::fmt::Debug>(
    known: &mut BTreeMap<(ShardId, u64), T>,
    shard: ShardId,
    offset: u64,
    said: &T,
) -> Result<(), Violation> {
    let first = known.entry((shard, offset)).or_insert_with(|| said.clone());
    if first == said {
        return Ok(());
    }
    Err(Violation::new("I4", format!("{shard} offset {offset}: once {first:?}, once {said:?}")))
}
