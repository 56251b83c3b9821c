//! One users shard from its first record to its last (section 2).

use std::collections::BTreeMap;
use std::rc::Rc;

use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{Command, EventRecord, Stamp, Step, command};
use souk_proto::v1::event::Kind;
use souk_proto::v1::{ErrorReason, Event};

use super::dedup::{Bridges, EventIds};
use super::fact::{Base, Fact};
use super::home::Home;
use super::input::{JournalRecord, Partition};
use super::kind::{effect, kind_name, step_name};
use super::metric::Book;
use super::person::{Person, Scene};
use super::request::is_for_product;
use super::session::Visit;
use super::settings::{Fault, Settings};
use super::time::{Clock, Judgement, Ms};
use super::validate::{event_time, read};
use super::verdict::Verdict;

/// A users shard.
#[derive(Debug)]
pub(super) struct UserShard {
    home: Home,
    pub(super) clock: Clock,
    pub(super) settings: Rc<Settings>,
    pub(super) book: Book,
    pub(super) people: BTreeMap<String, Person>,
    nobodies: BTreeMap<String, EventIds>,
    bridges: Bridges,
    pub(super) verdicts: BTreeMap<u64, Verdict>,
}

impl UserShard {
    pub(super) fn fold(partition: &Partition, settings: &str, home: Home) -> Result<Self, Fault> {
        let mut shard = Self {
            home,
            clock: Clock::new(),
            settings: Rc::new(Settings::parse(settings)?),
            book: Book::default(),
            people: BTreeMap::new(),
            nobodies: BTreeMap::new(),
            bridges: Bridges::default(),
            verdicts: BTreeMap::new(),
        };
        shard.book.follow(&shard.settings);
        for record in &partition.records {
            shard.record(record, partition.skipped.contains(&record.offset));
        }
        Ok(shard)
    }

    fn record(&mut self, record: &JournalRecord, skipped: bool) {
        self.clock.append(record.append_ms);
        let high_before = self.clock.high;
        let mut body = read(record, skipped);
        let mut time = self.clock.log;
        if let Ok(Body::Event(reported)) = &body {
            time = reported.event.as_ref().and_then(event_time).unwrap_or(time);
            if !self.settings.history && !self.clock.in_range(time) {
                body = Err(Some(Verdict::Rejected(ErrorReason::TimeOutOfRange)));
            }
        }
        let moves = matches!(body, Ok(Body::Event(_))) || (body.is_ok() && !self.settings.history);
        if moves {
            self.clock.reach(time);
        }
        let reach = self.settings.horizon() + self.settings.session_gap;
        self.clock.floor = self.clock.floor.max(self.clock.high - reach);
        self.fire_timers(record.offset, high_before);
        for person in self.people.values_mut() {
            person.sessions.drop_old(self.clock.floor);
            person.drop_steps(self.clock.floor);
        }
        let verdict = match body {
            Err(verdict) => verdict,
            Ok(Body::Event(reported)) => Some(self.event(&reported, record.offset, time)),
            Ok(Body::Command(command)) => Some(self.command(&command, record)),
            Ok(Body::Step(step)) if !self.home.is_of(&step.shop, &step.actor_id) => None,
            Ok(Body::Step(step)) => {
                self.step(&step, record.offset);
                None
            }
            Ok(Body::Settings(next)) => {
                if let Ok(settings) = self.settings.followed_by(&next) {
                    self.settings = Rc::new(settings);
                    self.book.follow(&self.settings);
                }
                None
            }
            Ok(Body::Tick(_) | Body::VersionBarrier(_)) => None,
        };
        if let Some(verdict) = verdict {
            self.verdicts.insert(record.offset, verdict);
        }
    }

    /// Watermark timers in (deadline, actor) order, then log-time timers.
    fn fire_timers(&mut self, offset: u64, high_before: Ms) {
        let watermark = self.clock.high - self.settings.lateness;
        while let Some((deadline, key)) = self.next_due(watermark) {
            let settings = Rc::clone(&self.settings);
            let Some(person) = self.people.get_mut(&key) else { return };
            let base = person.known();
            let mut scene = scene(offset, self.clock.log, deadline, &settings, &[], base);
            if person.sessions.next_deadline() == Some(deadline) {
                let base = person.known();
                scene.facts.extend(person.sessions.end(deadline, &base));
            } else {
                let lines = person.cart.lines.clone();
                person.abandon(deadline, &lines, &mut scene);
            }
            let facts = scene.facts;
            self.judge(facts, Judgement::of_timer(high_before, deadline, settings.lateness));
        }
        let log = self.clock.log;
        for person in self.people.values_mut() {
            while let Some(deadline) = person.next_order_deadline().filter(|deadline| *deadline <= log) {
                person.give_up_orders(deadline);
            }
        }
    }

    fn next_due(&self, watermark: Ms) -> Option<(Ms, String)> {
        let deadlines = self.people.iter().flat_map(|(key, person)| {
            let both = [person.sessions.next_deadline(), person.cart.deadline];
            both.into_iter().flatten().map(|deadline| (deadline, key.clone()))
        });
        deadlines.filter(|(deadline, _)| *deadline <= watermark).min()
    }

    fn judge(&mut self, facts: Vec<Fact>, judgement: Judgement) {
        for fact in facts {
            self.book.judge(fact, judgement);
        }
    }

    fn person(&mut self, shop: &str, id: &str) -> &mut Person {
        self.people.entry(format!("{shop}/{id}")).or_insert_with(|| Person::new(shop, id))
    }

    fn event(&mut self, record: &EventRecord, offset: u64, at: Ms) -> Verdict {
        let Some(event) = &record.event else { return Verdict::Rejected(ErrorReason::FieldMissing) };
        if record.bridge.as_ref().is_some_and(|stamp| !self.bridges.admit(stamp)) {
            return Verdict::Duplicate;
        }
        let shop = if event.shop.is_empty() { "main" } else { &event.shop };
        if matches!(event.kind, Some(Kind::ProductStep(_) | Kind::StockStep(_))) {
            return Verdict::Rejected(ErrorReason::KeyPartitionMismatch);
        }
        let Some(id) = actor_id(event) else { return self.keyless(event, &record.stamps, shop, offset, at) };
        let horizon = self.clock.high - self.settings.horizon();
        let (log, settings) = (self.clock.log, Rc::clone(&self.settings));
        let mut person = self.person(shop, &id).clone();
        if person.erased_at.is_some_and(|erased| at <= erased) {
            return Verdict::Rejected(ErrorReason::UserErased);
        }
        if person.ids.knows(&event.event_id, log) {
            return Verdict::Duplicate;
        }
        if at < horizon {
            return Verdict::Late;
        }
        person.ids.remember(&event.event_id, log);
        let who = person.known();
        let mut facts = person.sessions.touch(visit(event, at, offset), settings.session_gap, &who);
        person.sessions.drop_surplus();
        let base = told(event, person.base(at, settings.session_gap));
        let mut scene = scene(offset, log, at, &settings, &record.stamps, base);
        scene.facts.push(Fact::new("event", at, &scene.base).text("kind", kind_name(event)));
        if let Err(reason) = effect(event, Some(&mut person), &mut scene) {
            return Verdict::Rejected(reason);
        }
        if let Some(to) = step_name(event) {
            let from = person.step(at, &to, settings.session_gap);
            scene.facts.push(
                Fact::new("journey_step", at, &scene.base).text("step_from", &from).text("step_to", &to),
            );
        }
        facts.extend(scene.facts);
        self.people.insert(person.key(), person);
        self.judge(facts, Judgement::of_record(self.clock.high));
        Verdict::Counted
    }

    /// An event of nobody: no session, no state but its id.
    fn keyless(&mut self, event: &Event, stamps: &[Stamp], shop: &str, offset: u64, at: Ms) -> Verdict {
        let own = match &event.kind {
            Some(Kind::Trip(trip)) => trip.trip_id.as_str(),
            Some(Kind::Transaction(transaction)) => transaction.transaction_id.as_str(),
            _ => "",
        };
        let key = format!("{shop}/{}", if own.is_empty() { &event.event_id } else { own });
        let log = self.clock.log;
        if self.nobodies.entry(key.clone()).or_default().knows(&event.event_id, log) {
            return Verdict::Duplicate;
        }
        if at < self.clock.high - self.settings.horizon() {
            return Verdict::Late;
        }
        let settings = Rc::clone(&self.settings);
        let base = told(event, Base { shop: shop.to_owned(), person: None, texts: BTreeMap::new() });
        let mut scene = scene(offset, log, at, &settings, stamps, base);
        scene.facts.push(Fact::new("event", at, &scene.base).text("kind", kind_name(event)));
        if let Err(reason) = effect(event, None, &mut scene) {
            return Verdict::Rejected(reason);
        }
        let facts = scene.facts;
        self.nobodies.entry(key).or_default().remember(&event.event_id, log);
        self.judge(facts, Judgement::of_record(self.clock.high));
        Verdict::Counted
    }

    fn command(&mut self, command: &Command, record: &JournalRecord) -> Verdict {
        let (log, settings, high) = (self.clock.log, Rc::clone(&self.settings), self.clock.high);
        let is_elsewhere = !self.home.is_of(&command.shop, &command.actor_id);
        if is_elsewhere || command.action.as_ref().is_some_and(is_for_product) {
            return Verdict::Refused(ErrorReason::KeyPartitionMismatch);
        }
        let person = self.person(&command.shop, &command.actor_id);
        if let Some(command::Action::EraseUser(_)) = &command.action {
            person.erase(log);
            return Verdict::Done;
        }
        if person.erased_at.is_some_and(|erased| log <= erased) {
            return Verdict::Refused(ErrorReason::UserErased);
        }
        if let Some((hash, verdict)) = person.requests.get(&command.request_id, log) {
            let same = hash == command.body_hash;
            return if same { verdict } else { Verdict::Refused(ErrorReason::RequestIdReused) };
        }
        let mut changed = person.clone();
        let mut scene = scene(
            record.offset,
            log,
            log,
            &settings,
            &command.stamps,
            person.base(log, settings.session_gap),
        );
        let verdict = match changed.command(command, &mut scene) {
            Ok(()) => Verdict::Done,
            Err(reason) => Verdict::Refused(reason),
        };
        let facts = if verdict == Verdict::Done { scene.facts } else { Vec::new() };
        if verdict == Verdict::Done {
            *person = changed;
        }
        person.requests.remember(&command.request_id, command.body_hash, log, verdict);
        self.judge(facts, Judgement::of_record(high));
        verdict
    }

    fn step(&mut self, step: &Step, offset: u64) {
        let (log, settings, high) = (self.clock.log, Rc::clone(&self.settings), self.clock.high);
        let person = self.person(&step.shop, &step.actor_id);
        let mut scene = scene(offset, log, log, &settings, &[], person.base(log, settings.session_gap));
        person.saga_step(step, &mut scene);
        let facts = scene.facts;
        self.judge(facts, Judgement::of_record(high));
    }
}

fn scene<'a>(
    offset: u64,
    log: Ms,
    at: Ms,
    settings: &'a Settings,
    stamps: &'a [Stamp],
    base: Base,
) -> Scene<'a> {
    Scene { offset, log, at, settings, stamps, base, facts: Vec::new() }
}

/// The actor's bare id; none for an event of nobody.
fn actor_id(event: &Event) -> Option<String> {
    match (event.user_id.as_str(), event.session_id.as_str()) {
        ("", "") => None,
        ("", session) => Some(format!("guest:{session}")),
        (user, _) => Some(user.to_owned()),
    }
}

fn visit(event: &Event, at: Ms, position: u64) -> Visit {
    let view = match &event.kind {
        Some(Kind::PageView(view)) => Some((view.page.clone(), view.referrer.clone(), view.campaign.clone())),
        _ => None,
    };
    Visit { at, position, view }
}

/// Adds what the event itself says of where it came from.
fn told(event: &Event, mut base: Base) -> Base {
    let said = [("session", &event.session_id), ("device", &event.device_id), ("source", &event.source)];
    base.texts.extend(said.map(|(field, text)| (field.to_owned(), text.clone())));
    base.texts.extend(event.labels.iter().map(|(name, value)| (format!("label.{name}"), value.clone())));
    base
}
