//! Writes down what one actor makes of one record or timer: facts for the tallies, news and steps for the world.

use souk_proto::journal::v1 as journal;

use super::sessions::Sessions;
use crate::actor::Context;
use crate::fact::{Detail, Fact, FactSink, Sign, Who};
use crate::journal::Journal;
use crate::key::ActorKey;
use crate::output::{AbandonedChange, AbandonedNews, Output, Outputs};
use crate::settings::Settings;
use crate::tally::Presence;
use crate::time::{Millis, Now};

pub(super) struct Scribe<'a> {
    pub(super) now: Now,
    pub(super) settings: &'a Settings,
    pub(super) key: &'a ActorKey,
    /// What the facts of this record say of the visit; facts of state say only whose they are.
    pub(super) who: Who<'a>,
    pub(super) facts: &'a mut dyn FactSink,
    /// `None` for keyless events.
    pub(super) presence: Option<&'a mut Presence>,
    pub(super) out: &'a mut Outputs,
}

/// Whose a fact of state is: no event brought it, so nothing is known of session, device, source and labels.
pub(super) fn person(key: &ActorKey) -> Who<'_> {
    Who {
        shop: key.shop(),
        user: key.id(),
        session: "",
        device: "",
        source: "",
        session_referrer: "",
        session_campaign: "",
        labels: None,
    }
}

/// For a command or a saga's step: it happens now, in the visit that is still within reach.
pub(super) fn scribe<'a>(
    ctx: &'a mut Context<'_>,
    key: &'a ActorKey,
    sessions: &'a Sessions,
    presence: &'a mut Presence,
) -> Scribe<'a> {
    let Context { now, settings, facts, out, .. } = ctx;
    let (session_referrer, session_campaign) = sessions.origin_at(now.log_time, settings.fold.session_gap);
    let who = Who { session_referrer, session_campaign, ..person(key) };
    Scribe { now: *now, settings, key, who, facts: &mut **facts, presence: Some(presence), out }
}

impl Scribe<'_> {
    /// A fact of the record itself.
    pub(super) fn fact(&mut self, time: Millis, detail: Detail<'_>) {
        self.tell(self.who, time, Sign::Counted, detail);
    }

    /// A fact of the actor's state: the same whichever record makes it or takes it back.
    pub(super) fn state_fact(&mut self, time: Millis, sign: Sign, detail: Detail<'_>) {
        self.tell(person(self.key), time, sign, detail);
    }

    /// A fact of a session, which knows where it came from.
    pub(super) fn session_fact(
        &mut self,
        time: Millis,
        sign: Sign,
        detail: Detail<'_>,
        (referrer, campaign): (&str, &str),
    ) {
        let who = Who { session_referrer: referrer, session_campaign: campaign, ..person(self.key) };
        self.tell(who, time, sign, detail);
    }

    fn tell(&mut self, who: Who<'_>, time: Millis, sign: Sign, detail: Detail<'_>) {
        self.facts.fact(&Fact { time, sign, who, detail }, self.presence.as_deref_mut());
    }

    /// A fact of state that belongs to the visit of this record.
    pub(super) fn visit_fact(&mut self, time: Millis, detail: Detail<'_>) {
        let Who { session_referrer, session_campaign, .. } = self.who;
        self.session_fact(time, Sign::Counted, detail, (session_referrer, session_campaign));
    }

    pub(super) fn abandoned(&mut self, deadline: Millis, change: AbandonedChange) {
        self.out.push(Output::Abandoned(AbandonedNews { actor: self.key.clone(), deadline, change }));
    }

    pub(super) fn order(&mut self, order_id: &str, open: bool) {
        self.out.push(Output::Order { actor: self.key.clone(), order_id: order_id.to_owned(), open });
    }
}

/// Sends a saga's step to the actor `id` of the same shop.
pub(super) fn send(
    out: &mut Outputs,
    from: &ActorKey,
    to: (Journal, &str),
    created: Millis,
    action: journal::step::Action,
) {
    let (journal, id) = to;
    let step = Box::new(journal::Step {
        shop: from.shop().to_owned(),
        actor_id: id.to_owned(),
        created_ms: created,
        action: Some(action),
    });
    out.push(Output::Step { journal, to: ActorKey::new(from.shop(), id), step });
}
