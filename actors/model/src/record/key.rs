//! Where a record belongs: its journal and its actor, so its partition. Intake asks before it appends, decoding after.

use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use crate::journal::Journal;
use crate::key::ActorKey;
use crate::record::{command, step};

/// The shop of an event that names none.
pub const DEFAULT_SHOP: &str = "main";

/// Before a product's id in its resource name.
const PRODUCTS: &str = "products/";

/// The actor a record is for; none for a record every shard gets, or one of an unknown kind. Validate
/// first: of an unlawful record it may name an actor that cannot be.
pub fn key_of(record: &journal::Record) -> Option<ActorKey> {
    match record.body.as_ref()? {
        Body::Event(record) => record.event.as_ref().map(|event| event_key(event).0),
        Body::Command(command) => Some(ActorKey::new(&command.shop, &command.actor_id)),
        Body::Step(step) => Some(ActorKey::new(&step.shop, &step.actor_id)),
        Body::Settings(_) | Body::Tick(_) | Body::VersionBarrier(_) => None,
    }
}

/// The journal a record is for; none for a record every shard of both gets, or one of an unknown kind.
pub fn journal_of(record: &journal::Record) -> Option<Journal> {
    let is_for_product = match record.body.as_ref()? {
        Body::Event(record) => is_of_product(record.event.as_ref()?.kind.as_ref()?),
        Body::Command(command) => command::is_for_product(command.action.as_ref()?),
        Body::Step(step) => step::is_for_product(step.action.as_ref()?),
        Body::Settings(_) | Body::Tick(_) | Body::VersionBarrier(_) => return None,
    };
    Some(if is_for_product { Journal::Products } else { Journal::Users })
}

/// The actor an event is for: a person, a guest, a product, or nobody but itself.
pub fn actor_of(event: &v1::Event) -> ActorKey {
    event_key(event).0
}

/// Whether an event is folded by a product.
pub fn is_of_product(kind: &Kind) -> bool {
    matches!(kind, Kind::ProductStep(_) | Kind::StockStep(_))
}

/// The bare id in a product's resource name.
pub fn product_id(name: &str) -> Option<&str> {
    name.strip_prefix(PRODUCTS)
}

/// The actor of an event, and whether it has none but itself: neither a person nor a product.
pub(super) fn event_key(event: &v1::Event) -> (ActorKey, bool) {
    let shop = if event.shop.is_empty() { DEFAULT_SHOP } else { &event.shop };
    match &event.kind {
        Some(Kind::StockStep(step)) => return (ActorKey::new(shop, &step.product_id), false),
        Some(Kind::ProductStep(step)) => {
            let name = step.product.as_ref().map_or("", |product| &product.name);
            return (ActorKey::new(shop, product_id(name).unwrap_or(name)), false);
        }
        _ => {}
    }
    if !event.user_id.is_empty() {
        return (ActorKey::new(shop, &event.user_id), false);
    }
    if !event.session_id.is_empty() {
        return (ActorKey::guest(shop, &event.session_id), false);
    }
    let own = match &event.kind {
        Some(Kind::Trip(trip)) => trip.trip_id.as_str(),
        Some(Kind::Transaction(transaction)) => transaction.transaction_id.as_str(),
        _ => "",
    };
    (ActorKey::new(shop, if own.is_empty() { &event.event_id } else { own }), true)
}
