//! What a record shows wrong by itself, without stamps and state (the comments of the public messages).

use prost::Message as _;
use souk_proto::journal::v1::Record;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1::event::Kind;
use souk_proto::v1::{
    CartStep, ErrorReason, Event, Line, Money, OrderStep, Point, RecommendationStep, Transaction, Trip,
    cart_step, order_step, recommendation_step, stock_step, transaction,
};

use super::currency::minor_digits;
use super::input::JournalRecord;
use super::time::Ms;
use super::verdict::Verdict;

pub(super) type Check = Result<(), ErrorReason>;

const ID_BYTES: usize = 64;
const TEXT_BYTES: usize = 1_024;
const LABELS: usize = 16;
const LABEL_BYTES: usize = 128;
pub(super) const LINES: usize = 200;
const RECOMMENDED: usize = 50;

/// A record as far as it can be taken in; else its verdict, which a step has none of.
pub(super) fn read(record: &JournalRecord, skipped: bool) -> Result<Body, Option<Verdict>> {
    if skipped {
        return Err(Some(Verdict::Rejected(ErrorReason::InternalBug)));
    }
    let decoded = Record::decode(record.bytes.as_slice()).ok().and_then(|record| record.body);
    let body = decoded.ok_or(Some(Verdict::Rejected(ErrorReason::PayloadUndecodable)))?;
    match &body {
        Body::Event(record) => {
            let checked = record.event.as_ref().ok_or(ErrorReason::FieldMissing).and_then(event);
            checked.map_err(|reason| Some(Verdict::Rejected(reason)))?;
        }
        Body::Command(command) => {
            super::request::command(command).map_err(|reason| Some(Verdict::Refused(reason)))?;
        }
        Body::Step(step) => super::request::step(step).map_err(|_| None)?,
        _ => {}
    }
    Ok(body)
}

/// The event's own time in milliseconds, rounded down.
pub(super) fn event_time(event: &Event) -> Option<Ms> {
    let time = event.event_time.as_ref()?;
    Some(time.seconds.saturating_mul(1_000).saturating_add(i64::from(time.nanos).div_euclid(1_000_000)))
}

fn event(event: &Event) -> Check {
    named(&event.event_id)?;
    id(event.user_id.strip_prefix("guest:").unwrap_or(&event.user_id))?;
    for given in [&event.session_id, &event.device_id, &event.shop] {
        id(given)?;
    }
    if event.event_time.as_ref().is_some_and(|time| !(0..1_000_000_000).contains(&time.nanos)) {
        return Err(ErrorReason::FieldInvalid);
    }
    text(&event.source)?;
    if event.labels.len() > LABELS {
        return Err(ErrorReason::TooManyItems);
    }
    if event.labels.iter().any(|(name, value)| name.len() > LABEL_BYTES || value.len() > LABEL_BYTES) {
        return Err(ErrorReason::FieldInvalid);
    }
    let said = event.kind.as_ref().ok_or(ErrorReason::FieldMissing)?;
    kind(said)?;
    let is_missing = match said {
        Kind::CartStep(_) | Kind::OrderStep(_) => event.user_id.is_empty() && event.session_id.is_empty(),
        Kind::Login(login) => !login.guest_id.is_empty() && event.user_id.is_empty(),
        _ => false,
    };
    if is_missing { Err(ErrorReason::FieldMissing) } else { Ok(()) }
}

fn kind(kind: &Kind) -> Check {
    match kind {
        Kind::PageView(view) => {
            required(&view.page)?;
            texts(&[&view.referrer, &view.campaign])
        }
        Kind::ProductView(view) => {
            named(&view.product_id)?;
            texts(&[&view.category, &view.brand])
        }
        Kind::CartStep(step) => cart_step(step),
        Kind::OrderStep(step) => order_step(step),
        Kind::Search(search) => {
            text(&search.query)?;
            within(search.result_count.unwrap_or(0), 0, i64::MAX)
        }
        Kind::Browse(browse) => required(&browse.category),
        Kind::Login(login) => id(&login.guest_id),
        Kind::Logout(_) => Ok(()),
        Kind::WishlistStep(step) => named(&step.product_id),
        Kind::Review(review) => {
            named(&review.product_id)?;
            within(review.rating, 1, 5)?;
            text(&review.title)
        }
        Kind::RecommendationStep(step) => recommendation(step),
        Kind::Transaction(transaction) => ledger(transaction),
        Kind::Trip(ride) => trip(ride),
        Kind::ProductStep(step) => {
            let name = step.product.as_ref().map_or("", |product| product.name.as_str());
            required(name)?;
            named(name.strip_prefix("products/").ok_or(ErrorReason::FieldInvalid)?)?;
            step.product.as_ref().and_then(|product| product.price.as_ref()).map_or(Ok(()), positive)
        }
        Kind::StockStep(step) => {
            named(&step.product_id)?;
            match step.change {
                None => Err(ErrorReason::FieldMissing),
                Some(stock_step::Change::Level(level)) => within(level, 0, i64::MAX),
                Some(stock_step::Change::Delta(_)) => Ok(()),
            }
        }
        Kind::Custom(custom) => required(&custom.r#type),
    }
}

fn cart_step(step: &CartStep) -> Check {
    id(&step.cart_id)?;
    step.total.as_ref().map_or(Ok(()), money)?;
    match step.action() {
        cart_step::Action::Unspecified => Err(ErrorReason::FieldMissing),
        cart_step::Action::Clear | cart_step::Action::View => Ok(()),
        _ => line(step.line.as_ref().ok_or(ErrorReason::FieldMissing)?),
    }
}

fn order_step(step: &OrderStep) -> Check {
    use order_step::Stage;
    id(&step.order_id)?;
    id(&step.cart_id)?;
    text(&step.payment_method)?;
    if step.lines.len() > LINES {
        return Err(ErrorReason::TooManyItems);
    }
    step.lines.iter().try_for_each(line)?;
    step.total.as_ref().map_or(Ok(()), positive)?;
    let empty = step.lines.is_empty() && step.total.is_none();
    match step.stage() {
        Stage::Unspecified => Err(ErrorReason::FieldMissing),
        Stage::Placed | Stage::Paid if empty => Err(ErrorReason::FieldMissing),
        _ => Ok(()),
    }
}

fn recommendation(step: &RecommendationStep) -> Check {
    use recommendation_step::Outcome;
    match step.outcome() {
        Outcome::Unspecified => return Err(ErrorReason::FieldMissing),
        Outcome::Offered if step.product_ids.is_empty() => return Err(ErrorReason::FieldMissing),
        Outcome::Offered => id(&step.recommendation_id)?,
        _ => named(&step.recommendation_id)?,
    }
    if step.product_ids.len() > RECOMMENDED {
        return Err(ErrorReason::TooManyItems);
    }
    step.product_ids.iter().try_for_each(|product| named(product))?;
    if !(0.0..=1.0).contains(&step.confidence) {
        return Err(ErrorReason::ValueOutOfRange);
    }
    text(&step.reason)
}

fn ledger(entry: &Transaction) -> Check {
    if entry.r#type() == transaction::Type::Unspecified {
        return Err(ErrorReason::FieldMissing);
    }
    id(&entry.transaction_id)?;
    positive(entry.amount.as_ref().ok_or(ErrorReason::FieldMissing)?)?;
    texts(&[&entry.category, &entry.merchant, &entry.location])
}

fn trip(trip: &Trip) -> Check {
    id(&trip.trip_id)?;
    within(trip.region_id, 1, 100)?;
    let fare = trip.fare.as_ref().ok_or(ErrorReason::FieldMissing)?;
    positive(fare)?;
    let digits = minor_digits(&fare.currency_code).unwrap_or(0) as u32;
    within(fare.minor_units.unwrap_or(0), 0, 1_000 * 10_i64.pow(digits))?;
    let time = trip.duration.as_ref().ok_or(ErrorReason::FieldMissing)?;
    within(time.seconds, 60, 86_400)?;
    if time.seconds == 86_400 && time.nanos > 0 {
        return Err(ErrorReason::ValueOutOfRange);
    }
    within(trip.distance_meters, 100, 500_000)?;
    [&trip.pickup, &trip.dropoff].into_iter().flatten().try_for_each(point)?;
    id(&trip.driver_id)?;
    texts(&[&trip.vehicle_type, &trip.payment_method])
}

fn point(point: &Point) -> Check {
    let on_earth = (-90.0..=90.0).contains(&point.latitude) && (-180.0..=180.0).contains(&point.longitude);
    if on_earth { Ok(()) } else { Err(ErrorReason::ValueOutOfRange) }
}

pub(super) fn line(line: &Line) -> Check {
    named(&line.product_id)?;
    within(line.quantity.unwrap_or(1), 1, 1_000)?;
    line.unit_price.as_ref().map_or(Ok(()), positive)?;
    texts(&[&line.title, &line.category, &line.brand])
}

/// Money with a number and a currency.
pub(super) fn money(money: &Money) -> Check {
    minor_digits(&money.currency_code).ok_or(ErrorReason::CurrencyUnknown)?;
    money.minor_units.map(|_| ()).ok_or(ErrorReason::FieldMissing)
}

/// Money that is not negative.
pub(super) fn positive(amount: &Money) -> Check {
    money(amount)?;
    within(amount.minor_units.unwrap_or(0), 0, i64::MAX)
}

pub(super) fn within(value: impl Into<i64>, least: i64, most: i64) -> Check {
    if (least..=most).contains(&value.into()) { Ok(()) } else { Err(ErrorReason::ValueOutOfRange) }
}

fn required(given: &str) -> Check {
    if given.is_empty() { Err(ErrorReason::FieldMissing) } else { text(given) }
}

pub(super) fn named(given: &str) -> Check {
    if given.is_empty() { Err(ErrorReason::FieldMissing) } else { id(given) }
}

pub(super) fn text(given: &str) -> Check {
    let is_line = given.len() <= TEXT_BYTES && !given.chars().any(char::is_control);
    if is_line { Ok(()) } else { Err(ErrorReason::FieldInvalid) }
}

fn texts(given: &[&str]) -> Check {
    given.iter().try_for_each(|given| text(given))
}

/// An id, or nothing.
pub(super) fn id(given: &str) -> Check {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~:@+-".contains(&byte);
    if given.len() <= ID_BYTES && given.bytes().all(allowed) {
        Ok(())
    } else {
        Err(ErrorReason::FieldInvalid)
    }
}
