//! Facts: what metrics count. Events as they came, and what the fold made of them. SEMANTICS.md section 3.

use std::collections::BTreeMap;

use crate::money::Money;
use crate::tally::Presence;
use crate::time::Millis;

/// Takes facts as the fold makes them. The tally book of a users shard; a list in tests.
pub trait FactSink {
    /// `presence` is the actor's memory of where it was counted as a distinct user; `None` for keyless events.
    fn fact(&mut self, fact: &Fact<'_>, presence: Option<&mut Presence>);
}

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fact<'a> {
    pub time: Millis,
    pub sign: Sign,
    pub who: Who<'a>,
    pub detail: Detail<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Counted,
    TakenBack,
}

impl Sign {
    pub fn factor(self) -> i64 {
        match self {
            Self::Counted => 1,
            Self::TakenBack => -1,
        }
    }
}

/// The dimensions every fact has. An empty text stands for `unknown`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Who<'a> {
    pub shop: &'a str,
    /// The actor's id: a user, `guest:<session>`, or empty for keyless events.
    pub user: &'a str,
    pub session: &'a str,
    pub device: &'a str,
    pub source: &'a str,
    pub session_referrer: &'a str,
    pub session_campaign: &'a str,
    pub labels: Option<&'a BTreeMap<String, String>>,
}

/// A line's worth of a product. `quantity` and `amount` are negative in a refund.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item<'a> {
    pub product: &'a str,
    pub category: &'a str,
    pub brand: &'a str,
    pub quantity: i64,
    pub amount: Option<Money>,
}

/// The fields of one kind of fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Detail<'a> {
    Event {
        kind: &'a str,
    },
    PageView {
        page: &'a str,
        referrer: &'a str,
        campaign: &'a str,
    },
    ProductView {
        product: &'a str,
        category: &'a str,
        brand: &'a str,
    },
    CartAdd(Item<'a>),
    CartRemove(Item<'a>),
    OrderLine(Item<'a>),
    RefundLine(Item<'a>),
    CheckoutStarted {
        order: &'a str,
        amount: Option<Money>,
    },
    OrderPlaced {
        order: &'a str,
        amount: Option<Money>,
    },
    Refund {
        order: &'a str,
        amount: Option<Money>,
    },
    CartAbandoned {
        stage: &'a str,
        amount: Option<Money>,
    },
    CartRecovered {
        stage: &'a str,
        amount: Option<Money>,
    },
    /// Referrer and campaign are those of [`Who`].
    SessionStarted,
    SessionEnded {
        pages: i64,
        duration: Millis,
    },
    Search {
        query: &'a str,
    },
    Review {
        product: &'a str,
        rating: i64,
    },
    JourneyStep {
        from: &'a str,
        to: &'a str,
    },
    Transaction {
        kind: &'a str,
        category: &'a str,
        merchant: &'a str,
        location: &'a str,
        amount: Money,
    },
    Trip {
        region: i64,
        fare: Money,
        duration: Millis,
        distance_meters: i64,
        vehicle_type: &'a str,
    },
}

/// The kinds of fact, by the names the metric catalogue uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FactKind {
    Event,
    PageView,
    ProductView,
    CartAdd,
    CartRemove,
    OrderLine,
    RefundLine,
    CheckoutStarted,
    OrderPlaced,
    Refund,
    CartAbandoned,
    CartRecovered,
    SessionStarted,
    SessionEnded,
    Search,
    Review,
    JourneyStep,
    Transaction,
    Trip,
}

impl FactKind {
    pub const COUNT: usize = 19;

    pub const ALL: [(FactKind, &'static str); Self::COUNT] = [
        (Self::Event, "event"),
        (Self::PageView, "page_view"),
        (Self::ProductView, "product_view"),
        (Self::CartAdd, "cart_add"),
        (Self::CartRemove, "cart_remove"),
        (Self::OrderLine, "order_line"),
        (Self::RefundLine, "refund_line"),
        (Self::CheckoutStarted, "checkout_started"),
        (Self::OrderPlaced, "order_placed"),
        (Self::Refund, "refund"),
        (Self::CartAbandoned, "cart_abandoned"),
        (Self::CartRecovered, "cart_recovered"),
        (Self::SessionStarted, "session_started"),
        (Self::SessionEnded, "session_ended"),
        (Self::Search, "search"),
        (Self::Review, "review"),
        (Self::JourneyStep, "journey_step"),
        (Self::Transaction, "transaction"),
        (Self::Trip, "trip"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether the fold may take such a fact back: then only count, sum, mean and ratio may read it.
    pub fn can_be_taken_back(self) -> bool {
        matches!(self, Self::CartAbandoned | Self::SessionStarted | Self::SessionEnded)
    }
}

impl Detail<'_> {
    pub fn kind(&self) -> FactKind {
        match self {
            Self::Event { .. } => FactKind::Event,
            Self::PageView { .. } => FactKind::PageView,
            Self::ProductView { .. } => FactKind::ProductView,
            Self::CartAdd(_) => FactKind::CartAdd,
            Self::CartRemove(_) => FactKind::CartRemove,
            Self::OrderLine(_) => FactKind::OrderLine,
            Self::RefundLine(_) => FactKind::RefundLine,
            Self::CheckoutStarted { .. } => FactKind::CheckoutStarted,
            Self::OrderPlaced { .. } => FactKind::OrderPlaced,
            Self::Refund { .. } => FactKind::Refund,
            Self::CartAbandoned { .. } => FactKind::CartAbandoned,
            Self::CartRecovered { .. } => FactKind::CartRecovered,
            Self::SessionStarted => FactKind::SessionStarted,
            Self::SessionEnded { .. } => FactKind::SessionEnded,
            Self::Search { .. } => FactKind::Search,
            Self::Review { .. } => FactKind::Review,
            Self::JourneyStep { .. } => FactKind::JourneyStep,
            Self::Transaction { .. } => FactKind::Transaction,
            Self::Trip { .. } => FactKind::Trip,
        }
    }
}
