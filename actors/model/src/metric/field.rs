//! Fields of facts: the dimensions metrics key and filter by, the numbers they add, and which kind of fact has which.
//!
//! Reading one allocates nothing: every value is borrowed from the fact or static.

use std::borrow::Cow;

use crate::fact::{Detail, Fact, FactKind};
use crate::limits::DIMENSION_BYTES;
use crate::money::Money;

/// What a missing or empty dimension counts under.
pub const UNKNOWN: &str = "unknown";

/// Before the name of a label in the settings.
const LABEL: &str = "label.";

/// A dimension of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    Field(Field),
    Label(String),
}

/// The named dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    User,
    Session,
    Device,
    Source,
    SessionReferrer,
    SessionCampaign,
    Kind,
    Page,
    Referrer,
    Campaign,
    Product,
    Category,
    Brand,
    Order,
    Stage,
    Query,
    StepFrom,
    StepTo,
    Type,
    Merchant,
    Location,
    Region,
    VehicleType,
}

/// The numbers a fact carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Quantity {
    /// Money, one sum per currency.
    Amount,
    /// Money, one sum per currency.
    Fare,
    Quantity,
    Pages,
    /// Milliseconds.
    Duration,
    /// Metres.
    Distance,
    Rating,
    MinorUnitsUnsigned,
}

/// A number of a fact, its sign not yet applied: [`crate::fact::Sign::factor`] is the reader's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    Money(Money),
}

impl Dimension {
    /// Reads a name of the settings: a field, or `label.` and a label's name.
    pub fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix(LABEL) {
            Some("") => None,
            Some(label) => Some(Self::Label(label.to_owned())),
            None => Field::parse(name).map(Self::Field),
        }
    }

    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Field(field) => Cow::Borrowed(field.name()),
            Self::Label(label) => Cow::Owned(format!("{LABEL}{label}")),
        }
    }

    /// Whether facts of this kind have it. Every fact may have labels.
    pub fn is_of(&self, kind: FactKind) -> bool {
        match self {
            Self::Field(field) => field.is_of(kind),
            Self::Label(_) => true,
        }
    }
}

impl Field {
    pub const COUNT: usize = 23;

    pub const ALL: [(Self, &'static str); Self::COUNT] = [
        (Self::User, "user"),
        (Self::Session, "session"),
        (Self::Device, "device"),
        (Self::Source, "source"),
        (Self::SessionReferrer, "session.referrer"),
        (Self::SessionCampaign, "session.campaign"),
        (Self::Kind, "kind"),
        (Self::Page, "page"),
        (Self::Referrer, "referrer"),
        (Self::Campaign, "campaign"),
        (Self::Product, "product"),
        (Self::Category, "category"),
        (Self::Brand, "brand"),
        (Self::Order, "order"),
        (Self::Stage, "stage"),
        (Self::Query, "query"),
        (Self::StepFrom, "step_from"),
        (Self::StepTo, "step_to"),
        (Self::Type, "type"),
        (Self::Merchant, "merchant"),
        (Self::Location, "location"),
        (Self::Region, "region"),
        (Self::VehicleType, "vehicle_type"),
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(field, _)| *field)
    }

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether facts of this kind have it.
    pub fn is_of(self, kind: FactKind) -> bool {
        COMMON.contains(&self) || fields_of(kind).contains(&self)
    }
}

impl Quantity {
    pub const COUNT: usize = 8;

    pub const ALL: [(Self, &'static str); Self::COUNT] = [
        (Self::Amount, "amount"),
        (Self::Fare, "fare"),
        (Self::Quantity, "quantity"),
        (Self::Pages, "pages"),
        (Self::Duration, "duration"),
        (Self::Distance, "distance"),
        (Self::Rating, "rating"),
        (Self::MinorUnitsUnsigned, "minor_units_unsigned"),
    ];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(quantity, _)| *quantity)
    }

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    pub fn is_money(self) -> bool {
        matches!(self, Self::Amount | Self::Fare)
    }

    /// Whether facts of this kind carry it.
    pub fn is_of(self, kind: FactKind) -> bool {
        quantities_of(kind).contains(&self)
    }
}

/// The dimensions every fact has.
const COMMON: [Field; 6] = [
    Field::User,
    Field::Session,
    Field::Device,
    Field::Source,
    Field::SessionReferrer,
    Field::SessionCampaign,
];

/// The dimensions of a kind of fact beside the common ones.
fn fields_of(kind: FactKind) -> &'static [Field] {
    match kind {
        FactKind::Event => &[Field::Kind],
        FactKind::PageView => &[Field::Page, Field::Referrer, Field::Campaign],
        FactKind::ProductView
        | FactKind::CartAdd
        | FactKind::CartRemove
        | FactKind::OrderLine
        | FactKind::RefundLine => &[Field::Product, Field::Category, Field::Brand],
        FactKind::CheckoutStarted | FactKind::OrderPlaced | FactKind::Refund => &[Field::Order],
        FactKind::CartAbandoned | FactKind::CartRecovered => &[Field::Stage],
        FactKind::SessionStarted | FactKind::SessionEnded => &[],
        FactKind::Search => &[Field::Query],
        FactKind::Review => &[Field::Product],
        FactKind::JourneyStep => &[Field::StepFrom, Field::StepTo],
        FactKind::Transaction => &[Field::Type, Field::Category, Field::Merchant, Field::Location],
        FactKind::Trip => &[Field::Region, Field::VehicleType],
    }
}

/// The numbers of a kind of fact.
fn quantities_of(kind: FactKind) -> &'static [Quantity] {
    match kind {
        FactKind::CartAdd | FactKind::CartRemove | FactKind::OrderLine | FactKind::RefundLine => {
            &[Quantity::Quantity, Quantity::Amount]
        }
        FactKind::CheckoutStarted
        | FactKind::OrderPlaced
        | FactKind::Refund
        | FactKind::CartAbandoned
        | FactKind::CartRecovered => &[Quantity::Amount],
        FactKind::SessionEnded => &[Quantity::Pages, Quantity::Duration],
        FactKind::Review => &[Quantity::Rating],
        FactKind::Transaction => &[Quantity::Amount, Quantity::MinorUnitsUnsigned],
        FactKind::Trip => &[Quantity::Fare, Quantity::Duration, Quantity::Distance],
        FactKind::Event
        | FactKind::PageView
        | FactKind::ProductView
        | FactKind::SessionStarted
        | FactKind::Search
        | FactKind::JourneyStep => &[],
    }
}

impl<'a> Fact<'a> {
    /// The value of a dimension: [`UNKNOWN`] when missing or empty, cut at a character's boundary when longer than a key
    /// may hold.
    pub fn text(&self, dimension: &Dimension) -> &'a str {
        match dimension {
            Dimension::Field(field) => self.field(*field),
            Dimension::Label(name) => {
                let labels = self.who.labels;
                tidy(labels.and_then(|labels| labels.get(name)).map_or("", String::as_str))
            }
        }
    }

    /// The value of a named dimension, as [`Fact::text`].
    pub fn field(&self, field: Field) -> &'a str {
        tidy(match field {
            Field::User => self.who.user,
            Field::Session => self.who.session,
            Field::Device => self.who.device,
            Field::Source => self.who.source,
            Field::SessionReferrer => self.who.session_referrer,
            Field::SessionCampaign => self.who.session_campaign,
            own => self.detail.field(own),
        })
    }

    /// A number it carries; none when it has no such number, or no amount is known.
    pub fn number(&self, quantity: Quantity) -> Option<Value> {
        self.detail.number(quantity)
    }
}

impl<'a> Detail<'a> {
    /// The value of one of its own dimensions; empty when it has none such.
    fn field(&self, field: Field) -> &'a str {
        match (*self, field) {
            (Self::Event { kind }, Field::Kind) => kind,
            (Self::PageView { page, .. }, Field::Page) => page,
            (Self::PageView { referrer, .. }, Field::Referrer) => referrer,
            (Self::PageView { campaign, .. }, Field::Campaign) => campaign,
            (Self::ProductView { product, .. } | Self::Review { product, .. }, Field::Product) => product,
            (Self::ProductView { category, .. } | Self::Transaction { category, .. }, Field::Category) => {
                category
            }
            (Self::ProductView { brand, .. }, Field::Brand) => brand,
            (
                Self::CartAdd(item) | Self::CartRemove(item) | Self::OrderLine(item) | Self::RefundLine(item),
                Field::Product | Field::Category | Field::Brand,
            ) => match field {
                Field::Product => item.product,
                Field::Category => item.category,
                _ => item.brand,
            },
            (
                Self::CheckoutStarted { order, .. }
                | Self::OrderPlaced { order, .. }
                | Self::Refund { order, .. },
                Field::Order,
            ) => order,
            (Self::CartAbandoned { stage, .. } | Self::CartRecovered { stage, .. }, Field::Stage) => stage,
            (Self::Search { query }, Field::Query) => query,
            (Self::JourneyStep { from, .. }, Field::StepFrom) => from,
            (Self::JourneyStep { to, .. }, Field::StepTo) => to,
            (Self::Transaction { kind, .. }, Field::Type) => kind,
            (Self::Transaction { merchant, .. }, Field::Merchant) => merchant,
            (Self::Transaction { location, .. }, Field::Location) => location,
            (Self::Trip { region, .. }, Field::Region) => region_text(region),
            (Self::Trip { vehicle_type, .. }, Field::VehicleType) => vehicle_type,
            _ => "",
        }
    }

    fn number(&self, quantity: Quantity) -> Option<Value> {
        match (*self, quantity) {
            (
                Self::CartAdd(item) | Self::CartRemove(item) | Self::OrderLine(item) | Self::RefundLine(item),
                Quantity::Quantity,
            ) => Some(Value::Number(item.quantity)),
            (
                Self::CartAdd(item) | Self::CartRemove(item) | Self::OrderLine(item) | Self::RefundLine(item),
                Quantity::Amount,
            ) => item.amount.map(Value::Money),
            (
                Self::CheckoutStarted { amount, .. }
                | Self::OrderPlaced { amount, .. }
                | Self::Refund { amount, .. }
                | Self::CartAbandoned { amount, .. }
                | Self::CartRecovered { amount, .. },
                Quantity::Amount,
            ) => amount.map(Value::Money),
            (Self::SessionEnded { pages, .. }, Quantity::Pages) => Some(Value::Number(pages)),
            (Self::SessionEnded { duration, .. } | Self::Trip { duration, .. }, Quantity::Duration) => {
                Some(Value::Number(duration))
            }
            (Self::Review { rating, .. }, Quantity::Rating) => Some(Value::Number(rating)),
            (Self::Transaction { amount, .. }, Quantity::Amount) => Some(Value::Money(amount)),
            (Self::Transaction { amount, .. }, Quantity::MinorUnitsUnsigned) => {
                Some(Value::Number(amount.minor.saturating_abs()))
            }
            (Self::Trip { fare, .. }, Quantity::Fare) => Some(Value::Money(fare)),
            (Self::Trip { distance_meters, .. }, Quantity::Distance) => Some(Value::Number(distance_meters)),
            _ => None,
        }
    }
}

#[inline]
fn tidy(value: &str) -> &str {
    match value.len() {
        0 => UNKNOWN,
        1..=DIMENSION_BYTES => value,
        _ => cut(value),
    }
}

#[cold]
fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(DIMENSION_BYTES)]
}

/// Decimal text of a region without writing one; empty beyond the regions a valid trip may name.
fn region_text(region: i64) -> &'static str {
    usize::try_from(region - 1).ok().and_then(|place| REGIONS.get(place)).copied().unwrap_or("")
}

const REGIONS: [&str; 100] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
    "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35", "36",
    "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53",
    "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "64", "65", "66", "67", "68", "69", "70",
    "71", "72", "73", "74", "75", "76", "77", "78", "79", "80", "81", "82", "83", "84", "85", "86", "87",
    "88", "89", "90", "91", "92", "93", "94", "95", "96", "97", "98", "99", "100",
];
