//! A reported event: duplicate, late or rejected it leaves no trace; counted it touches the session and does what its kind does.

mod cart_step;
mod order_step;
mod plain;

pub(super) use cart_step::quantity_change;

use souk_proto::v1;
use souk_proto::v1::event::Kind as Reported;

use super::journey::Step;
use super::kind::Kind;
use super::merge::Merge;
use super::scribe::{Scribe, person};
use super::session::{Session, Visit};
use super::{User, rare};
use crate::actor::Context;
use crate::fact::{Detail, Who};
use crate::key::ActorKey;
use crate::record;
use crate::time::Millis;
use crate::verdict::{Refusal, Verdict};

/// The journey's name for where a step comes from when none was near.
const START: &str = "start";

/// What the event's kind will do, found lawful before anything changes.
enum Plan<'a> {
    Plain,
    Cart(super::cart::Change<'a>),
    Order(Box<order_step::OrderPlan<'a>>),
}

impl User {
    /// Folds an event of this actor. SEMANTICS.md section 2, from its step 3 on.
    pub fn event(&mut self, ctx: &mut Context<'_>, event: &record::Event) -> Verdict {
        let time = event.time.unwrap_or(ctx.now.log_time);
        let reported = match self.admit(ctx, event, time) {
            Ok(reported) => reported,
            Err(verdict) => return verdict,
        };
        let plan = match self.plan(event, reported) {
            Ok(plan) => plan,
            Err(refusal) => return Verdict::Rejected(refusal),
        };
        self.dedup.remember(event.fingerprint, ctx.now.log_time);
        self.sessions.forget(ctx.now.out_of_reach, ctx.settings);
        self.journey.forget_before(ctx.now.out_of_reach);

        let kind = Kind::of(reported);
        let place = self.touch_session(ctx, event, reported, time);
        let Self { sessions, journey, cart, rare: few, presence, .. } = self;
        let who = who(event, place.and_then(|place| sessions.get(place)));
        let mut scribe = scribe(ctx, &event.key, who, Some(presence));
        scribe.fact(time, Detail::Event { kind: kind.name() });
        match plan {
            Plan::Plain => plain::tell(reported, event, time, &mut scribe),
            Plan::Cart(change) => {
                if !matches!(change, super::cart::Change::Nothing) {
                    cart.get_or_insert_default().apply(&change, time, &mut scribe);
                }
            }
            Plan::Order(plan) => plan.apply(cart, &mut rare(few).orders, time, &mut scribe),
        }
        if let Some(target) = step_target(reported, event) {
            let step = Step { time, kind, target };
            let before = journey.before(time, scribe.settings.fold.session_gap);
            let from = before.as_ref().map_or(START, Step::name);
            scribe.fact(time, Detail::JourneyStep { from, to: step.name() });
            journey.push(step);
        }
        if let Reported::Login(login) = reported {
            self.start_login_merge(ctx, &event.key, login);
        }
        Verdict::Counted
    }

    /// Folds an event that is nobody's: remembered and counted, without session, cart, orders or journey.
    pub fn keyless_event(&mut self, ctx: &mut Context<'_>, event: &record::Event) -> Verdict {
        let time = event.time.unwrap_or(ctx.now.log_time);
        let reported = match self.admit(ctx, event, time) {
            Ok(reported) => reported,
            Err(verdict) => return verdict,
        };
        self.dedup.remember(event.fingerprint, ctx.now.log_time);
        let mut scribe = scribe(ctx, &event.key, Who { user: "", ..who(event, None) }, None);
        scribe.fact(time, Detail::Event { kind: Kind::of(reported).name() });
        plain::tell(reported, event, time, &mut scribe);
        Verdict::Counted
    }

    fn admit<'a>(
        &self,
        ctx: &Context<'_>,
        event: &'a record::Event,
        time: Millis,
    ) -> Result<&'a Reported, Verdict> {
        if self.dedup.knows(event.fingerprint, ctx.now.log_time) {
            return Err(Verdict::Duplicate);
        }
        if time < ctx.now.high_water.saturating_sub(ctx.settings.horizon) {
            return Err(Verdict::Late);
        }
        event
            .event
            .kind
            .as_ref()
            .ok_or_else(|| Verdict::Rejected(Refusal::missing("kind", "say what happened")))
    }

    fn plan<'a>(&self, event: &'a record::Event, reported: &'a Reported) -> Result<Plan<'a>, Refusal> {
        match reported {
            Reported::CartStep(step) => cart_step::plan(self.cart.as_deref(), event, step).map(Plan::Cart),
            Reported::OrderStep(step) => {
                let orders = self.rare.as_deref().map(|rare| &rare.orders);
                order_step::OrderPlan::of(orders, event, step).map(|plan| Plan::Order(Box::new(plan)))
            }
            _ => Ok(Plan::Plain),
        }
    }

    fn touch_session(
        &mut self,
        ctx: &mut Context<'_>,
        event: &record::Event,
        reported: &Reported,
        time: Millis,
    ) -> Option<usize> {
        let page = match reported {
            Reported::PageView(view) => {
                Some((view.page.as_str(), view.referrer.as_str(), view.campaign.as_str()))
            }
            _ => None,
        };
        let visit = Visit { time, kind: Kind::of(reported), device: &event.event.device_id, page };
        let mut scribe = scribe(ctx, &event.key, person(&event.key), Some(&mut self.presence));
        self.sessions.touch(&visit, &mut scribe)
    }

    /// A guest turned out to be this user. With too many merges under way its cart stays the guest's.
    fn start_login_merge(&mut self, ctx: &mut Context<'_>, key: &ActorKey, login: &v1::Login) {
        const GUEST: &str = "guest:";
        if login.guest_id.is_empty() {
            return;
        }
        let guest = if login.guest_id.starts_with(GUEST) {
            login.guest_id.clone()
        } else {
            format!("{GUEST}{}", login.guest_id)
        };
        let merges = &mut rare(&mut self.rare).merges;
        if *guest != *key.id() && merges.has_room() {
            let (id, created) = (ctx.now.offset, ctx.now.log_time);
            let merge = Merge { id, guest: guest.into(), policy: v1::MergePolicy::Max, created };
            merge.ask(key, ctx.out);
            merges.asked.push(merge);
        }
        self.shrink();
    }
}

fn scribe<'a>(
    ctx: &'a mut Context<'_>,
    key: &'a ActorKey,
    who: Who<'a>,
    presence: Option<&'a mut crate::tally::Presence>,
) -> Scribe<'a> {
    let Context { now, settings, facts, out, .. } = ctx;
    Scribe { now: *now, settings, key, who, facts: &mut **facts, presence, out }
}

/// What the facts of this event say of its visit.
fn who<'a>(event: &'a record::Event, session: Option<&'a Session>) -> Who<'a> {
    let (session_referrer, session_campaign) = session.map_or(("", ""), Session::origin);
    Who {
        session: &event.event.session_id,
        device: &event.event.device_id,
        source: &event.event.source,
        session_referrer,
        session_campaign,
        labels: Some(&event.event.labels).filter(|labels| !labels.is_empty()),
        ..person(&event.key)
    }
}

/// What a step of the journey was about; `None` for kinds that are no step.
fn step_target<'a>(reported: &'a Reported, event: &'a record::Event) -> Option<&'a str> {
    match reported {
        Reported::PageView(view) => Some(&view.page),
        Reported::ProductView(view) => Some(&view.product_id),
        Reported::CartStep(step) => Some(step.line.as_ref().map_or("", |line| &line.product_id)),
        Reported::OrderStep(step) => Some(order_step::order_id(step, event)),
        Reported::Search(search) => Some(&search.query),
        Reported::WishlistStep(step) => Some(&step.product_id),
        _ => None,
    }
}
