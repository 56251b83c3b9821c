//! Damage no owner may serve over: it is done while nobody owns the shard, must be refused, and is then repaired.

use souk_model::journal::ShardId;
use souk_model::time::SECOND;

use crate::faults::Fault;
use crate::invariants::Violation;
use crate::journal::LogDamage;
use crate::node::OwnerId;
use crate::plan::Plan;
use crate::store::StoreBackup;
use crate::world::{Happening, World};

/// How often damage is tried while the shard has nothing to damage yet.
const TRIES: u32 = 20;
/// How often repair waits for somebody to have met the damage: with owners dying all the time it takes its time.
const PATIENCE: u32 = 12;

#[derive(Debug)]
pub struct Damage {
    fault: Fault,
    state: State,
    tries: u32,
    refusals: u32,
    waited: u32,
}

#[derive(Debug)]
enum State {
    Planned,
    Done { shard: ShardId, backup: Option<StoreBackup> },
    Repaired,
}

impl Damage {
    pub fn planned(plan: &Plan) -> Option<Self> {
        plan.refusal().map(|fault| Self { fault, state: State::Planned, tries: 0, refusals: 0, waited: 0 })
    }

    pub fn is_done_to(&self, shard: ShardId) -> bool {
        matches!(&self.state, State::Done { shard: damaged, .. } if *damaged == shard)
    }

    /// Whether nothing is damaged, nor about to be.
    fn is_over(&self) -> bool {
        matches!(self.state, State::Repaired) || (matches!(self.state, State::Planned) && self.tries >= TRIES)
    }

    /// An owner said so.
    pub fn refused(&mut self) {
        self.refusals += 1;
    }
}

impl World {
    /// Whether no shard is damaged, nor about to be.
    pub fn is_repaired(&self) -> bool {
        self.damage.as_ref().is_none_or(Damage::is_over)
    }

    pub fn plan_damage(&mut self) {
        if self.damage.is_some() {
            let after = self.chaos.rng.between(20, 50) * SECOND;
            self.schedule.after(after, Happening::Damage);
        }
    }

    pub fn damage_step(&mut self) {
        let Some(mut damage) = self.damage.take() else { return };
        damage.state = match std::mem::replace(&mut damage.state, State::Repaired) {
            State::Planned => self.do_damage(&mut damage),
            State::Done { shard, backup } if damage.refusals == 0 && damage.waited < PATIENCE => {
                damage.waited += 1;
                self.schedule.after(10 * SECOND, Happening::Damage);
                State::Done { shard, backup }
            }
            State::Done { shard, backup } => self.repair(&damage, shard, backup),
            State::Repaired => State::Repaired,
        };
        self.damage = Some(damage);
    }

    fn do_damage(&mut self, damage: &mut Damage) -> State {
        damage.tries += 1;
        let shards: Vec<ShardId> = self.journal.shards().collect();
        let shard = shards[self.chaos.rng.index(shards.len())];
        let Some(backup) = self.try_damage(shard, damage.fault) else {
            if damage.tries < TRIES && !self.chaos.is_calm() {
                self.schedule.after(2 * SECOND, Happening::Damage);
            }
            return State::Planned;
        };
        self.crash_all(shard);
        self.schedule.after(15 * SECOND, Happening::Damage);
        State::Done { shard, backup }
    }

    /// Damages the shard; `None` when there is nothing to damage yet.
    fn try_damage(&mut self, shard: ShardId, fault: Fault) -> Option<Option<StoreBackup>> {
        // A write under way could commit a cut that needs nothing of what is damaged.
        if self.store.is_cas_under_way(shard) {
            return None;
        }
        let position = self.store.manifest(shard)?.position;
        let end = self.journal.whole(shard).len() as u64;
        let damage = match fault {
            Fault::RetentionAbovePosition if end > position => LogDamage::HeadLost(position + 1),
            Fault::LogTruncated if position > 0 => LogDamage::TailLost(position - 1),
            Fault::TopicRecreated if position > 0 => LogDamage::Recreated,
            Fault::BitFlip | Fault::OlderBackup | Fault::WrongTimestampWrite => {
                return self.store.damage(shard, fault, &mut self.chaos).map(Some);
            }
            _ => return None,
        };
        self.journal.damage(shard, Some(damage));
        self.chaos.done(fault);
        Some(None)
    }

    fn repair(&mut self, damage: &Damage, shard: ShardId, backup: Option<StoreBackup>) -> State {
        let fault = damage.fault;
        if damage.refusals == 0 {
            self.object(Violation::new(
                "refusal",
                format!("{shard}: no owner refused to serve over damage: {}", fault.name()),
            ));
        }
        let serving = self.owners_of(shard).find(|id| self.owners[id].owner.is_live());
        if let Some(id) = serving {
            self.object(Violation::new(
                "refusal",
                format!("{shard} {id:?} serves over damage: {}", fault.name()),
            ));
        }
        self.crash_all(shard);
        match backup {
            Some(backup) => self.store.restore(backup),
            None => self.journal.damage(shard, None),
        }
        State::Repaired
    }

    fn crash_all(&mut self, shard: ShardId) {
        let all: Vec<OwnerId> = self.owners_of(shard).collect();
        for id in all {
            self.crash(id);
        }
    }
}
