//! The sessions of one actor: which one an event joins, when two become one, when one ends. SEMANTICS.md section 4.

use super::scribe::Scribe;
use super::session::{Session, Visit};
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::fact::Sign;
use crate::limits::SESSIONS;
use crate::settings::Settings;
use crate::time::Millis;

/// Sessions by start. No two overlap.
#[derive(Debug, Default, Clone)]
pub(super) struct Sessions {
    by_start: Vec<Session>,
    /// How far behind `last` the fold's watermark must be for a session to be out of every event's reach; from the settings as
    /// they were when the actor was last touched.
    kept_for: Millis,
}

/// How long after its last event a session may still be joined, on the clock of the fold's watermark.
fn kept_for(settings: &Settings) -> Millis {
    let fold = &settings.fold;
    settings.horizon.saturating_add(fold.session_gap).saturating_sub(fold.lateness)
}

/// Referrer and campaign a session will have come by, once it has taken in later ones and the event.
fn origin_after<'a>(session: &'a Session, later: &'a [Session], visit: &'a Visit<'_>) -> (&'a str, &'a str) {
    let landings = std::iter::once(session).chain(later).filter_map(|session| session.landing.as_deref());
    match (landings.min_by_key(|landing| landing.time), visit.page) {
        (Some(known), Some((_, referrer, campaign))) if visit.time < known.time => (referrer, campaign),
        (Some(known), _) => (&known.referrer, &known.campaign),
        (None, Some((_, referrer, campaign))) => (referrer, campaign),
        (None, None) => ("", ""),
    }
}

impl Sessions {
    /// Puts the event into its session. Gives the place of that session, unless the oldest of too many gave way and it was that.
    pub(super) fn touch(&mut self, visit: &Visit<'_>, scribe: &mut Scribe<'_>) -> Option<usize> {
        self.kept_for = kept_for(scribe.settings);
        let gap = scribe.settings.fold.session_gap;
        let first = self.by_start.partition_point(|session| session.last.saturating_add(gap) < visit.time);
        let near = self.by_start[first..]
            .iter()
            .take_while(|session| session.start.saturating_sub(gap) <= visit.time)
            .count();
        if near > 0 {
            self.join(first, near, visit, gap, scribe);
            return Some(first);
        }
        let session = Session::begin(visit, gap);
        session.tell_started(Sign::Counted, scribe);
        // Nearly everybody has one.
        self.by_start.reserve_exact(1);
        self.by_start.insert(first, session);
        if self.by_start.len() <= SESSIONS {
            return Some(first);
        }
        self.by_start.remove(0);
        first.checked_sub(1)
    }

    /// The event is within reach of `near` sessions from `first` on: they become one, and it joins it.
    fn join(&mut self, first: usize, near: usize, visit: &Visit<'_>, gap: Millis, scribe: &mut Scribe<'_>) {
        let later: Vec<Session> =
            if near > 1 { self.by_start.drain(first + 1..first + near).collect() } else { Vec::new() };
        for vanished in &later {
            if vanished.ended {
                vanished.tell_ended(Sign::TakenBack, scribe);
            }
            vanished.tell_started(Sign::TakenBack, scribe);
        }
        let session = &mut self.by_start[first];
        let last = later.iter().map(|later| later.last).fold(session.last.max(visit.time), Millis::max);
        // Texts are only looked at where the origin can change: nearly every event comes after the landing.
        let lands = visit.page.is_some() && session.lands_before(visit.time) || !later.is_empty();
        let restart =
            visit.time < session.start || lands && origin_after(session, &later, visit) != session.origin();
        let changes = restart || last != session.last || visit.page.is_some();

        if session.ended && changes {
            session.tell_ended(Sign::TakenBack, scribe);
        }
        if restart {
            session.tell_started(Sign::TakenBack, scribe);
        }
        session.start = session.start.min(visit.time);
        for later in later {
            session.absorb(later);
        }
        session.take_in(visit);
        session.last = last;
        if changes {
            session.ended = false;
            session.ends = last.saturating_add(gap);
        }
        if restart {
            session.tell_started(Sign::Counted, scribe);
        }
    }

    /// Ends the session whose end is due first, at `deadline`.
    pub(super) fn end_at(&mut self, deadline: Millis, scribe: &mut Scribe<'_>) {
        if let Some(session) =
            self.by_start.iter_mut().find(|session| !session.ended && session.ends == deadline)
        {
            session.ended = true;
            session.tell_ended(Sign::Counted, scribe);
        }
    }

    /// When the next one ends.
    pub(super) fn next_end(&self) -> Option<Millis> {
        self.by_start.iter().filter(|session| !session.ended).map(|session| session.ends).min()
    }

    /// When the next one ends, or the next ended one is out of reach.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        let deadline = |session: &Session| match session.ended {
            true => session.last.saturating_add(self.kept_for).saturating_add(1),
            false => session.ends,
        };
        self.by_start.iter().map(deadline).min()
    }

    /// Drops ended sessions that are out of every event's reach.
    pub(super) fn forget(&mut self, out_of_reach: Millis, settings: &Settings) {
        self.kept_for = kept_for(settings);
        self.by_start.retain(|session| !session.ended || session.last >= out_of_reach);
    }

    /// Referrer and campaign of the newest session `time` is within reach of.
    pub(super) fn origin_at(&self, time: Millis, gap: Millis) -> (&str, &str) {
        let holds = |session: &&Session| session.start <= time && time <= session.last.saturating_add(gap);
        self.by_start.iter().rev().find(holds).map_or(("", ""), Session::origin)
    }

    pub(super) fn get(&self, place: usize) -> Option<&Session> {
        self.by_start.get(place)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.by_start.iter()
    }

    /// See [`crate::actor::Actor::touch`].
    pub(super) fn touched(&self) -> u64 {
        let Some(newest) = self.by_start.last() else { return 0 };
        let landing = newest.landing.as_deref().map_or(0, |landing| landing.time as u64);
        let device = newest
            .devices
            .first()
            .and_then(|device| device.as_bytes().first())
            .map_or(0, |byte| u64::from(*byte));
        landing ^ device ^ newest.counts.first().map_or(0, |(_, events)| u64::from(*events))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// The time they are kept for is only asked of ended ones, and set whenever one ends.
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.by_start.len());
        for session in &self.by_start {
            session.encode(w);
        }
        if self.by_start.iter().any(|session| session.ended) {
            w.span(self.kept_for);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let by_start = (0..r.count(SESSIONS)?).map(|_| Session::decode(r)).collect::<Result<Vec<_>, _>>()?;
        if !by_start.is_sorted_by(|earlier, later| earlier.last < later.start) {
            return Err(damaged("sessions overlap"));
        }
        let kept_for = if by_start.iter().any(|session| session.ended) { r.span()? } else { 0 };
        Ok(Self { by_start, kept_for })
    }
}
