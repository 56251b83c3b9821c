//! The kinds a message can be of: those of an event, with what was done where a kind has several things to do.

use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind as Body;
use souk_proto::v1::order_step::Stage;
use souk_proto::v1::recommendation_step::Outcome;
use souk_proto::v1::transaction::Type;

/// A kind, as declarations name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    PageView,
    ProductView,
    Cart(Action),
    Order(Stage),
    Search,
    Browse,
    Login,
    Logout,
    /// Put on the list, or taken off.
    Wishlist(bool),
    Review,
    Recommendation(Outcome),
    Transaction(Type),
    Trip,
    Product,
    Stock,
    Custom,
}

const KINDS: [(&str, Kind); 32] = [
    ("page_view", Kind::PageView),
    ("product_view", Kind::ProductView),
    ("cart_step.add", Kind::Cart(Action::Add)),
    ("cart_step.remove", Kind::Cart(Action::Remove)),
    ("cart_step.set_quantity", Kind::Cart(Action::SetQuantity)),
    ("cart_step.clear", Kind::Cart(Action::Clear)),
    ("cart_step.view", Kind::Cart(Action::View)),
    ("order_step.checkout_started", Kind::Order(Stage::CheckoutStarted)),
    ("order_step.payment_started", Kind::Order(Stage::PaymentStarted)),
    ("order_step.paid", Kind::Order(Stage::Paid)),
    ("order_step.payment_failed", Kind::Order(Stage::PaymentFailed)),
    ("order_step.placed", Kind::Order(Stage::Placed)),
    ("order_step.cancelled", Kind::Order(Stage::Cancelled)),
    ("order_step.refunded", Kind::Order(Stage::Refunded)),
    ("search", Kind::Search),
    ("browse", Kind::Browse),
    ("login", Kind::Login),
    ("logout", Kind::Logout),
    ("wishlist_step.add", Kind::Wishlist(false)),
    ("wishlist_step.remove", Kind::Wishlist(true)),
    ("review", Kind::Review),
    ("recommendation_step.offered", Kind::Recommendation(Outcome::Offered)),
    ("recommendation_step.shown", Kind::Recommendation(Outcome::Shown)),
    ("recommendation_step.clicked", Kind::Recommendation(Outcome::Clicked)),
    ("recommendation_step.bought", Kind::Recommendation(Outcome::Bought)),
    ("transaction.purchase", Kind::Transaction(Type::Purchase)),
    ("transaction.refund", Kind::Transaction(Type::Refund)),
    ("transaction.transfer", Kind::Transaction(Type::Transfer)),
    ("trip", Kind::Trip),
    ("product_step", Kind::Product),
    ("stock_step", Kind::Stock),
    ("custom", Kind::Custom),
];

impl Kind {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Every name a declaration may use.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _)| *name)
    }

    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|(_, kind)| *kind)
    }

    /// That of an event; none if it has none.
    pub(crate) fn of(event: &v1::Event) -> Option<Self> {
        Some(match event.kind.as_ref()? {
            Body::PageView(_) => Self::PageView,
            Body::ProductView(_) => Self::ProductView,
            Body::CartStep(step) => Self::Cart(step.action()),
            Body::OrderStep(step) => Self::Order(step.stage()),
            Body::Search(_) => Self::Search,
            Body::Browse(_) => Self::Browse,
            Body::Login(_) => Self::Login,
            Body::Logout(_) => Self::Logout,
            Body::WishlistStep(step) => Self::Wishlist(step.removed),
            Body::Review(_) => Self::Review,
            Body::RecommendationStep(step) => Self::Recommendation(step.outcome()),
            Body::Transaction(transaction) => Self::Transaction(transaction.r#type()),
            Body::Trip(_) => Self::Trip,
            Body::ProductStep(_) => Self::Product,
            Body::StockStep(_) => Self::Stock,
            Body::Custom(_) => Self::Custom,
        })
    }
}
