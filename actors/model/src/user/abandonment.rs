//! Abandonment: when a cart counts as left behind, when that proves wrong, and when an order makes up for it. SEMANTICS.md section 6.

use super::cart::{Cart, value_of};
use super::line::Line;
use super::scribe::Scribe;
use crate::fact::{Detail, Sign};
use crate::limits::ABANDONED_CARTS;
use crate::money::{Currency, Money};
use crate::output::AbandonedChange;
use crate::time::Millis;

/// How far a cart came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Cart,
    Checkout,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Checkout => "checkout",
        }
    }
}

/// A cart as it was left behind. `deadline` is its token within the actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedCart {
    pub deadline: Millis,
    pub stage: Stage,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub fate: Fate,
}

/// What became of an abandoned cart. One that proved not to be abandoned is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Open,
    /// This order came after the deadline.
    Recovered(Box<str>),
    /// RestoreCart put its lines back.
    Restored,
}

impl AbandonedCart {
    pub fn amount(&self) -> Option<Money> {
        value_of(&self.lines, Some(self.currency))
    }
}

impl Cart {
    /// The deadline passed: the cart counts as abandoned. One that already does makes no second fact.
    pub(super) fn fire(&mut self, scribe: &mut Scribe<'_>) {
        let (Some(deadline), Some(amount)) = (self.deadline.take(), self.value()) else { return };
        if self.open {
            return;
        }
        let (stage, Money { currency, minor }) = (self.stage, amount);
        scribe.state_fact(
            deadline,
            Sign::Counted,
            Detail::CartAbandoned { stage: stage.name(), amount: Some(amount) },
        );
        let opened = AbandonedChange::Opened { stage: stage.name(), currency: currency.code(), minor };
        scribe.abandoned(deadline, opened);
        if self.abandoned.len() == ABANDONED_CARTS {
            self.abandoned.remove(0);
        }
        self.abandoned.push(AbandonedCart {
            deadline,
            stage,
            currency,
            lines: self.lines.clone(),
            fate: Fate::Open,
        });
        self.open = true;
    }

    /// Something happens at `time`: by then the deadline may have passed, even if the watermark does not stand there yet.
    pub(super) fn fire_if_passed(&mut self, time: Millis, scribe: &mut Scribe<'_>) {
        if self.deadline.is_some_and(|deadline| time > deadline) {
            self.fire(scribe);
        }
    }

    /// Something was added at `time`.
    pub(super) fn rearm(&mut self, time: Millis, scribe: &mut Scribe<'_>) {
        if self.open && self.latest_add.is_some_and(|latest| time <= latest) {
            return;
        }
        if self.open && self.abandoned.last().is_some_and(|cart| time <= cart.deadline) {
            self.take_back(scribe);
        }
        let latest = self.latest_add.map_or(time, |latest| latest.max(time));
        self.latest_add = Some(latest);
        self.deadline = Some(latest.saturating_add(scribe.settings.fold.abandon_after));
    }

    /// Lines of a guest arrived: they are as good as an add of this moment, if nothing runs yet.
    pub(super) fn arm_merged(&mut self, scribe: &Scribe<'_>) {
        if self.deadline.is_none() {
            let now = scribe.now.log_time;
            self.latest_add = Some(self.latest_add.map_or(now, |latest| latest.max(now)));
            self.deadline = Some(now.saturating_add(scribe.settings.fold.abandon_after));
        }
    }

    /// An order was placed at `time`: settles the abandonment and empties the cart.
    pub(super) fn ordered(&mut self, order_id: &str, time: Millis, scribe: &mut Scribe<'_>) {
        self.fire_if_passed(time, scribe);
        if self.open
            && let Some(cart) = self.abandoned.last_mut()
        {
            if time <= cart.deadline {
                self.take_back(scribe);
            } else {
                let recovered = Detail::CartRecovered { stage: cart.stage.name(), amount: cart.amount() };
                scribe.visit_fact(time, recovered);
                scribe.abandoned(cart.deadline, AbandonedChange::Recovered { order_id: order_id.to_owned() });
                cart.fate = Fate::Recovered(order_id.into());
            }
        }
        self.empty(scribe);
    }

    /// It was never abandoned after all.
    fn take_back(&mut self, scribe: &mut Scribe<'_>) {
        self.open = false;
        if let Some(cart) = self.abandoned.pop() {
            let abandoned = Detail::CartAbandoned { stage: cart.stage.name(), amount: cart.amount() };
            scribe.state_fact(cart.deadline, Sign::TakenBack, abandoned);
            scribe.abandoned(cart.deadline, AbandonedChange::Retracted);
        }
    }
}
