//! What each kind of event does, and the facts it makes (section 3).

use souk_proto::v1::event::Kind;
use souk_proto::v1::{CartStep, ErrorReason, Event, MergePolicy, Transaction, Trip, cart_step, transaction};

use super::fact::{Amount, Fact};
use super::merge::MOST_MERGES;
use super::person::{Person, Scene, amount};

type Outcome = Result<(), ErrorReason>;

/// The snake_case name of the kind's field.
pub(super) fn kind_name(event: &Event) -> &'static str {
    match event.kind.as_ref() {
        Some(Kind::PageView(_)) => "page_view",
        Some(Kind::ProductView(_)) => "product_view",
        Some(Kind::CartStep(_)) => "cart_step",
        Some(Kind::OrderStep(_)) => "order_step",
        Some(Kind::Search(_)) => "search",
        Some(Kind::Browse(_)) => "browse",
        Some(Kind::Login(_)) => "login",
        Some(Kind::Logout(_)) => "logout",
        Some(Kind::WishlistStep(_)) => "wishlist_step",
        Some(Kind::Review(_)) => "review",
        Some(Kind::RecommendationStep(_)) => "recommendation_step",
        Some(Kind::Transaction(_)) => "transaction",
        Some(Kind::Trip(_)) => "trip",
        Some(Kind::ProductStep(_)) => "product_step",
        Some(Kind::StockStep(_)) => "stock_step",
        Some(Kind::Custom(_)) => "custom",
        None => "",
    }
}

/// What a step of the journey is called; none for a kind that is no step.
pub(super) fn step_name(event: &Event) -> Option<String> {
    match event.kind.as_ref()? {
        Kind::PageView(view) => Some(view.page.clone()),
        Kind::ProductView(_)
        | Kind::CartStep(_)
        | Kind::OrderStep(_)
        | Kind::Search(_)
        | Kind::WishlistStep(_) => Some(kind_name(event).to_owned()),
        _ => None,
    }
}

/// Does what the kind does; `person` is missing for an event of nobody.
pub(super) fn effect(event: &Event, person: Option<&mut Person>, scene: &mut Scene<'_>) -> Outcome {
    let plain = |kind, scene: &Scene<'_>| Fact::new(kind, scene.at, &scene.base);
    match (event.kind.as_ref().ok_or(ErrorReason::FieldMissing)?, person) {
        (Kind::PageView(view), _) => {
            let fact = plain("page_view", scene).text("page", &view.page);
            scene.facts.push(fact.text("referrer", &view.referrer).text("campaign", &view.campaign));
        }
        (Kind::ProductView(view), _) => {
            let stamp = scene.stamp(&view.product_id).cloned().unwrap_or_default();
            let or = |said: &String, stamped: String| if said.is_empty() { stamped } else { said.clone() };
            let fact = plain("product_view", scene)
                .text("product", &view.product_id)
                .text("category", &or(&view.category, stamp.category))
                .text("brand", &or(&view.brand, stamp.brand));
            scene.facts.push(fact);
        }
        (Kind::Search(search), _) => scene.facts.push(plain("search", scene).text("query", &search.query)),
        (Kind::Review(review), _) => {
            let fact = plain("review", scene).text("product", &review.product_id);
            scene.facts.push(fact.number("rating", i64::from(review.rating)));
        }
        (Kind::Transaction(entry), _) => scene.facts.push(ledger_fact(entry, plain("transaction", scene))),
        (Kind::Trip(trip), _) => scene.facts.push(trip_fact(trip, plain("trip", scene))),
        (Kind::CartStep(step), Some(person)) => cart_step(step, person, scene)?,
        (Kind::OrderStep(step), Some(person)) => {
            let id = if step.order_id.is_empty() { &event.event_id } else { &step.order_id };
            person.order_step(step, id, scene)?;
        }
        (Kind::Login(login), Some(person)) if !login.guest_id.is_empty() => {
            let session = login.guest_id.strip_prefix("guest:").unwrap_or(&login.guest_id);
            let guest = format!("guest:{session}");
            if guest != person.id && person.merges.len() < MOST_MERGES {
                person.start_merge(guest, MergePolicy::Max, scene);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A reported step of a cart; of a commanded cart it is no more than an event.
fn cart_step(step: &CartStep, person: &mut Person, scene: &mut Scene<'_>) -> Outcome {
    use cart_step::Action;
    if person.cart.commanded {
        return Ok(());
    }
    let line = step.line.clone().unwrap_or_default();
    let goods = scene.goods(&line, i64::from(line.quantity.unwrap_or(1)));
    let at = scene.at;
    match step.action() {
        Action::Add => person.change_cart(scene, |cart| cart.add(&goods, at)),
        Action::SetQuantity => person.change_cart(scene, |cart| cart.set(&goods, at)),
        Action::Remove => {
            let quantity = line.quantity.map(i64::from);
            person
                .change_cart(scene, |cart| Ok(cart.remove(&line.product_id, quantity).into_iter().collect()))
        }
        Action::Clear => person.change_cart(scene, |cart| Ok(cart.clear())),
        Action::View | Action::Unspecified => Ok(()),
    }
}

fn ledger_fact(entry: &Transaction, fact: Fact) -> Fact {
    use transaction::Type;
    let Amount { currency, minor } =
        entry.amount.as_ref().and_then(amount).unwrap_or_else(|| Amount::new("", 0));
    let (kind, sign) = match entry.r#type() {
        Type::Purchase => ("purchase", 1),
        Type::Refund => ("refund", -1),
        Type::Transfer | Type::Unspecified => ("transfer", 1),
    };
    fact.text("type", kind)
        .text("category", &entry.category)
        .text("merchant", &entry.merchant)
        .text("location", &entry.location)
        .number("minor_units_unsigned", minor)
        .amount("amount", Amount::new(&currency, sign * minor))
}

fn trip_fact(trip: &Trip, fact: Fact) -> Fact {
    let time = trip.duration.unwrap_or_default();
    fact.number("region", i64::from(trip.region_id))
        .text("vehicle_type", &trip.vehicle_type)
        .number("duration", time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000)
        .number("distance", trip.distance_meters)
        .amount("fare", trip.fare.as_ref().and_then(amount).unwrap_or_else(|| Amount::new("", 0)))
}
