//! Sessions of one actor (section 4): a set of visits each, everything about it read off the set anew.

use super::fact::{Base, Fact, UNKNOWN};
use super::time::Ms;

const KEPT: usize = 64;

/// One counted event of an actor.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) at: Ms,
    pub(super) position: u64,
    /// Page, referrer and campaign, if it was a page view.
    pub(super) view: Option<(String, String, String)>,
}

/// Events each at most the gap after the one before.
#[derive(Debug, Clone)]
pub(super) struct Session {
    visits: Vec<Visit>,
    pub(super) deadline: Ms,
    started: Option<Fact>,
    ended: Option<Fact>,
}

/// What of a session its facts tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tale {
    pub(super) start: Ms,
    pub(super) last: Ms,
    pub(super) pages: i64,
    pub(super) landing: String,
    pub(super) referrer: String,
    pub(super) campaign: String,
}

impl Session {
    pub(super) fn tale(&self) -> Tale {
        let views =
            self.visits.iter().filter_map(|visit| Some((visit.at, visit.position, visit.view.as_ref()?)));
        let landing = views.clone().min_by_key(|(at, position, _)| (*at, *position)).map(|(_, _, view)| view);
        let or_unknown = |text: Option<&String>| {
            text.filter(|text| !text.is_empty()).map_or_else(|| UNKNOWN.to_owned(), Clone::clone)
        };
        Tale {
            start: self.visits.iter().map(|visit| visit.at).min().unwrap_or(0),
            last: self.visits.iter().map(|visit| visit.at).max().unwrap_or(0),
            pages: views.count() as i64,
            landing: or_unknown(landing.map(|(page, _, _)| page)),
            referrer: or_unknown(landing.map(|(_, referrer, _)| referrer)),
            campaign: or_unknown(landing.map(|(_, _, campaign)| campaign)),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    fn base(&self, base: &Base) -> Base {
        let tale = self.tale();
        let mut base = base.clone();
        base.texts.insert("session.referrer".to_owned(), tale.referrer);
        base.texts.insert("session.campaign".to_owned(), tale.campaign);
        base
    }

    fn start_fact(&self, base: &Base) -> Fact {
        let tale = self.tale();
        Fact::new("session_started", tale.start, &self.base(base))
            .text("referrer", &tale.referrer)
            .text("campaign", &tale.campaign)
    }
}

/// The sessions of one actor, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions(pub(super) Vec<Session>);

impl Sessions {
    /// Takes one event in: facts taken back first, then those made. `base` says who, and no more.
    pub(super) fn touch(&mut self, visit: Visit, gap: Ms, base: &Base) -> Vec<Fact> {
        let (mut within, apart): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|session| {
                let tale = session.tale();
                tale.start - gap <= visit.at && visit.at <= tale.last + gap
            });
        self.0 = apart;
        within.sort_by_key(|session| session.tale().start);
        let deadline = |tale: &Tale| tale.last + gap;
        let mut facts = Vec::new();
        let mut grown;
        if within.is_empty() {
            grown = Session { visits: vec![visit], deadline: 0, started: None, ended: None };
            grown.deadline = deadline(&grown.tale());
        } else {
            grown = within.remove(0);
            let before = grown.tale();
            grown.visits.push(visit);
            for vanished in within {
                facts.extend(vanished.ended.iter().map(Fact::taken_back));
                facts.extend(vanished.started.iter().map(Fact::taken_back));
                grown.visits.extend(vanished.visits);
            }
            let after = grown.tale();
            if before != after {
                facts.extend(grown.ended.take().iter().map(Fact::taken_back));
                grown.deadline = deadline(&after);
            }
            let told = |tale: &Tale| (tale.start, tale.referrer.clone(), tale.campaign.clone());
            if told(&before) != told(&after) {
                facts.extend(grown.started.take().iter().map(Fact::taken_back));
            }
        }
        if grown.started.is_none() {
            let made = grown.start_fact(base);
            facts.push(made.clone());
            grown.started = Some(made);
        }
        self.0.push(grown);
        self.0.sort_by_key(|session| session.tale().start);
        facts
    }

    /// Forgets what has ended and is out of reach (`last` below `floor`).
    pub(super) fn drop_old(&mut self, floor: Ms) {
        self.0.retain(|session| !session.is_ended() || session.tale().last >= floor);
    }

    /// Forgets the oldest beyond those kept.
    pub(super) fn drop_surplus(&mut self) {
        let surplus = self.0.len().saturating_sub(KEPT);
        self.0.drain(..surplus);
    }

    /// The earliest deadline of a session not ended yet.
    pub(super) fn next_deadline(&self) -> Option<Ms> {
        self.0.iter().filter(|session| !session.is_ended()).map(|session| session.deadline).min()
    }

    /// Ends the session whose deadline this is.
    pub(super) fn end(&mut self, deadline: Ms, base: &Base) -> Option<Fact> {
        let session =
            self.0.iter_mut().find(|session| !session.is_ended() && session.deadline == deadline)?;
        let tale = session.tale();
        let fact = Fact::new("session_ended", deadline, &session.base(base))
            .number("pages", tale.pages)
            .number("duration", tale.last - tale.start);
        session.ended = Some(fact.clone());
        Some(fact)
    }

    /// The newest session a moment is within reach of.
    pub(super) fn holding(&self, at: Ms, gap: Ms) -> Option<Tale> {
        self.0.iter().rev().map(Session::tale).find(|tale| tale.start <= at && at <= tale.last + gap)
    }
}
