//! Brings the fold's state into the plain structs of the recount.

use std::collections::BTreeMap;

use souk_model::actor::StateError;
use souk_model::journal::{Journal, ShardId};
use souk_model::metric::aggregate::Unit;
use souk_model::metric::aggregate::part::Total;
use souk_model::metric::{Metric, TimeRange, Window};
use souk_model::product::Product;
use souk_model::series::{Answer, AnswerRow, Figure, Query, SeriesBook, Span};
use souk_model::shard::Shard;
use souk_model::tally::SeriesKey;
use souk_model::user::{Order, State, User};

use crate::recount;
use crate::recount::compare::Observed;
use crate::recount::{
    CartLineView, Instance, Journal as RecountJournal, Ledger, MetricValue, OrderState, OrderView,
    ProductView, SessionView, ShardName, Totals, UserView, Value,
};

pub fn name(shard: ShardId) -> ShardName {
    let journal = match shard.journal {
        Journal::Users => RecountJournal::Users,
        Journal::Products => RecountJournal::Products,
    };
    ShardName { journal, partition: u32::from(shard.partition) }
}

/// Takes what a users or products shard holds, but for the metrics of the series.
pub fn take_shard(observed: &mut Observed, id: ShardId, shard: &Shard) -> Result<(), StateError> {
    let counts = shard.counts();
    observed.totals.get_or_insert_default().insert(
        name(id),
        Totals {
            received: counts.received,
            counted: counts.counted,
            duplicate: counts.duplicate,
            late: counts.late,
            rejected: counts.rejected,
        },
    );
    match shard {
        Shard::Users(users) => {
            let now = shard.now();
            let settings = shard.settings();
            users.each_user(|key, user| {
                observed
                    .users
                    .get_or_insert_default()
                    .insert(key.to_owned(), user_view(user, now.out_of_reach));
            })?;
            for metric in &settings.metrics {
                let ledger = users.book().ledger(&metric.name);
                let ledger = Ledger { facts: ledger.facts(), counted: ledger.counted, late: ledger.late };
                observed.ledgers.get_or_insert_default().insert((name(id), metric.name.clone()), ledger);
            }
        }
        Shard::Products(products) => products.each_product(|key, product| {
            observed.products.get_or_insert_default().insert(key.to_owned(), product_view(product));
        })?,
    }
    Ok(())
}

fn user_view(user: &User, oldest_session: i64) -> UserView {
    let mut view = UserView::default();
    if let Some(cart) = user.cart() {
        let currency = cart.currency.map_or("", |currency| currency.code());
        view.cart = cart
            .lines
            .iter()
            .map(|line| CartLineView {
                product: line.product.to_string(),
                quantity: i64::from(line.quantity),
                unit_price: line.unit_price,
                currency: currency.to_owned(),
            })
            .collect();
        view.cart_version = cart.version as i64;
        view.commanded = cart.commanded;
        view.deadline = cart.deadline;
        view.abandoned = cart.abandoned.last().filter(|_| cart.open).map(|abandoned| abandoned.deadline);
    }
    view.orders = user.orders().map(|order| (order.id.to_string(), order_view(order))).collect();
    view.sessions = user
        .sessions()
        .filter(|session| session.last >= oldest_session)
        .map(|session| {
            let landing = session.landing.as_ref();
            let text =
                |text: Option<&str>| text.filter(|text| !text.is_empty()).unwrap_or("unknown").to_owned();
            SessionView {
                start: session.start,
                last: session.last,
                pages: i64::from(session.page_views),
                landing: text(landing.map(|landing| &*landing.page)),
                referrer: text(landing.map(|landing| &*landing.referrer)),
                campaign: text(landing.map(|landing| &*landing.campaign)),
                ended: session.ended,
            }
        })
        .collect();
    view.journey = user
        .journey()
        .skip_while(|step| step.time < oldest_session)
        .map(|step| (step.time, step.name().to_owned()))
        .collect();
    view
}

fn order_view(order: &Order) -> OrderView {
    OrderView {
        state: match order.state {
            State::Known => OrderState::Known,
            State::Pending => OrderState::Pending,
            State::Placed | State::Confirmed => OrderState::Confirmed,
            State::Void | State::Cancelled => OrderState::Cancelled,
        },
        lines: order
            .lines
            .iter()
            .map(|line| (line.product.to_string(), i64::from(line.quantity), line.unit_price))
            .collect(),
        total: order.total_money().map(|total| (total.currency.code().to_owned(), total.minor)),
        refunded: order.refunded,
    }
}

fn product_view(product: &Product) -> ProductView {
    let stock = product.stock();
    ProductView {
        title: product.text().title.clone(),
        price: product.price().map(|price| (price.currency.code().to_owned(), price.minor)),
        received: stock.received,
        available: stock.known_available(),
        reserved: stock.reserved,
        sold: stock.sold,
        holds: BTreeMap::new(),
    }
}

/// Takes every row a products shard answers, of every metric, key set and window.
pub fn take_series(observed: &mut Observed, shop: &str, shard: &Shard) -> Result<(), String> {
    take_series_of(observed, shop, shard, TimeRange::ALL)
}

/// The same of windows that start within a range.
pub fn take_series_of(
    observed: &mut Observed,
    shop: &str,
    shard: &Shard,
    within: TimeRange,
) -> Result<(), String> {
    let Some(products) = shard.as_products() else { return Ok(()) };
    for metric in &shard.settings().metrics {
        for key_set in 0..metric.key_sets.len() {
            for window in &metric.windows {
                let query = Query {
                    shop: shop.to_owned(),
                    metric: metric.name.clone(),
                    key_set: key_set as u16,
                    window: Some(*window),
                    key: None,
                    given: Vec::new(),
                    span: Span::Starting(within),
                    closed_only: false,
                    top: None,
                };
                take_halves(observed, metric, products.series(), query, within)?;
            }
        }
    }
    Ok(())
}

/// Asks for the halves of a range that holds more windows than one answer.
fn take_halves(
    observed: &mut Observed,
    metric: &Metric,
    series: &SeriesBook,
    mut query: Query,
    within: TimeRange,
) -> Result<(), String> {
    let mut ranges = vec![within];
    while let Some(range) = ranges.pop() {
        query.span = Span::Starting(range);
        let answer = series.query(&query).map_err(|error| format!("{}: {error}", metric.name))?;
        let middle = range.start.midpoint(range.end);
        if answer.info.truncated && middle > range.start {
            ranges.push(TimeRange { start: range.start, end: middle });
            ranges.push(TimeRange { start: middle, end: range.end });
        } else {
            take_rows(observed, metric, &answer);
        }
    }
    Ok(())
}

fn take_rows(observed: &mut Observed, metric: &Metric, answer: &Answer) {
    for row in &answer.rows {
        let values = metric.measures.iter().zip(&row.values).map(|(measure, measured)| {
            let value = MetricValue { value: value(&measured.figure), exact: !measured.sketched };
            (measure.name.clone(), value)
        });
        observed.metrics.get_or_insert_default().insert(instance(metric, row), values.collect());
    }
}

fn instance(metric: &Metric, row: &AnswerRow) -> Instance {
    let SeriesKey { shop, key_set, values, .. } = SeriesKey::parse(&row.key).expect("a key of the series");
    let dimensions = metric.key_sets[usize::from(key_set)].iter();
    Instance {
        metric: metric.name.clone(),
        shop,
        key: dimensions.map(|dimension| dimension.name().into_owned()).zip(values).collect(),
        window: window(row.window),
        span: recount::Span { start: row.range.start, end: row.range.end },
    }
}

/// A window as the settings spell it.
fn window(window: Window) -> String {
    let span = |millis: i64| match millis {
        millis if millis % 60_000 == 0 => format!("{}m", millis / 60_000),
        millis => format!("{}s", millis / 1_000),
    };
    match window {
        Window::Total => "total".into(),
        Window::Day => "day".into(),
        Window::Week => "week".into(),
        Window::Month => "month".into(),
        Window::Tumbling { size } => span(size),
        Window::Sliding { size, step } => format!("{}/{}", span(size), span(step)),
    }
}

fn value(figure: &Figure) -> Value {
    match figure {
        Figure::None => Value::Nothing,
        Figure::Integer(value) => Value::Integer(i128::from(*value)),
        Figure::Fraction { numerator, denominator } => {
            Value::Fraction(i128::from(*numerator), i128::from(*denominator))
        }
        Figure::Amounts(amounts) => match amounts.as_slice() {
            [(None, plain)] => Value::Integer(i128::from(*plain)),
            _ => Value::Money(by_currency(amounts, |minor| i128::from(*minor))),
        },
        Figure::Means(means) => match means.as_slice() {
            [(None, total)] => fraction(total),
            _ => Value::MoneyFraction(by_currency(means, |total| {
                (i128::from(total.sum), i128::from(total.count))
            })),
        },
    }
}

fn fraction(total: &Total) -> Value {
    Value::Fraction(i128::from(total.sum), i128::from(total.count))
}

fn by_currency<T, V>(amounts: &[(Unit, T)], value: impl Fn(&T) -> V) -> BTreeMap<String, V> {
    amounts
        .iter()
        .filter_map(|(unit, amount)| Some((unit.as_ref()?.code().to_owned(), value(amount))))
        .collect()
}
