//! A session as readers see it. Its id is its start in milliseconds: of the sessions that trackers claim, state keeps none, since one visit
//! may span several of them.

use std::collections::BTreeMap;

use souk_proto::v1;

use super::user_name;
use crate::key::ActorKey;
use crate::time::{Millis, Now, to_timestamp};
use crate::user::{Kind, Session, Step, User};

/// Kinds of event that are steps of a journey.
const STEPS: [Kind; 6] =
    [Kind::PageView, Kind::ProductView, Kind::CartStep, Kind::OrderStep, Kind::Search, Kind::WishlistStep];

impl User {
    /// The session an id stands for: the one that holds the time it says. A late event may since have moved the start to before it; the
    /// name stays good.
    pub fn session(&self, id: &str) -> Option<&Session> {
        let time: Millis = id.parse().ok()?;
        self.sessions().find(|session| (session.start..=session.last).contains(&time))
    }

    pub fn session_to_proto(&self, key: &ActorKey, session: &Session, now: &Now) -> v1::Session {
        let ended = session.ended || session.ends <= now.watermark;
        let state = if ended { v1::session::State::Ended } else { v1::session::State::Active };
        let (referrer, campaign) = session.origin();
        let journey: Vec<v1::JourneyStep> = self
            .journey()
            .filter(|step| (session.start..=session.last).contains(&step.time))
            .map(step_to_proto)
            .collect();
        v1::Session {
            name: format!("{}/sessions/{}", user_name(key), session.start),
            state: state.into(),
            start_time: Some(to_timestamp(session.start)),
            last_event_time: Some(to_timestamp(session.last)),
            end_time: ended.then(|| to_timestamp(session.ends)),
            device_ids: session.devices.iter().map(|device| device.to_string()).collect(),
            landing_page: session.landing.as_ref().map_or("", |landing| &landing.page).to_owned(),
            referrer: referrer.to_owned(),
            campaign: campaign.to_owned(),
            journey_truncated: (journey.len() as u64) < steps_of(session),
            journey,
            event_counts: counts_of(session)
                .map(|(kind, events)| (kind.name().to_owned(), i32::try_from(events).unwrap_or(i32::MAX)))
                .collect::<BTreeMap<_, _>>(),
        }
    }
}

/// Events of a session by kind, those that happened.
fn counts_of(session: &Session) -> impl Iterator<Item = (Kind, u32)> {
    let page_views = (Kind::PageView, session.page_views);
    std::iter::once(page_views).chain(session.counts.iter().copied()).filter(|(_, events)| *events > 0)
}

/// Steps its journey had, whether they are still kept or not.
fn steps_of(session: &Session) -> u64 {
    counts_of(session).filter(|(kind, _)| STEPS.contains(kind)).map(|(_, events)| u64::from(events)).sum()
}

fn step_to_proto(step: Step<'_>) -> v1::JourneyStep {
    v1::JourneyStep {
        time: Some(to_timestamp(step.time)),
        kind: step.kind.name().to_owned(),
        target: step.target.to_owned(),
    }
}
