//! Carries out what an owner wants, in order. Between two effects its process may die or stand still.

use prost::Message;
use souk_model::journal::ShardId;
use souk_model::owner::{
    AppendKey, AppendOutcome, CasOutcome, CrashPoint, Effect, Input, StopReason, Tag, Unavailable,
};
use souk_model::time::SECOND;

use crate::faults::Fault;
use crate::invariants::Violation;
use crate::journal::AppendReply;
use crate::node::{OwnerId, Parked, Work};
use crate::owners::is_request;
use crate::panics;
use crate::world::{BridgeNews, ClientNews, Happening, Sender, StoreOp, World};

impl World {
    pub fn carry_out(&mut self, id: OwnerId, effects: Vec<Effect>) {
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            let now = self.now();
            if self.chaos.strikes(Fault::CrashBetweenEffects, 3_000) {
                return self.crash(id);
            }
            if self.chaos.strikes(Fault::OwnerPaused, 3_000) {
                self.pause(id);
            }
            let Some(incarnation) = self.owners.get_mut(&id) else { return };
            if incarnation.is_paused(now) {
                incarnation.backlog.extend(std::iter::once(effect).chain(effects).map(Work::Effect));
                return;
            }
            if is_request(&effect) {
                incarnation.in_flight += 1;
            }
            let shard = incarnation.shard;
            self.trace.note(now, format_args!("{shard} {id:?} wants {effect:?}"));
            self.carry_out_one(id, shard, effect);
        }
    }

    fn carry_out_one(&mut self, id: OwnerId, shard: ShardId, effect: Effect) {
        match effect {
            Effect::ReadManifest { tag } => self.ask_store(StoreOp::ReadManifest { owner: id, tag, shard }),
            Effect::WriteManifest { tag, condition, manifest } => {
                let fate = self.store.cas_fate(self.now(), &mut self.chaos);
                let reply = fate.told.then_some((id, tag));
                if let Some(after) = fate.apply_after {
                    self.store.cas_sent(shard);
                    let op = StoreOp::CompareAndSet { shard, condition, manifest, reply };
                    self.schedule.after(after, Happening::Store(op));
                }
                if !fate.told {
                    self.reply(fate.reply_after, id, Input::Flipped { tag, outcome: CasOutcome::Unknown });
                }
            }
            Effect::WriteSegments { tag, segments } => {
                let fate = self.store.write_fate(self.now(), &mut self.chaos);
                let op = StoreOp::Write { shard, segments, replicas: fate.replicas };
                self.schedule.after(fate.apply_after, Happening::Store(op));
                self.reply(fate.reply_after, id, Input::SegmentsWritten { tag, outcome: fate.outcome });
            }
            Effect::LoadSections { tag, sections } => {
                self.ask_store(StoreOp::Load { owner: id, tag, shard, sections })
            }
            Effect::DeleteSegments { segments } => {
                let late = if self.chaos.strikes(Fault::SegmentsWrittenLate, 6) { 20 * SECOND } else { 0 };
                self.schedule.after(late, Happening::Store(StoreOp::Delete { shard, segments }));
            }
            Effect::ReadEnds { tag } => {
                let available = !self.is_cut_off(shard);
                let result = self.journal.ends(shard).filter(|_| available).ok_or(Unavailable);
                let after = self.rng.between(1, 4);
                self.reply(after, id, Input::Ends { tag, result });
            }
            Effect::ReadEntries { tag, from } => self.read_entries(id, shard, tag, from),
            Effect::Append { tag, journal, key, record } => {
                let to = match &key {
                    AppendKey::Actor(key) => {
                        ShardId { journal, partition: key.partition(self.journal.partitions_of(journal)) }
                    }
                    AppendKey::Shard(shard) => *shard,
                };
                self.send_append(to, record.encode_to_vec(), Sender::Owner { owner: id, tag });
            }
            Effect::Send { to, message } => self.send_to_peer(id, shard, to, message),
            Effect::Publish { outputs } => self.publish(id, outputs),
            Effect::WakeAt { at } => self.wake_at(id, at),
            Effect::Passed(point) => self.passed(id, shard, point),
            Effect::Stop(reason) => self.stopped(id, shard, &reason),
        }
    }

    fn reply(&mut self, after: i64, owner: OwnerId, input: Input) {
        self.schedule.after(after, Happening::Input { owner, input });
    }

    fn ask_store(&mut self, op: StoreOp) {
        let after = self.store.latency(self.now(), &mut self.chaos);
        self.schedule.after(after, Happening::Store(op));
    }

    fn is_cut_off(&self, shard: ShardId) -> bool {
        // Damage shows as what it is, not as silence.
        self.damage.as_ref().is_none_or(|damage| !damage.is_done_to(shard))
            && self.journal.is_unavailable(shard, self.now())
    }

    fn read_entries(&mut self, id: OwnerId, shard: ShardId, tag: Tag, from: u64) {
        if self.is_cut_off(shard) {
            let after = self.rng.between(1, 50);
            return self.reply(after, id, Input::Entries { tag, result: Err(Unavailable) });
        }
        let stall =
            if self.chaos.strikes(Fault::ReadStalls, 60) { self.chaos.rng.between(1, 8) * SECOND } else { 0 };
        match self.journal.read(shard, from, &mut self.rng) {
            Some(entries) if entries.end >= from => {
                let after = stall + self.rng.between(1, 3);
                self.reply(after, id, Input::Entries { tag, result: Ok(entries) });
            }
            _ => {
                if let Some(incarnation) = self.owners.get_mut(&id) {
                    incarnation.parked = Some(Parked { tag, from });
                    self.schedule.after(stall + SECOND, Happening::PollTimeout { owner: id, tag });
                }
            }
        }
    }

    /// Answers a read held back at the end of the log, with whatever there is now.
    pub fn answer_parked(&mut self, id: OwnerId) {
        let Some(incarnation) = self.owners.get_mut(&id) else { return };
        let Some(parked) = incarnation.parked.take() else { return };
        if let Some(entries) = self.journal.read(incarnation.shard, parked.from, &mut self.rng) {
            self.reply(1, id, Input::Entries { tag: parked.tag, result: Ok(entries) });
        }
    }

    /// Hands a record to a producer; what it meets on its way is the journal's to say.
    pub fn send_append(&mut self, shard: ShardId, bytes: Vec<u8>, sender: Sender) {
        if self.closed {
            return self.tell_refused(1, sender);
        }
        let fate = self.journal.fate(shard, self.now(), &mut self.chaos);
        let mut told = matches!(fate.reply, AppendReply::Told);
        for after in fate.arrivals {
            let sender = if told { sender } else { Sender::Nobody };
            self.schedule.after(after, Happening::Arrive { shard, bytes: bytes.clone(), sender });
            told = false;
        }
        match fate.reply {
            AppendReply::Told => {}
            AppendReply::LostAfter(after) => self.tell_unknown(after, sender),
            AppendReply::RefusedAfter(after) => self.tell_refused(after, sender),
        }
    }

    fn passed(&mut self, id: OwnerId, shard: ShardId, point: CrashPoint) {
        match point {
            CrashPoint::CutFrozen => self.rival(shard, Fault::TakeoverDuringCut, 8),
            CrashPoint::EpochRaised => self.rival(shard, Fault::TakeoverDuringTakeover, 4),
            _ => {}
        }
        let (fault, one_in) = match point {
            CrashPoint::EpochRaised => (Fault::CrashEpochRaised, 6),
            CrashPoint::HeaderLoaded => (Fault::CrashHeaderLoaded, 6),
            CrashPoint::ReplayDone => (Fault::CrashReplayDone, 6),
            CrashPoint::StepsAppended => (Fault::CrashStepsAppended, 20),
            CrashPoint::CutFrozen => (Fault::CrashCutFrozen, 12),
            CrashPoint::SegmentsWritten => (Fault::CrashSegmentsWritten, 12),
            CrashPoint::ManifestFlipped => (Fault::CrashManifestFlipped, 12),
            CrashPoint::SupersededDeleted => (Fault::CrashSupersededDeleted, 12),
            CrashPoint::TallySent => (Fault::CrashTallySent, 60),
            CrashPoint::SkipListed => (Fault::CrashSkipListed, 2),
        };
        if self.chaos.strikes(fault, one_in) {
            self.crash(id);
        }
    }

    fn stopped(&mut self, id: OwnerId, shard: ShardId, reason: &StopReason) {
        let Some(incarnation) = self.owners.get(&id) else { return };
        let is_old_build = self.barrier && incarnation.build < 2;
        self.crash(id);
        match reason {
            StopReason::Refused(why) => match &mut self.damage {
                Some(damage) if damage.is_done_to(shard) => damage.refused(),
                _ if is_old_build => {}
                _ => self.object(Violation::new(
                    "refused",
                    format!("{shard} {id:?} refused undamaged data: {why}"),
                )),
            },
            StopReason::FoldPanicked { offset } if !self.ledger.appends.is_poison(shard, *offset) => {
                self.object(Violation::new(
                    "panic",
                    format!("{shard} at offset {offset}: {}", panics::last()),
                ));
            }
            _ => {}
        }
    }

    fn tell_unknown(&mut self, after: i64, sender: Sender) {
        match sender {
            Sender::Owner { owner, tag } => {
                self.reply(after, owner, Input::Appended { tag, outcome: AppendOutcome::Unknown });
            }
            other => self.tell_people(after, other, ClientNews::Unknown),
        }
    }

    fn tell_refused(&mut self, after: i64, sender: Sender) {
        match sender {
            Sender::Owner { owner, tag } => {
                self.reply(after, owner, Input::Appended { tag, outcome: AppendOutcome::Refused });
            }
            other => self.tell_people(after, other, ClientNews::Refused),
        }
    }

    fn tell_people(&mut self, after: i64, sender: Sender, news: ClientNews) {
        match sender {
            Sender::Client { request } => self.schedule.after(after, Happening::Client { request, news }),
            Sender::Bridge { bridge, .. } => {
                self.schedule.after(after, Happening::Bridge { bridge, news: BridgeNews::Failed });
            }
            Sender::Owner { .. } | Sender::Nobody => {}
        }
    }

    /// A record reaches its broker.
    pub fn arrive(&mut self, shard: ShardId, bytes: Vec<u8>, sender: Sender) {
        let now = self.now();
        let offset = if self.closed { None } else { self.journal.append(shard, now, bytes, &mut self.chaos) };
        let Some(offset) = offset else { return self.tell_refused(1, sender) };
        if let Some(entry) = self.journal.whole(shard).last() {
            self.ledger.appends.appended(shard, entry);
        }
        let after = self.rng.between(1, 3);
        match sender {
            Sender::Owner { owner, tag } => {
                self.reply(
                    after,
                    owner,
                    Input::Appended { tag, outcome: AppendOutcome::At { shard, offset } },
                );
            }
            Sender::Client { request } => {
                let news = ClientNews::Appended { shard, offset };
                self.schedule.after(after, Happening::Client { request, news });
            }
            Sender::Bridge { bridge, offset } => {
                let news = BridgeNews::Appended { offset };
                self.schedule.after(after, Happening::Bridge { bridge, news });
            }
            Sender::Nobody => {}
        }
        let waiting: Vec<OwnerId> =
            self.owners_of(shard).filter(|id| self.owners[id].parked.is_some()).collect();
        for id in waiting {
            self.answer_parked(id);
        }
    }

    fn send_to_peer(
        &mut self,
        id: OwnerId,
        from: ShardId,
        to: ShardId,
        message: souk_model::owner::PeerMessage,
    ) {
        let node_of = |world: &Self, id: Option<&OwnerId>| {
            id.and_then(|id| world.owners.get(id)).map_or(0, |owner| owner.node)
        };
        let nodes = (node_of(self, Some(&id)), node_of(self, self.current.get(&to)));
        let now = self.now();
        for delivery in self.net.send(now, nodes, (from, to), message, &mut self.chaos) {
            self.schedule.after(delivery.after, Happening::Peer(delivery));
        }
    }

    /// An operation reaches the store.
    pub fn store_op(&mut self, op: StoreOp) {
        let after = 1;
        let unavailable = self.store.is_unavailable(self.now());
        match op {
            StoreOp::ReadManifest { owner, tag, shard } => {
                let result = if unavailable {
                    Err(Unavailable)
                } else {
                    Ok(self.store.manifest(shard).cloned().map(Box::new))
                };
                self.reply(after, owner, Input::Manifest { tag, result });
            }
            StoreOp::CompareAndSet { shard, condition, manifest, reply } => {
                let outcome = self.store.compare_and_set(shard, condition, *manifest);
                if let Some((owner, tag)) = reply {
                    self.reply(after, owner, Input::Flipped { tag, outcome });
                }
            }
            StoreOp::Write { shard, segments, replicas } => self.store.write(shard, &segments, replicas),
            StoreOp::Load { owner, tag, shard, sections } => {
                let result = if unavailable {
                    Err(Unavailable)
                } else {
                    Ok(self.store.load(shard, &sections, &mut self.chaos))
                };
                self.reply(after, owner, Input::Sections { tag, result });
            }
            StoreOp::Delete { shard, segments } => self.store.delete(shard, &segments, &mut self.chaos),
        }
    }
}
