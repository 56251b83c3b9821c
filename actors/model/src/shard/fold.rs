//! The shard as its owner sees it: sections to load, slices to fold, cuts to take, peers to talk to.

use std::collections::BTreeSet;

use crate::actor::{StateError, TimerClock};
use crate::cut::manifest::SectionSummary;
use crate::cut::segment::{self, HEADER, ROWS, Segment};
use crate::journal::{Entry, ShardId};
use crate::key::{BUCKETS, BucketId, bucket_of, hashes_of};
use crate::limits::CUT_ACTORS_PER_SLICE;
use crate::output::Outputs;
use crate::owner::effect::PeerMessage;
use crate::owner::fold::{Fold, Progress, SectionDraft};
use crate::record::Record;
use crate::shard::step::Steps as _;
use crate::shard::users::keep_open_saga;
use crate::shard::{ProductsShard, Shard, UsersShard, header, keyless, tombstone};
use crate::verdict::{Reason, Refusal};

/// Runs the same expression on whichever shard it is.
macro_rules! either {
    ($self:ident, $shard:ident => $do:expr) => {
        match $self {
            Shard::Users($shard) => $do,
            Shard::Products($shard) => $do,
        }
    };
}

impl Fold for Shard {
    fn id(&self) -> ShardId {
        either!(self, shard => shard.core.id)
    }

    fn position(&self) -> u64 {
        either!(self, shard => shard.core.position)
    }

    fn fold_version(&self) -> u32 {
        either!(self, shard => shard.core.fold_version)
    }

    fn settings_hash(&self) -> u64 {
        either!(self, shard => shard.core.settings.hash)
    }

    fn needed_at_start(&self) -> Vec<u16> {
        std::iter::once(HEADER).chain(rows()).collect()
    }

    fn missing(&mut self, entry: &Entry) -> Vec<u16> {
        either!(self, shard => shard.missing(entry))
    }

    fn is_whole(&self) -> bool {
        match self {
            Shard::Users(shard) => shard.users.loaded_all(),
            Shard::Products(shard) => shard.products.loaded_all(),
        }
    }

    fn warm(&self) {
        self.warm_all(either!(self, shard => shard.core.next_decoded()));
    }

    fn lacks(&self, section: u16) -> bool {
        u8::try_from(section).ok().filter(|bucket| *bucket < BUCKETS).is_some_and(|bucket| match self {
            Shard::Users(shard) => !shard.users.is_loaded(BucketId(bucket)),
            Shard::Products(shard) => !shard.products.is_loaded(BucketId(bucket)),
        })
    }

    fn missing_for_skip(&mut self, entry: &Entry) -> Vec<u16> {
        either!(self, shard => {
            let log_time = shard.core.look_past(entry);
            shard.actors_mut().due_sections(TimerClock::LogTime, log_time)
        })
    }

    fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        either!(self, shard => shard.load(section, segments))
    }

    fn announce(&mut self, section: u16, summary: &SectionSummary) {
        let (watermark, log_time) = (summary.earliest_watermark_timer, summary.earliest_log_timer);
        if section < u16::from(BUCKETS) {
            either!(self, shard => shard.actors_mut().announce(section, watermark, log_time));
        }
    }

    fn step(&mut self, entry: &Entry, out: &mut Outputs) -> Progress {
        let result = either!(self, shard => shard.step(entry, out));
        result.unwrap_or_else(|error| panic!("state of a loaded actor cannot be read: {error}"))
    }

    fn skip(&mut self, entry: &Entry, reason: &str, out: &mut Outputs) {
        let refusal =
            Refusal::new(Reason::InternalBug, "", format!("the fold was told to pass over it: {reason}"));
        either!(self, shard => shard.core.put_refused(entry, refusal));
        while self.step(entry, out) == Progress::More {}
    }

    fn wants_ticks(&self) -> bool {
        match self {
            Shard::Users(shard) => shard.wants_ticks(),
            Shard::Products(shard) => shard.core.is_live() && shard.products.has_timers(),
        }
    }

    fn freeze(&mut self) {
        match self {
            Shard::Users(shard) => shard.freeze(),
            Shard::Products(shard) => shard.freeze(),
        }
    }

    fn cut_slice(&mut self) -> Option<Vec<SectionDraft>> {
        let drafts = either!(self, shard => shard.cut_slice());
        drafts.unwrap_or_else(|error| panic!("state of an idle actor cannot be read: {error}"))
    }

    fn cut_committed(&mut self) {
        match self {
            Shard::Users(shard) => shard.cut_committed(),
            Shard::Products(shard) => shard.cut_committed(),
        }
    }

    fn cut_abandoned(&mut self) {
        match self {
            Shard::Users(shard) => {
                shard.users.abandoned();
                shard.tombstones.abandoned();
                shard.book.rows_mut().abandoned();
            }
            Shard::Products(shard) => {
                shard.products.abandoned();
                shard.series.rows_mut().abandoned();
            }
        }
    }

    fn bytes(&self) -> u64 {
        let bytes = match self {
            Shard::Users(shard) => {
                let rows = shard.book.rows().bytes_about();
                shard.users.bytes_about() + shard.tombstones.bytes_about() + rows
            }
            Shard::Products(shard) => shard.products.bytes_about() + shard.series.rows().bytes_about(),
        };
        bytes as u64
    }

    fn cool(&mut self, most: usize) -> usize {
        self.passivate(most)
    }

    /// Of products none leaves: the catalogue lists them all, and would load them page by page.
    fn unload(&mut self) -> bool {
        match self {
            Shard::Users(shard) => shard.unload(),
            Shard::Products(_) => false,
        }
    }

    fn resend(&mut self, after: Option<u64>, budget: usize, out: &mut Outputs) -> Option<u64> {
        match self {
            Shard::Users(shard) => shard.resend(after, budget, out),
            Shard::Products(_) => None,
        }
    }

    fn peer_messages(&mut self, epoch: u64, budget: usize) -> Vec<(ShardId, PeerMessage)> {
        match self {
            Shard::Users(shard) => shard.peer_messages(epoch, budget),
            Shard::Products(shard) => shard.peer_messages(),
        }
    }

    fn owes_peers(&self) -> bool {
        match self {
            Shard::Users(shard) => shard.book.owes(&shard.core.now(shard.core.position)),
            Shard::Products(shard) => shard.series.owes(),
        }
    }

    fn has_more_for_peers(&self) -> bool {
        self.as_users().is_some_and(|shard| shard.book.has_more())
    }

    fn receive(&mut self, from: ShardId, message: PeerMessage) {
        match self {
            Shard::Users(shard) => shard.receive(from, message),
            Shard::Products(shard) => shard.receive(from, message),
        }
    }

    fn missing_to_resend(&self, after: Option<u64>) -> Vec<u16> {
        match self {
            Shard::Users(shard) => shard.missing_to_resend(after),
            Shard::Products(_) => Vec::new(),
        }
    }

    fn digest(&self) -> u64 {
        let digest = either!(self, shard => shard.digest());
        digest.unwrap_or_else(|error| panic!("state of an idle actor cannot be read: {error}"))
    }

    fn refuses(&mut self, entry: &Entry) -> Option<String> {
        either!(self, shard => shard.core.refuses(entry))
    }
}

/// Sections of the tally book or the series.
fn rows() -> impl Iterator<Item = u16> {
    (0..u16::from(BUCKETS)).map(|bucket| ROWS + bucket)
}

impl UsersShard {
    fn actors_mut(&mut self) -> &mut crate::bucket::Actors<crate::user::User> {
        &mut self.users
    }

    fn wants_ticks(&self) -> bool {
        let now = self.core.now(self.core.position);
        let waits =
            self.users.has_timers() || !self.open_sagas.is_empty() || self.book.has_open_windows(&now);
        self.core.is_live() && waits
    }

    /// The actor the record is for, its tombstone, and every bucket with a timer the record makes due.
    fn missing(&mut self, entry: &Entry) -> Vec<u16> {
        let lateness = self.core.settings.fold.lateness;
        let (decoded, log_time, high_water) = self.core.look_ahead(entry);
        let is_keyless = matches!(&decoded.record, Ok(Record::Event(event)) if event.keyless);
        let actor = match &decoded.record {
            Ok(Record::Event(event)) if event.keyless => Some(keyless::actor_of(&event.key)),
            Ok(Record::Event(event)) => Some(&event.key),
            Ok(Record::Command(command)) => Some(&command.key),
            Ok(Record::Step(step)) => Some(&step.key),
            _ => None,
        };
        if let Ok(Record::Command(command)) = &decoded.record
            && let Some(salt) = command.erase_salt()
            && self.salt_ahead.is_empty()
        {
            self.salt_ahead = salt.to_vec();
        }
        let watermark = high_water.saturating_sub(lateness);
        let mut missing = self.users.due_sections(TimerClock::Watermark, watermark);
        missing.extend(self.users.due_sections(TimerClock::LogTime, log_time));
        if let Some(actor) = actor {
            if !self.users.is_loaded(actor.bucket()) {
                missing.push(self.users.section(actor.bucket()));
            }
            let salt = if self.salt.is_empty() { &self.salt_ahead } else { &self.salt };
            if !salt.is_empty() && !is_keyless {
                let bucket = tombstone::key_of(salt, actor).bucket();
                if !self.tombstones.is_loaded(bucket) {
                    missing.push(self.tombstones.section(bucket));
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        match section {
            HEADER => match segments.last() {
                Some(newest) => self.take_header(&header::decode(&segment::read_single(newest)?)?),
                None => Ok(()),
            },
            ROWS..tombstone::SECTION => self.book.rows_mut().load(section, segments),
            tombstone::SECTION.. => self.tombstones.load(section, segments),
            _ => {
                self.users.load(section, segments)?;
                let Self { users, open_sagas, .. } = self;
                users.peek(BucketId(section as u8), |key, user| {
                    keep_open_saga(open_sagas, key, user.has_open_saga());
                })
            }
        }
    }

    fn freeze(&mut self) {
        self.core.freeze(&self.to_header());
        self.users.freeze();
        self.tombstones.freeze();
        self.book.rows_mut().freeze();
    }

    fn cut_slice(&mut self) -> Result<Option<Vec<SectionDraft>>, StateError> {
        let done = self.users.cut_slice(CUT_ACTORS_PER_SLICE)?
            && self.tombstones.cut_slice(CUT_ACTORS_PER_SLICE)?
            && self.book.rows_mut().cut_slice(CUT_ACTORS_PER_SLICE)?;
        if !done {
            return Ok(None);
        }
        let mut drafts = vec![self.core.header_draft()];
        drafts.extend(self.users.take_drafts());
        drafts.extend(self.tombstones.take_drafts());
        drafts.extend(self.book.rows_mut().take_drafts());
        Ok(Some(drafts))
    }

    fn cut_committed(&mut self) {
        self.users.committed();
        self.tombstones.committed();
        self.book.rows_mut().committed();
    }

    /// Buckets not loaded that hold a user with a saga under way.
    fn missing_to_resend(&self, after: Option<u64>) -> Vec<u16> {
        let first = after.map_or(0, |after| after.saturating_add(1));
        let buckets: BTreeSet<BucketId> =
            self.open_sagas.range(first..).map(|(hash, _)| bucket_of(*hash)).collect();
        let missing = buckets.into_iter().filter(|bucket| !self.users.is_loaded(*bucket));
        missing.map(|bucket| self.users.section(bucket)).collect()
    }

    /// Users with a saga under way stay: the next sweep would load them again.
    fn unload(&mut self) -> bool {
        let Self { users, open_sagas, .. } = self;
        let is_settled = |bucket| open_sagas.range(hashes_of(bucket)).next().is_none();
        users.coldest(is_settled).is_some_and(|bucket| users.evict(bucket))
    }

    /// What the sagas of loaded users imply, in the order of their keys' hashes, from beyond `after` on.
    fn resend(&mut self, after: Option<u64>, budget: usize, out: &mut Outputs) -> Option<u64> {
        let now = self.core.now(self.core.position);
        let mut sent = 0;
        let first = after.map_or(0, |after| after.saturating_add(1));
        let mut last = None;
        for (hash, keys) in self.open_sagas.range(first..) {
            if sent >= budget {
                return last;
            }
            for key in keys.iter().filter_map(|key| crate::key::ActorKey::parse(key)) {
                let before = out.items.len();
                self.users.get((&key).into(), |user| user.resend(&key, &now, out)).ok()?;
                sent += out.items.len() - before;
            }
            last = Some(*hash);
        }
        None
    }

    pub(super) fn digests(&self) -> Result<Vec<(u16, u64)>, StateError> {
        let book = self.book.digest(&self.core.settings, &self.core.now(self.core.position))?;
        let mut digests = vec![(HEADER, header::digest(self.to_header())), (ROWS, book)];
        for bucket in (0..BUCKETS).map(BucketId) {
            let section = u16::from(bucket.0);
            digests.extend(self.users.bucket_digest(bucket)?.map(|digest| (section, digest)));
            let tombstones = self.tombstones.bucket_digest(bucket)?;
            digests.extend(tombstones.map(|digest| (tombstone::SECTION + section, digest)));
        }
        Ok(digests)
    }

    fn digest(&self) -> Result<u64, StateError> {
        Ok(header::digest(self.to_header())
            .wrapping_add(self.users.digest()?)
            .wrapping_add(self.tombstones.digest()?)
            .wrapping_add(self.book.digest(&self.core.settings, &self.core.now(self.core.position))?))
    }

    fn peer_messages(&mut self, epoch: u64, budget: usize) -> Vec<(ShardId, PeerMessage)> {
        let (position, high_water) = (self.core.position, self.core.high_water);
        let batches = self.book.outgoing(epoch, position, high_water, self.core.settings.hash, budget);
        batches
            .into_iter()
            .map(|(target, batch)| (ShardId::products(target), PeerMessage::Tally(batch)))
            .collect()
    }

    fn receive(&mut self, from: ShardId, message: PeerMessage) {
        match message {
            PeerMessage::TallySince(request) => self.book.asked(from.partition, request, self.core.position),
            PeerMessage::TallyAck(ack) => self.book.acked(from.partition, ack),
            PeerMessage::Tally(_) => {}
        }
    }
}

impl ProductsShard {
    fn actors_mut(&mut self) -> &mut crate::bucket::Actors<crate::product::Product> {
        &mut self.products
    }

    fn missing(&mut self, entry: &Entry) -> Vec<u16> {
        let (decoded, log_time, _) = self.core.look_ahead(entry);
        let actor = match &decoded.record {
            Ok(Record::Event(event)) => Some(event.key.bucket()),
            Ok(Record::Command(command)) => Some(command.key.bucket()),
            Ok(Record::Step(step)) => Some(step.key.bucket()),
            _ => None,
        };
        let mut missing = self.products.due_sections(TimerClock::LogTime, log_time);
        missing.extend(
            actor
                .filter(|bucket| !self.products.is_loaded(*bucket))
                .map(|bucket| self.products.section(bucket)),
        );
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        match section {
            HEADER => match segments.last() {
                Some(newest) => self.take_header(&header::decode(&segment::read_single(newest)?)?),
                None => Ok(()),
            },
            ROWS.. => self.series.rows_mut().load(section, segments),
            _ => {
                self.products.load(section, segments)?;
                let Self { products, catalogue, .. } = self;
                products.peek(BucketId(section as u8), |key, product| {
                    if let Some(key) = crate::key::ActorKey::parse(key.text) {
                        catalogue.upsert(&key, product);
                    }
                })
            }
        }
    }

    fn freeze(&mut self) {
        self.core.freeze(&self.to_header());
        self.series.frozen();
        self.products.freeze();
        self.series.rows_mut().freeze();
    }

    fn cut_slice(&mut self) -> Result<Option<Vec<SectionDraft>>, StateError> {
        let done = self.products.cut_slice(CUT_ACTORS_PER_SLICE)?
            && self.series.rows_mut().cut_slice(CUT_ACTORS_PER_SLICE)?;
        if !done {
            return Ok(None);
        }
        let mut drafts = vec![self.core.header_draft()];
        drafts.extend(self.products.take_drafts());
        drafts.extend(self.series.rows_mut().take_drafts());
        Ok(Some(drafts))
    }

    fn cut_committed(&mut self) {
        self.products.committed();
        self.series.rows_mut().committed();
        self.series.durable();
    }

    pub(super) fn digests(&self) -> Result<Vec<(u16, u64)>, StateError> {
        let mut digests = vec![(HEADER, header::digest(self.to_header()))];
        for bucket in (0..BUCKETS).map(BucketId) {
            let digest = self.products.bucket_digest(bucket)?;
            digests.extend(digest.map(|digest| (u16::from(bucket.0), digest)));
        }
        Ok(digests)
    }

    fn digest(&self) -> Result<u64, StateError> {
        Ok(header::digest(self.to_header()).wrapping_add(self.products.digest()?))
    }

    fn peer_messages(&mut self) -> Vec<(ShardId, PeerMessage)> {
        self.series
            .outgoing()
            .into_iter()
            .map(|(source, message)| (ShardId::users(source), message))
            .collect()
    }

    fn receive(&mut self, from: ShardId, message: PeerMessage) {
        if let PeerMessage::Tally(batch) = message {
            self.series.receive(from.partition, batch);
        }
    }
}
