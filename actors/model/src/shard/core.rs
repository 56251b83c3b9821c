//! What users and products shards have in common: identity, time, settings, counts, dead letters, and the record being folded.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use souk_proto::journal::v1 as journal;
use souk_proto::state::v1 as state;

use crate::cut::segment::{self, HEADER};
use crate::journal::{Entry, Partitions, ShardId};
use crate::limits::{DEAD_LETTER_BYTES, DECODED_AHEAD};
use crate::output::{Output, Outputs};
use crate::owner::fold::{SectionDraft, SectionTotals};
use crate::planted::{Bug, Planted};
use crate::record::{self, Record};
use crate::ring::Ring;
use crate::settings::{Clock, Settings, SettingsErrors};
use crate::shard::library::SettingsLibrary;
use crate::time::{FUTURE_BOUND, Millis, Now, PAST_BOUND};
use crate::verdict::{Reason, Refusal, Verdict};

/// How a shard is made. Nothing in it decides anything but what it starts from.
#[derive(Debug, Clone)]
pub struct ShardConfig {
    pub id: ShardId,
    pub partitions: Partitions,
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

/// An entry decoded, or why it could not be, and whether it then counts as an event (it is one, or cannot be told).
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub record: Result<Record, Refusal>,
    pub is_event: bool,
}

/// The record being folded, between its slices.
#[derive(Debug)]
pub(super) struct Pending {
    pub offset: u64,
    pub decoded: Decoded,
    /// The fold's watermark before this record moved time.
    watermark_before: Millis,
}

#[derive(Debug)]
pub(super) struct Core {
    pub id: ShardId,
    pub partitions: Partitions,
    pub planted: Planted,
    pub build_version: u32,
    pub settings: Arc<Settings>,
    pub library: Arc<SettingsLibrary>,
    pub position: u64,
    pub log_time: Millis,
    pub high_water: Millis,
    pub fold_version: u32,
    pub counts: Counts,
    pub folded_by_version: BTreeMap<u32, u64>,
    pub dead_letters: Ring<DeadLetter>,
    /// Entries decoded by [`Core::look_ahead`] and not folded yet.
    ahead: BTreeMap<u64, Decoded>,
    pending: Option<Pending>,
    /// The header of the cut being encoded.
    frozen_header: Vec<u8>,
    /// Position of the newest cut begun.
    pub cut_position: u64,
    /// What [`Bug::WallClockInFold`] reads.
    #[cfg(feature = "planted")]
    pub planted_clock: Millis,
}

impl Core {
    pub(super) fn new(config: ShardConfig) -> Result<Self, SettingsErrors> {
        Ok(Self {
            id: config.id,
            partitions: config.partitions,
            planted: config.planted,
            build_version: config.build_version,
            settings: config.library.compile(&config.settings)?,
            library: config.library,
            position: 0,
            log_time: 0,
            high_water: 0,
            fold_version: FIRST_FOLD_VERSION,
            counts: Counts::default(),
            folded_by_version: BTreeMap::new(),
            dead_letters: Ring::default(),
            ahead: BTreeMap::new(),
            pending: None,
            frozen_header: Vec::new(),
            cut_position: 0,
            #[cfg(feature = "planted")]
            planted_clock: 0,
        })
    }

    pub(super) fn watermark(&self) -> Millis {
        self.high_water.saturating_sub(self.settings.fold.lateness)
    }

    /// Where the shard stands for the record being folded.
    pub(super) fn now(&self, offset: u64) -> Now {
        Now { offset, log_time: self.log_time, high_water: self.high_water, watermark: self.watermark() }
    }

    /// Where it stands while a watermark timer of the record being folded fires.
    pub(super) fn now_at_timer(&self, deadline: Millis) -> Now {
        let (offset, before) =
            self.pending.as_ref().map_or((self.position, self.watermark()), |p| (p.offset, p.watermark_before));
        let watermark = before.max(deadline);
        Now { offset, log_time: self.log_time, high_water: watermark + self.settings.fold.lateness, watermark }
    }

    /// The decoded entry, and where log time and high water will stand with it, without folding it.
    pub(super) fn look_ahead(&mut self, entry: &Entry) -> (&Decoded, Millis, Millis) {
        let log_time = self.log_time.max(entry.append_time);
        if self.ahead.len() >= DECODED_AHEAD {
            self.ahead.pop_first();
        }
        let decoded = self.ahead.entry(entry.offset).or_insert_with(|| decode(entry));
        let history = self.settings.fold.clock == Clock::History;
        let high_water = self.high_water.max(high_water_of(&decoded.record, log_time, history).unwrap_or(i64::MIN));
        (decoded, log_time, high_water)
    }

    /// Why this build may not fold the entry: a version barrier it does not know.
    pub(super) fn refuses(&mut self, entry: &Entry) -> Option<String> {
        let build_version = self.build_version;
        match self.look_ahead(entry).0.record {
            Ok(Record::VersionBarrier(version)) if version > build_version => {
                Some(format!("fold version {version} is in force from offset {}, this build knows {build_version}", entry.offset))
            }
            _ => None,
        }
    }

    /// Takes up an entry: moves time. Does nothing when it is already the one being folded.
    pub(super) fn begin(&mut self, entry: &Entry) {
        if self.pending.as_ref().is_some_and(|pending| pending.offset == entry.offset) {
            return;
        }
        let watermark_before = self.watermark();
        let append_time = self.append_time_seen(entry);
        self.log_time = self.log_time.max(append_time);
        let mut decoded = self.ahead.remove(&entry.offset).unwrap_or_else(|| decode(entry));
        let history = self.settings.fold.clock == Clock::History;
        if let Ok(Record::Event(event)) = &decoded.record
            && !history
            && let Err(refusal) = in_range(event.time.unwrap_or(self.log_time), self.log_time)
        {
            decoded.record = Err(refusal);
        }
        if let Some(high_water) = high_water_of(&decoded.record, self.log_time, history) {
            self.high_water = self.high_water.max(high_water);
        }
        self.pending = Some(Pending { offset: entry.offset, decoded, watermark_before });
    }

    /// The append time the fold goes by: the journal's.
    fn append_time_seen(&self, entry: &Entry) -> Millis {
        #[cfg(feature = "planted")]
        if self.planted.has(Bug::WallClockInFold) {
            return self.planted_clock;
        }
        entry.append_time
    }

    /// Takes up an entry that is not to be folded: time moves and timers fire as for one that cannot be decoded.
    pub(super) fn begin_refused(&mut self, entry: &Entry, refusal: Refusal) {
        let decoded = Decoded { is_event: decode(entry).is_event, record: Err(refusal) };
        self.ahead.insert(entry.offset, decoded);
        self.begin(entry);
    }

    /// Freezes the header at the current position.
    pub(super) fn freeze(&mut self, header: &state::Header) {
        self.frozen_header = segment::write_single(HEADER, &header.encode_to_vec());
        self.cut_position = self.position;
    }

    pub(super) fn header_draft(&mut self) -> SectionDraft {
        let blob = std::mem::take(&mut self.frozen_header);
        let summary = SectionTotals { actors: 0, bytes: blob.len() as u64, ..SectionTotals::default() };
        SectionDraft { section: HEADER, base: true, blob, summary }
    }

    /// The record is about to be applied: takes it out and moves the position.
    pub(super) fn finish(&mut self, entry: &Entry) -> Option<Decoded> {
        let pending = self.pending.take()?;
        self.position = entry.offset;
        let version = self.version_in_force();
        *self.folded_by_version.entry(version).or_insert(0) += 1;
        Some(pending.decoded)
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
    pub(super) fn refuse(&mut self, entry: &Entry, refusal: Refusal, is_event: bool, out: &mut Outputs) {
        if is_event {
            let verdict = Verdict::Rejected(refusal.clone());
            self.counts.add(&verdict);
            out.push(Output::Verdict { offset: entry.offset, verdict });
        }
        self.quarantine(entry, refusal);
    }

    fn quarantine(&mut self, entry: &Entry, refusal: Refusal) {
        let original = entry.bytes[..entry.bytes.len().min(DEAD_LETTER_BYTES)].to_vec();
        self.dead_letters.push(entry.offset, DeadLetter { refusal, time: self.log_time, original });
    }

    /// Settings from this position on. Unlawful ones are refused and change nothing.
    pub(super) fn change_settings(&mut self, settings: &journal::Settings) -> Result<Arc<Settings>, Refusal> {
        if self.planted.has(Bug::SettingsFromProcess) {
            return Ok(Arc::clone(&self.settings));
        }
        let refused = |errors: SettingsErrors| {
            Refusal::new(Reason::SettingsInvalid, "settings.body", errors.to_string())
        };
        let compiled = self.library.compile(&settings.body).map_err(refused)?;
        if compiled.hash != settings.hash {
            return Err(Refusal::new(Reason::SettingsInvalid, "settings.hash", "must be the xxh3-64 of the body"));
        }
        compiled.changes_from(&self.settings).map_err(refused)?;
        self.settings = Arc::clone(&compiled);
        Ok(compiled)
    }
}

/// The version every shard starts with.
pub const FIRST_FOLD_VERSION: u32 = 1;

fn decode(entry: &Entry) -> Decoded {
    match record::decode(&entry.bytes) {
        Ok(record) => Decoded { is_event: matches!(record, Record::Event(_)), record: Ok(record) },
        Err(refusal) => {
            let body = journal::Record::decode(entry.bytes.as_slice()).ok().and_then(|record| record.body);
            let is_event = matches!(body, None | Some(journal::record::Body::Event(_)));
            Decoded { record: Err(refusal), is_event }
        }
    }
}

/// What a record moves high water to; nothing when it does not move it.
fn high_water_of(record: &Result<Record, Refusal>, log_time: Millis, history: bool) -> Option<Millis> {
    match record {
        Ok(Record::Event(event)) => {
            let time = event.time.unwrap_or(log_time);
            (history || in_range(time, log_time).is_ok()).then(|| time.min(log_time))
        }
        Ok(_) => (!history).then_some(log_time),
        Err(_) => None,
    }
}

fn in_range(time: Millis, log_time: Millis) -> Result<(), Refusal> {
    if time > log_time.saturating_add(FUTURE_BOUND) || time < log_time.saturating_sub(PAST_BOUND) {
        return Err(Refusal::new(
            Reason::TimeOutOfRange,
            "event_time",
            "must lie within 7 days before and 5 minutes after its arrival; older events go into a history journal",
        ));
    }
    Ok(())
}
