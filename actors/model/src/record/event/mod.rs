//! Events: what others report. The envelope is checked here, each kind in the file of its noun.

mod browse;
mod cart;
mod ledger;
mod product;

pub(super) use cart::lines;
pub(super) use product::{delta, level, mask, product, sale_terms};

use souk_proto::v1;
use souk_proto::v1::event::Kind;

use crate::limits::{LABEL_BYTES, LABELS};
use crate::record::check::{self, Checked, missing, within};
use crate::record::time;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// Checks every field of a reported event; its own time, if it gave one.
pub(super) fn event(event: &v1::Event) -> Result<Option<Millis>, Refusal> {
    check::id("event_id", &event.event_id)?;
    let time = event.event_time.as_ref().map(|at| time::millis("event_time", at)).transpose()?;
    if !event.user_id.is_empty() {
        check::user_id("user_id", &event.user_id)?;
    }
    check::optional_id("session_id", &event.session_id)?;
    check::optional_id("device_id", &event.device_id)?;
    check::optional_id("shop", &event.shop)?;
    check::optional_text("source", &event.source)?;
    if !event.labels.is_empty() {
        labels(event)?;
    }
    let Some(kind) = &event.kind else { return Err(missing("kind")) };
    within(kind_name(kind), self::kind(kind))?;
    if needs_person(kind) && event.user_id.is_empty() && event.session_id.is_empty() {
        return Err(check::refuse(Reason::FieldMissing, "user_id", "say whose it is: a user or a session"));
    }
    if matches!(kind, Kind::Login(login) if !login.guest_id.is_empty()) && event.user_id.is_empty() {
        return Err(check::refuse(
            Reason::FieldMissing,
            "user_id",
            "say which user the guest turned out to be",
        ));
    }
    Ok(time)
}

fn labels(event: &v1::Event) -> Checked {
    check::count("labels", event.labels.len(), LABELS)?;
    for (name, value) in &event.labels {
        check::bounded_text("labels", name, LABEL_BYTES)?;
        check::bounded_text("labels", value, LABEL_BYTES)?;
        if name.is_empty() {
            return Err(check::invalid("labels", "a label has a name"));
        }
    }
    Ok(())
}

/// A cart and an order are somebody's.
fn needs_person(kind: &Kind) -> bool {
    matches!(kind, Kind::CartStep(_) | Kind::OrderStep(_))
}

fn kind(kind: &Kind) -> Checked {
    match kind {
        Kind::PageView(view) => browse::page_view(view),
        Kind::ProductView(view) => browse::product_view(view),
        Kind::CartStep(step) => cart::cart_step(step),
        Kind::OrderStep(step) => cart::order_step(step),
        Kind::Search(search) => browse::search(search),
        Kind::Browse(browse) => browse::browse(browse),
        Kind::Login(login) => browse::login(login),
        Kind::Logout(_) => Ok(()),
        Kind::WishlistStep(step) => browse::wishlist_step(step),
        Kind::Review(review) => browse::review(review),
        Kind::RecommendationStep(step) => browse::recommendation_step(step),
        Kind::Transaction(transaction) => ledger::transaction(transaction),
        Kind::Trip(trip) => ledger::trip(trip),
        Kind::ProductStep(step) => product::product_step(step),
        Kind::StockStep(step) => product::stock_step(step),
        Kind::Custom(custom) => browse::custom(custom),
    }
}

/// The snake_case names of the kinds, in the order of the proto.
pub const KIND_NAMES: [&str; 16] = [
    "page_view",
    "product_view",
    "cart_step",
    "order_step",
    "search",
    "browse",
    "login",
    "logout",
    "wishlist_step",
    "review",
    "recommendation_step",
    "transaction",
    "trip",
    "product_step",
    "stock_step",
    "custom",
];

/// Place of a kind in [`KIND_NAMES`].
pub const fn kind_place(kind: &Kind) -> usize {
    match kind {
        Kind::PageView(_) => 0,
        Kind::ProductView(_) => 1,
        Kind::CartStep(_) => 2,
        Kind::OrderStep(_) => 3,
        Kind::Search(_) => 4,
        Kind::Browse(_) => 5,
        Kind::Login(_) => 6,
        Kind::Logout(_) => 7,
        Kind::WishlistStep(_) => 8,
        Kind::Review(_) => 9,
        Kind::RecommendationStep(_) => 10,
        Kind::Transaction(_) => 11,
        Kind::Trip(_) => 12,
        Kind::ProductStep(_) => 13,
        Kind::StockStep(_) => 14,
        Kind::Custom(_) => 15,
    }
}

/// The name of an event's kind: the dimension `kind` of the fact `event`, and the step a journey shows.
pub const fn kind_name(kind: &Kind) -> &'static str {
    KIND_NAMES[kind_place(kind)]
}
