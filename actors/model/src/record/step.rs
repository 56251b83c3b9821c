//! Saga steps: written by folds, so a wrong one is a bug or a damaged journal, and still must not reach an actor.

use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::step::Action;
use souk_proto::v1::ErrorReason;

use crate::limits::{CART_LINES, LINE_QUANTITY, PIECES};
use crate::money::MAX_AMOUNT;
use crate::record::check::{self, Checked, missing, within};
use crate::record::stamp::currency;

pub(super) fn step(step: &journal::Step) -> Checked {
    let Some(action) = &step.action else { return Err(missing("action")) };
    check::id("shop", &step.shop)?;
    if is_for_product(action) {
        check::id("actor_id", &step.actor_id)?;
    } else {
        check::user_id("actor_id", &step.actor_id)?;
    }
    check::range("created_ms", step.created_ms, 0, crate::metric::LATEST)?;
    within(action_name(action), self::action(action))
}

/// Whether a step is for a product, so for the products journal.
pub(super) fn is_for_product(action: &Action) -> bool {
    match action {
        Action::Reserve(_) | Action::Commit(_) | Action::Release(_) => true,
        Action::Reserved(_)
        | Action::Settled(_)
        | Action::CartTake(_)
        | Action::CartGiven(_)
        | Action::CartTaken(_) => false,
    }
}

fn action(action: &Action) -> Checked {
    match action {
        Action::Reserve(reserve) => {
            order(&reserve.user_id, &reserve.order_id)?;
            check::range("quantity", reserve.quantity, 1, LINE_QUANTITY)
        }
        Action::Commit(commit) => {
            order(&commit.user_id, &commit.order_id)?;
            check::range("quantity", commit.quantity, 1, LINE_QUANTITY)
        }
        Action::Release(release) => order(&release.user_id, &release.order_id),
        Action::Reserved(reserved) => {
            check::id("order_id", &reserved.order_id)?;
            check::id("product_id", &reserved.product_id)?;
            check::known::<ErrorReason>("reason", reserved.reason)?;
            check::range("available", reserved.available, 0, PIECES)
        }
        Action::Settled(settled) => {
            check::id("order_id", &settled.order_id)?;
            check::id("product_id", &settled.product_id)
        }
        Action::CartTake(take) => check::user_id("user_id", &take.user_id),
        Action::CartGiven(given) => {
            check::user_id("guest_id", &given.guest_id)?;
            check::count("lines", given.lines.len(), CART_LINES)?;
            check::each("lines", &given.lines, cart_line)
        }
        Action::CartTaken(taken) => check::user_id("user_id", &taken.user_id),
    }
}

fn order(user_id: &str, order_id: &str) -> Checked {
    check::user_id("user_id", user_id)?;
    check::id("order_id", order_id)
}

fn cart_line(line: &journal::CartLine) -> Checked {
    check::id("product_id", &line.product_id)?;
    check::range("quantity", i64::from(line.quantity), 1, LINE_QUANTITY)?;
    currency("currency_code", &line.currency_code)?;
    check::range("unit_price_minor_units", line.unit_price_minor_units, 0, MAX_AMOUNT)?;
    check::optional_text("title", &line.title)?;
    check::optional_text("category", &line.category)?;
    check::optional_text("brand", &line.brand)
}

/// The snake_case name of a step's action.
pub fn action_name(action: &Action) -> &'static str {
    match action {
        Action::Reserve(_) => "reserve",
        Action::Commit(_) => "commit",
        Action::Release(_) => "release",
        Action::Reserved(_) => "reserved",
        Action::Settled(_) => "settled",
        Action::CartTake(_) => "cart_take",
        Action::CartGiven(_) => "cart_given",
        Action::CartTaken(_) => "cart_taken",
    }
}
