//! What users and products shards have in common: identity, time, settings, counts, dead letters, and the record being folded.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use souk_proto::journal::v1 as journal;
use souk_proto::state::v1 as state;

use crate::cut::segment::{self, HEADER};
use crate::journal::{Entry, Journal, Partitions, ShardId};
use crate::key::ActorKey;
use crate::keying::Keying;
use crate::limits::DEAD_LETTER_BYTES;
use crate::output::{Output, Outputs};
use crate::owner::fold::{SectionDraft, SectionTotals};
use crate::planted::{Bug, Planted};
use crate::record::Record;
use crate::ring::Ring;
use crate::settings::{Clock, Settings, SettingsErrors};
use crate::shard::ahead::{Ahead, Decoded};
use crate::shard::library::SettingsLibrary;
use crate::time::{FUTURE_BOUND, Millis, Now, PAST_BOUND};
use crate::verdict::{Reason, Refusal, Verdict};

/// How a shard is made. Nothing in it decides anything but what it starts from.
#[derive(Debug, Clone)]
pub struct ShardConfig {
    pub id: ShardId,
    pub partitions: Partitions,
    /// By what the users journal is partitioned.
    pub keying: Keying,
    /// Settings before the first Settings record, as full text.
    pub settings: String,
    /// Remembers compiled settings by text: representation only.
    pub library: Arc<SettingsLibrary>,
    /// The newest fold version this build knows: a barrier beyond it stops the shard.
    pub build_version: u32,
    pub planted: Planted,
}

/// Counts of events by verdict: received = counted + duplicate + late + rejected (I4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub received: u64,
    pub counted: u64,
    pub duplicate: u64,
    pub late: u64,
    pub rejected: u64,
}

impl Counts {
    pub(super) fn add(&mut self, verdict: &Verdict) {
        self.received += 1;
        match verdict {
            Verdict::Counted => self.counted += 1,
            Verdict::Duplicate => self.duplicate += 1,
            Verdict::Late => self.late += 1,
            Verdict::Rejected(_) => self.rejected += 1,
        }
    }

    /// I4.
    pub fn add_up(&self) -> bool {
        self.received == self.counted + self.duplicate + self.late + self.rejected
    }
}

/// A record that could not be folded, quarantined with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub refusal: Refusal,
    pub time: Millis,
    /// Its first [`DEAD_LETTER_BYTES`].
    pub original: Vec<u8>,
}

/// Where and when a record was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    pub offset: u64,
    pub append_time: Millis,
}

impl From<&Entry> for At {
    fn from(entry: &Entry) -> Self {
        Self { offset: entry.offset, append_time: entry.append_time }
    }
}

/// The record being folded, between its slices.
#[derive(Debug)]
struct Pending {
    offset: u64,
    /// Set when its event time is out of range.
    refusal: Option<Refusal>,
    /// High water before this record moved time.
    high_water_before: Millis,
}

#[derive(Debug)]
pub(super) struct Core {
    pub id: ShardId,
    pub partitions: Partitions,
    pub keying: Keying,
    pub planted: Planted,
    pub build_version: u32,
    pub settings: Arc<Settings>,
    pub settings_revision: u64,
    pub library: Arc<SettingsLibrary>,
    pub position: u64,
    pub log_time: Millis,
    pub high_water: Millis,
    pub out_of_reach: Millis,
    pub fold_version: u32,
    pub counts: Counts,
    pub folded_by_version: BTreeMap<u32, u64>,
    pub dead_letters: Ring<DeadLetter>,
    ahead: Ahead,
    /// Bounds of where log time and high water stand once all that was looked at is folded.
    log_time_ahead: Millis,
    high_water_ahead: Millis,
    pending: Option<Pending>,
    /// The header of the cut being encoded.
    frozen_header: Vec<u8>,
    /// What [`Bug::WallClockInFold`] reads.
    #[cfg(feature = "planted")]
    pub planted_clock: Millis,
}

impl Core {
    pub(super) fn new(config: ShardConfig) -> Result<Self, SettingsErrors> {
        Ok(Self {
            id: config.id,
            partitions: config.partitions,
            keying: config.keying,
            planted: config.planted,
            build_version: config.build_version,
            settings: config.library.compile(&config.settings)?,
            settings_revision: 0,
            library: config.library,
            position: 0,
            log_time: 0,
            high_water: 0,
            out_of_reach: 0,
            fold_version: FIRST_FOLD_VERSION,
            counts: Counts::default(),
            folded_by_version: BTreeMap::new(),
            dead_letters: Ring::default(),
            ahead: Ahead::default(),
            log_time_ahead: 0,
            high_water_ahead: 0,
            pending: None,
            frozen_header: Vec::new(),
            #[cfg(feature = "planted")]
            planted_clock: 0,
        })
    }

    pub(super) fn watermark(&self) -> Millis {
        self.high_water.saturating_sub(self.settings.fold.lateness)
    }

    /// Whether the actor is one of this shard's. What is decided elsewhere would never be answered.
    pub(super) fn is_home(&self, key: &ActorKey) -> bool {
        let home = match self.id.journal {
            Journal::Users => self.keying.partition(key, self.partitions.users),
            Journal::Products => key.partition(self.partitions.products),
        };
        home == self.id.partition
    }

    /// Whether time goes on without records: a history journal has no ticks.
    pub(super) fn is_live(&self) -> bool {
        self.settings.fold.clock == Clock::Live
    }

    /// Where the shard stands for the record being folded.
    pub(super) fn now(&self, offset: u64) -> Now {
        let (log_time, high_water, out_of_reach) = (self.log_time, self.high_water, self.out_of_reach);
        Now { offset, log_time, high_water, watermark: self.watermark(), out_of_reach }
    }

    /// Where it stands while a watermark timer of the record being folded fires.
    pub(super) fn now_at_timer(&self, deadline: Millis) -> Now {
        let lateness = self.settings.fold.lateness;
        let (offset, before) = self
            .pending
            .as_ref()
            .map_or((self.position, self.high_water), |p| (p.offset, p.high_water_before));
        let high_water = before.max(deadline.saturating_add(lateness));
        let (log_time, out_of_reach) = (self.log_time, self.out_of_reach);
        Now { offset, log_time, high_water, watermark: high_water.saturating_sub(lateness), out_of_reach }
    }

    /// The decoded entry, and how far log time and high water will at most stand with it, without folding it. What was looked at
    /// before is folded before: it moves them too.
    pub(super) fn look_ahead(&mut self, entry: &Entry) -> (&Decoded, Millis, Millis) {
        let history = self.settings.fold.clock == Clock::History;
        let log_time = self.look_past(entry);
        let decoded = self.ahead.look(entry);
        let moved = match &decoded.record {
            // An event too old for this log time may not be for the one it is folded at.
            Ok(Record::Event(event)) => Some(event.time.unwrap_or(log_time).min(log_time)),
            Ok(record) => high_water_of(record, log_time, history),
            Err(_) => None,
        };
        let high_water = self.high_water.max(self.high_water_ahead).max(moved.unwrap_or(Millis::MIN));
        self.high_water_ahead = high_water;
        (decoded, log_time, high_water)
    }

    /// How far log time will at most stand with the entry; its bytes are not looked at.
    pub(super) fn look_past(&mut self, entry: &Entry) -> Millis {
        let append_time = self.append_time_seen(entry.append_time);
        self.log_time_ahead = self.log_time.max(self.log_time_ahead).max(append_time);
        self.log_time_ahead
    }

    /// Why this build may not fold the entry: a version barrier it does not know.
    pub(super) fn refuses(&mut self, entry: &Entry) -> Option<String> {
        let build_version = self.build_version;
        match self.look_ahead(entry).0.record {
            Ok(Record::VersionBarrier(version)) if version > build_version => Some(format!(
                "fold version {version} is in force from offset {}, this build knows {build_version}",
                entry.offset
            )),
            _ => None,
        }
    }

    /// The entry decoded, taken out of what was looked at ahead.
    pub(super) fn take_decoded(&mut self, entry: &Entry) -> Box<Decoded> {
        self.ahead.take(entry)
    }

    /// The entries decoded ahead, the next to be folded first.
    pub(super) fn next_decoded(&self) -> impl Iterator<Item = &Decoded> {
        self.ahead.iter()
    }

    /// Keeps a decoded entry for its next slice.
    pub(super) fn put_decoded(&mut self, offset: u64, decoded: Box<Decoded>) {
        self.ahead.put(offset, decoded);
    }

    /// Has an entry folded as one that cannot be decoded, without looking at it again: time moves, timers fire, it is quarantined.
    pub(super) fn put_refused(&mut self, entry: &Entry, refusal: Refusal) {
        self.ahead.put(entry.offset, Box::new(Decoded { record: Err(refusal), is_event: true }));
    }

    /// Takes up a record: moves time. Does nothing when it is already the one being folded.
    pub(super) fn begin(&mut self, at: At, decoded: &Decoded) {
        if self.pending.as_ref().is_some_and(|pending| pending.offset == at.offset) {
            return;
        }
        let high_water_before = self.high_water;
        let history = self.settings.fold.clock == Clock::History;
        self.log_time = self.log_time.max(self.append_time_seen(at.append_time));
        let mut refusal = None;
        if let Ok(record) = &decoded.record {
            match high_water_of(record, self.log_time, history) {
                Some(high_water) => self.high_water = self.high_water.max(high_water),
                None => refusal = out_of_range(record, self.log_time, history),
            }
        }
        let reach = self.settings.horizon.saturating_add(self.settings.fold.session_gap);
        self.out_of_reach = self.out_of_reach.max(self.high_water.saturating_sub(reach));
        self.pending = Some(Pending { offset: at.offset, refusal, high_water_before });
    }

    /// The append time the fold goes by: the journal's.
    fn append_time_seen(&self, append_time: Millis) -> Millis {
        #[cfg(feature = "planted")]
        if self.planted.has(Bug::WallClockInFold) {
            return self.planted_clock;
        }
        append_time
    }

    /// Freezes the header at the current position.
    pub(super) fn freeze(&mut self, header: &state::Header) {
        self.frozen_header = segment::write_single(HEADER, &header.encode_to_vec());
    }

    pub(super) fn header_draft(&mut self) -> SectionDraft {
        let blob = std::mem::take(&mut self.frozen_header);
        let summary = SectionTotals { actors: 0, bytes: blob.len() as u64, ..SectionTotals::default() };
        SectionDraft { section: HEADER, base: true, blob, summary }
    }

    /// The record is about to be applied: moves the position. Gives why it must not be, if its time is out of range.
    pub(super) fn finish(&mut self, at: At) -> Option<Refusal> {
        self.position = at.offset;
        let version = self.version_in_force();
        *self.folded_by_version.entry(version).or_insert(0) += 1;
        self.pending.take().and_then(|pending| pending.refusal)
    }

    /// The version the fold behaves as: the last barrier's, whatever the build could do.
    pub(super) fn version_in_force(&self) -> u32 {
        if self.planted.has(Bug::NoVersionBarrier) { self.build_version } else { self.fold_version }
    }

    /// Whether timers fire after the record: only when that bug is planted.
    pub(super) fn timers_come_late(&self) -> bool {
        self.planted.has(Bug::TimersAfterRecord)
    }

    /// A record that is not folded: quarantined, and if it was an event (or cannot be told) counted as rejected.
    pub(super) fn refuse(
        &mut self,
        at: At,
        bytes: &[u8],
        refusal: &Refusal,
        is_event: bool,
        out: &mut Outputs,
    ) {
        if is_event {
            self.judged(at, Verdict::Rejected(refusal.clone()), out);
        }
        let original = bytes[..bytes.len().min(DEAD_LETTER_BYTES)].to_vec();
        let letter = DeadLetter { refusal: refusal.clone(), time: self.log_time, original };
        self.dead_letters.push(at.offset, letter);
    }

    /// The fold's word on an event: counted once, told once.
    pub(super) fn judged(&mut self, at: At, verdict: Verdict, out: &mut Outputs) {
        self.counts.add(&verdict);
        out.push(Output::Verdict { offset: at.offset, verdict });
    }

    /// Settings from this position on; none when they are in force already. Unlawful or overtaken ones are refused and change nothing.
    /// What is lawful does not depend on the settings before: partitions may see two of them in different order.
    pub(super) fn change_settings(
        &mut self,
        settings: &journal::Settings,
    ) -> Result<Option<Arc<Settings>>, Refusal> {
        if self.planted.has(Bug::SettingsFromProcess) {
            return Ok(None);
        }
        let refused = |errors: SettingsErrors| {
            Refusal::new(Reason::SettingsInvalid, "settings.body", errors.to_string())
        };
        let compiled = self.library.compile(&settings.body).map_err(refused)?;
        if compiled.hash != settings.hash {
            return Err(Refusal::new(
                Reason::SettingsInvalid,
                "settings.hash",
                "must be the xxh3-64 of the body",
            ));
        }
        if compiled.fold.clock != self.settings.fold.clock {
            let message = "is fixed for the life of a journal";
            return Err(Refusal::new(Reason::SettingsInvalid, "settings.body.fold.clock", message));
        }
        let in_force = (self.settings_revision, self.settings.hash);
        match (settings.revision, compiled.hash).cmp(&in_force) {
            Ordering::Equal => Ok(None),
            Ordering::Less => Err(overtaken(in_force.0)),
            Ordering::Greater => {
                self.settings_revision = settings.revision;
                self.settings = Arc::clone(&compiled);
                Ok(Some(compiled))
            }
        }
    }
}

/// Why a command or a step is not taken by a shard its actor does not belong to.
pub(super) fn not_at_home(key: &ActorKey, here: ShardId) -> Refusal {
    let message = format!("{key:?} does not belong to {here}");
    Refusal::new(Reason::KeyPartitionMismatch, "actor_id", message)
}

fn overtaken(revision: u64) -> Refusal {
    let message = format!("revision {revision} is in force: propose the next one");
    Refusal::new(Reason::SettingsInvalid, "settings.revision", message)
}

/// The version every shard starts with.
pub const FIRST_FOLD_VERSION: u32 = 1;

/// What a record moves high water to; nothing when it does not move it.
fn high_water_of(record: &Record, log_time: Millis, history: bool) -> Option<Millis> {
    match record {
        Record::Event(event) => {
            let time = event.time.unwrap_or(log_time);
            (history || is_in_range(time, log_time)).then(|| time.min(log_time))
        }
        _ => (!history).then_some(log_time),
    }
}

fn is_in_range(time: Millis, log_time: Millis) -> bool {
    time <= log_time.saturating_add(FUTURE_BOUND) && time >= log_time.saturating_sub(PAST_BOUND)
}

fn out_of_range(record: &Record, log_time: Millis, history: bool) -> Option<Refusal> {
    match record {
        Record::Event(event) if !history && !is_in_range(event.time.unwrap_or(log_time), log_time) => {
            Some(Refusal::new(
                Reason::TimeOutOfRange,
                "event_time",
                "must lie within 7 days before and 5 minutes after its arrival; older events go into a history journal",
            ))
        }
        _ => None,
    }
}
