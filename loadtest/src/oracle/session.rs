//! A person's visits: events no more than half an hour apart, whatever order they came in.

use super::SESSION_GAP;
use super::fact::Fact;
use crate::measure::clock::Millis;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    start: Millis,
    last: Millis,
    landing: Option<Landing>,
}

/// The earliest page view; of two at the same time the one that came first.
#[derive(Debug, Clone, PartialEq)]
struct Landing {
    at: Millis,
    order: u64,
    referrer: String,
    campaign: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sessions {
    all: Vec<Session>,
    events: u64,
}

impl Session {
    fn reaches(&self, at: Millis) -> bool {
        self.start - SESSION_GAP <= at && at <= self.last + SESSION_GAP
    }

    fn named(&self, fact: Fact) -> Fact {
        let landing = self.landing.as_ref();
        fact.with("session.referrer", landing.map_or("", |landing| &landing.referrer))
            .with("session.campaign", landing.map_or("", |landing| &landing.campaign))
    }

    fn started(&self, who: u32) -> Fact {
        self.named(Fact::new("session_started", self.start, Some(who)))
    }
}

impl Sessions {
    /// An event at `at`; for a page view its referrer and campaign. Joins what it reaches into one session.
    pub(super) fn touch(&mut self, who: u32, at: Millis, view: Option<(&str, &str)>, facts: &mut Vec<Fact>) {
        self.events += 1;
        let landing = view.map(|(referrer, campaign)| Landing {
            at,
            order: self.events,
            referrer: referrer.to_owned(),
            campaign: campaign.to_owned(),
        });
        let mut whole = Session { start: at, last: at, landing };
        let reached: Vec<Session> = self.all.extract_if(.., |session| session.reaches(at)).collect();
        for session in reached {
            facts.push(session.started(who).taken_back());
            whole.start = whole.start.min(session.start);
            whole.last = whole.last.max(session.last);
            whole.landing =
                [whole.landing, session.landing].into_iter().flatten().min_by_key(|l| (l.at, l.order));
        }
        facts.push(whole.started(who));
        self.all.push(whole);
    }

    /// Names the visit a fact belongs to: of two the one that began last.
    pub(super) fn name(&self, fact: Fact) -> Fact {
        let at = fact.at;
        let around = self.all.iter().filter(|s| s.start <= at && at <= s.last + SESSION_GAP);
        match around.max_by_key(|session| session.start) {
            Some(session) => session.named(fact),
            None => fact.with("session.referrer", "").with("session.campaign", ""),
        }
    }
}
