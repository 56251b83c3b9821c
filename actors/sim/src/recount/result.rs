//! What a recount comes to, in plain structs: the fold's side is brought into the same ones and compared.

use std::collections::BTreeMap;

use super::cart::CartLine;
use super::input::ShardName;
use super::measure::{MetricValue, values};
use super::metric::{Ledger, Row};
use super::order::{Order, OrderState, by_id};
use super::person::Person;
use super::product::{Hold, Product};
use super::products::AlertView;
use super::settings::Metric;
use super::verdict::{Totals, Verdict};
use super::window::{Span, Window};

/// One instance of one key of one metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// The metric's name.
    pub metric: String,
    /// The shop, part of every key.
    pub shop: String,
    /// The key set's dimensions with their values, as declared.
    pub key: Vec<(String, String)>,
    /// The window as declared.
    pub window: String,
    /// What it spans.
    pub span: Span,
}

/// Value by measure.
pub type Values = BTreeMap<String, MetricValue>;

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartLineView {
    /// The product's bare id.
    pub product: String,
    /// Pieces.
    pub quantity: i64,
    /// Price of one, in minor units.
    pub unit_price: i64,
    /// Its currency.
    pub currency: String,
}

/// One session that is still kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Time of the earliest event.
    pub start: i64,
    /// Time of the latest.
    pub last: i64,
    /// Page views.
    pub pages: i64,
    /// Page of the earliest page view, else `unknown`.
    pub landing: String,
    /// Its referrer.
    pub referrer: String,
    /// Its campaign.
    pub campaign: String,
    /// Whether the watermark has passed its deadline.
    pub ended: bool,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// How far it is.
    pub state: OrderState,
    /// Product, pieces, unit price in minor units.
    pub lines: Vec<(String, i64, i64)>,
    /// Currency and minor units.
    pub total: Option<(String, i64)>,
    /// Minor units given back.
    pub refunded: i64,
}

/// One user or guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserView {
    /// In product order.
    pub cart: Vec<CartLineView>,
    /// Of the cart.
    pub cart_version: i64,
    /// Whether only commands move the cart.
    pub commanded: bool,
    /// The armed deadline.
    pub deadline: Option<i64>,
    /// Deadline of the open abandonment.
    pub abandoned: Option<i64>,
    /// By id.
    pub orders: BTreeMap<String, OrderView>,
    /// By start; only those above `H - F - gap`.
    pub sessions: Vec<SessionView>,
    /// Time and name of the newest steps, in journal order.
    pub journey: Vec<(i64, String)>,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductView {
    /// Its title.
    pub title: String,
    /// Currency and minor units.
    pub price: Option<(String, i64)>,
    /// Pieces ever received.
    pub received: i64,
    /// Pieces that can be promised; none: never said.
    pub available: Option<i64>,
    /// Pieces held.
    pub reserved: i64,
    /// Pieces sold.
    pub sold: i64,
    /// Open holds: (`shop/user`, order) and pieces.
    pub holds: BTreeMap<(String, String), i64>,
}

/// The counted facts of one metric, over all shards.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) metric: Metric,
    pub(super) rows: Vec<Row>,
    /// The furthest `W(m)` of any shard.
    pub(super) watermark: i64,
}

/// Everything a recount comes to.
#[derive(Debug, Clone, Default)]
pub struct Recount {
    /// Verdict of every event and command.
    pub verdicts: BTreeMap<(ShardName, u64), Verdict>,
    /// Their sums.
    pub totals: BTreeMap<ShardName, Totals>,
    /// The metrics' own books.
    pub ledgers: BTreeMap<(ShardName, String), Ledger>,
    /// By `shop/id`.
    pub users: BTreeMap<String, UserView>,
    /// By `shop/id`.
    pub products: BTreeMap<String, ProductView>,
    /// Newest last.
    pub alerts: BTreeMap<ShardName, Vec<AlertView>>,
    pub(super) counted: BTreeMap<String, Counted>,
    pub(super) finals: BTreeMap<(String, String), Vec<OrderState>>,
}

impl Recount {
    /// Every window instance any fact counted in; of sliding windows those whose edges a fact touches, and one between.
    #[must_use]
    pub fn instances(&self) -> BTreeMap<Instance, Values> {
        let mut all = BTreeMap::new();
        for (name, counted) in &self.counted {
            for (set, dimensions) in counted.metric.keys.iter().enumerate() {
                let mut by_key: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
                for row in &counted.rows {
                    by_key.entry((&row.fact.shop, &row.keys[set])).or_default().push(row);
                }
                for ((shop, key), rows) in by_key {
                    let key: Vec<_> = dimensions.iter().cloned().zip(key.iter().cloned()).collect();
                    for (window, span, values) in windows(&counted.metric, &rows) {
                        let (metric, shop, key) = (name.clone(), shop.clone(), key.clone());
                        all.insert(Instance { metric, shop, key, window, span }, values);
                    }
                }
            }
        }
        all
    }

    /// Whether a window is open or closed so recently that its values must still be there.
    #[must_use]
    pub fn is_kept(&self, instance: &Instance) -> bool {
        let counted = self.counted.get(&instance.metric);
        counted.is_some_and(|counted| instance.span.end > counted.watermark - counted.metric.keep)
    }

    /// The values of one key in any span, whether a fact lies in it or not; none for a metric or key set not declared.
    #[must_use]
    pub fn value(
        &self,
        metric: &str,
        shop: &str,
        key: &[(&str, &str)],
        start: i64,
        end: i64,
    ) -> Option<Values> {
        let counted = self.counted.get(metric)?;
        let set = counted
            .metric
            .keys
            .iter()
            .position(|set| set.iter().eq(key.iter().map(|(dimension, _)| dimension)))?;
        let rows = counted.rows.iter().filter(|row| {
            let own = row.fact.shop == shop && row.keys[set].iter().eq(key.iter().map(|(_, value)| value));
            own && start <= row.fact.at && row.fact.at < end
        });
        let facts: Vec<_> = rows.map(|row| &*row.fact).collect();
        Some(values(&counted.metric, &facts))
    }
}

fn windows(metric: &Metric, rows: &[&Row]) -> Vec<(String, Span, Values)> {
    let mut found = Vec::new();
    for (name, window) in &metric.windows {
        let mut spans: BTreeMap<Span, Vec<_>> = BTreeMap::new();
        for row in rows {
            for span in window.instances(row.fact.at, &metric.zone) {
                spans.entry(span).or_default().push(&*row.fact);
            }
        }
        for (span, mut facts) in spans {
            if matches!(window, Window::Sliding { .. }) {
                // Another fact may lie in this span without having sampled it.
                let inside = |row: &&&Row| span.start <= row.fact.at && row.fact.at < span.end;
                facts = rows.iter().filter(inside).map(|row| &*row.fact).collect();
            }
            found.push((name.clone(), span, values(metric, &facts)));
        }
    }
    found
}

pub(super) fn user_view(person: &Person, oldest_session: i64) -> UserView {
    let line = |(product, line): (&String, &CartLine)| CartLineView {
        product: product.clone(),
        quantity: line.quantity,
        unit_price: line.price,
        currency: line.currency.clone(),
    };
    let tales = person.sessions.0.iter().map(|session| (session.tale(), session.is_ended()));
    let kept = tales.filter(|(tale, _)| tale.last >= oldest_session);
    UserView {
        cart: person.cart.lines.iter().map(line).collect(),
        cart_version: person.cart.version,
        commanded: person.cart.commanded,
        deadline: person.cart.deadline,
        abandoned: person.cart.open.as_ref().map(|open| open.deadline),
        orders: by_id(&person.orders)
            .into_iter()
            .filter(|(_, order)| !order.bare)
            .map(|(id, order)| (id, order_view(order)))
            .collect(),
        sessions: kept
            .map(|(tale, ended)| SessionView {
                start: tale.start,
                last: tale.last,
                pages: tale.pages,
                landing: tale.landing,
                referrer: tale.referrer,
                campaign: tale.campaign,
                ended,
            })
            .collect(),
        journey: person.journey.iter().skip_while(|(at, _)| *at < oldest_session).cloned().collect(),
    }
}

fn order_view(order: &Order) -> OrderView {
    OrderView {
        state: order.state,
        lines: order.lines.iter().map(|line| (line.product.clone(), line.quantity, line.price)).collect(),
        total: order.total.as_ref().map(|total| (total.currency.clone(), total.minor)),
        refunded: order.refunded(),
    }
}

pub(super) fn product_view(product: &Product) -> ProductView {
    let held = |(order, (hold, _)): (&(String, String), &(Hold, i64))| match hold {
        Hold::Held(pieces) => Some((order.clone(), *pieces)),
        Hold::Counted(_) | Hold::Promised | Hold::Over => None,
    };
    ProductView {
        title: product.title.clone(),
        price: product.price.as_ref().map(|price| (price.currency.clone(), price.minor)),
        received: product.received,
        available: product.available,
        reserved: product.reserved,
        sold: product.sold,
        holds: product.holds.iter().filter_map(held).collect(),
    }
}
