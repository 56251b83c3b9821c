//! Where the fold and the recount differ, as lines a person can read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::measure::{MetricValue, Value};
use super::metric::Ledger;
use super::order::OrderState;
use super::products::AlertView;
use super::result::{Instance, ProductView, Recount, UserView, Values};
use super::{ShardName, Totals, Verdict};

/// What the simulator found in the fold. A part it leaves out (`None`) is not compared.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Verdict of events and commands.
    pub verdicts: Option<BTreeMap<(ShardName, u64), Verdict>>,
    /// Their sums.
    pub totals: Option<BTreeMap<ShardName, Totals>>,
    /// The metrics' own books.
    pub ledgers: Option<BTreeMap<(ShardName, String), Ledger>>,
    /// By `shop/id`.
    pub users: Option<BTreeMap<String, UserView>>,
    /// By `shop/id`.
    pub products: Option<BTreeMap<String, ProductView>>,
    /// Newest last.
    pub alerts: Option<BTreeMap<ShardName, Vec<AlertView>>>,
    /// Merged over all shards. Rows whose every value is zero may be missing on either side, and
    /// windows closed longer ago than the metric's `keep`.
    pub metrics: Option<BTreeMap<Instance, Values>>,
}

/// One difference, or one broken law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The invariant: `I1` metrics, `I2` stock, `I3` orders, `I4` verdicts, `state` for what lies behind them.
    pub id: &'static str,
    /// What of.
    pub key: String,
    /// What the recount came to.
    pub expected: String,
    /// What the fold came to.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: expected {}, got {}", self.id, self.key, self.expected, self.got)
    }
}

/// Every difference between a recount and what was observed.
#[must_use]
pub fn differences(expected: &Recount, got: &Observed) -> Vec<Difference> {
    let mut found = Vec::new();
    let shard_offset = |(shard, offset): &(ShardName, u64)| format!("{shard}@{offset}");
    each("I4", &expected.verdicts, &got.verdicts, shard_offset, &mut found);
    each("I4", &expected.totals, &got.totals, |shard| format!("{shard} totals"), &mut found);
    each(
        "I1",
        &expected.ledgers,
        &got.ledgers,
        |(shard, metric)| format!("{shard} ledger {metric}"),
        &mut found,
    );
    each(
        "state",
        &met(&expected.users),
        &got.users.as_ref().map(met),
        |key| format!("users {key}"),
        &mut found,
    );
    each("I2", &expected.products, &got.products, |key| format!("products {key}"), &mut found);
    let alerts = got.alerts.as_ref().map(sorted);
    each("state", &sorted(&expected.alerts), &alerts, |shard| format!("{shard} alerts"), &mut found);
    if let Some(observed) = &got.metrics {
        metrics(expected, observed, &mut found);
    }
    found
}

/// What must hold of any result by itself: stock is conserved (I2), an order ends once (I3), verdicts add up (I4).
#[must_use]
pub fn broken_laws(recount: &Recount) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, product) in &recount.products {
        let parts = product.available.unwrap_or(0) + product.reserved + product.sold;
        check("I2", key, &product.received, &parts, &mut found);
        check("I2", key, &true, &(product.available.unwrap_or(0) >= 0), &mut found);
        check("I2", &format!("{key} holds"), &product.reserved, &product.holds.values().sum(), &mut found);
    }
    for ((user, order), finals) in &recount.finals {
        let ended = finals
            .iter()
            .filter(|state| matches!(state, OrderState::Confirmed | OrderState::Cancelled))
            .count();
        check("I3", &format!("{user} order {order} ends at most once"), &true, &(ended <= 1), &mut found);
    }
    for (shard, totals) in &recount.totals {
        let sum = totals.counted + totals.duplicate + totals.late + totals.rejected;
        check("I4", &shard.to_string(), &totals.received, &sum, &mut found);
    }
    for ((shard, metric), ledger) in &recount.ledgers {
        check("I4", &format!("{shard} {metric}"), &ledger.facts, &(ledger.counted + ledger.late), &mut found);
    }
    found
}

fn check<T: PartialEq + fmt::Debug>(
    id: &'static str,
    key: &str,
    expected: &T,
    got: &T,
    found: &mut Vec<Difference>,
) {
    if expected != got {
        found.push(Difference {
            id,
            key: key.to_owned(),
            expected: format!("{expected:?}"),
            got: format!("{got:?}"),
        });
    }
}

/// Compares two maps key by key, if the other was looked at.
fn each<K: Ord, V: PartialEq + fmt::Debug>(
    id: &'static str,
    expected: &BTreeMap<K, V>,
    got: &Option<BTreeMap<K, V>>,
    name: impl Fn(&K) -> String,
    found: &mut Vec<Difference>,
) {
    let Some(got) = got else { return };
    for key in expected.keys().chain(got.keys()).collect::<BTreeSet<_>>() {
        check(id, &name(key), &expected.get(key), &got.get(key), found);
    }
}

/// Users of whom anything is left: one that was only ever refused may be there or not.
fn met(users: &BTreeMap<String, UserView>) -> BTreeMap<String, UserView> {
    let met = users.iter().filter(|(_, user)| **user != UserView::default());
    met.map(|(key, user)| (key.clone(), user.clone())).collect()
}

/// Alerts of one record in one order: which of them comes first is not the law's.
fn sorted(alerts: &BTreeMap<ShardName, Vec<AlertView>>) -> BTreeMap<ShardName, Vec<AlertView>> {
    let mut alerts = alerts.clone();
    for ring in alerts.values_mut() {
        ring.sort_by_key(|alert| (alert.offset, alert.product.clone(), alert.kind as i32));
    }
    alerts
}

fn metrics(expected: &Recount, got: &BTreeMap<Instance, Values>, found: &mut Vec<Difference>) {
    let mut instances = expected.instances();
    instances.retain(|instance, _| expected.is_kept(instance));
    for (instance, observed) in got.iter().filter(|(instance, _)| expected.is_kept(instance)) {
        let recounted = instances.remove(instance).or_else(|| {
            let key: Vec<_> =
                instance.key.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            expected.value(&instance.metric, &instance.shop, &key, instance.span.start, instance.span.end)
        });
        rows(instance, &recounted.unwrap_or_default(), observed, found);
    }
    for (instance, recounted) in &instances {
        rows(instance, recounted, &Values::new(), found);
    }
}

fn rows(instance: &Instance, expected: &Values, got: &Values, found: &mut Vec<Difference>) {
    for measure in expected.keys().chain(got.keys()).collect::<BTreeSet<_>>() {
        let (expected, got) = (expected.get(measure), got.get(measure));
        if !same(expected, got) {
            let key = format!(
                "{} {}{:?} {} [{}, {}) {measure}",
                instance.metric,
                instance.shop,
                instance.key,
                instance.window,
                instance.span.start,
                instance.span.end
            );
            found.push(Difference {
                id: "I1",
                key,
                expected: format!("{expected:?}"),
                got: format!("{got:?}"),
            });
        }
    }
}

/// Equal, or both nothing, or within 1 % where a sketch is allowed.
fn same(expected: Option<&MetricValue>, got: Option<&MetricValue>) -> bool {
    let plain = |value: Option<&MetricValue>| value.map_or(Value::Nothing, |value| bare(&value.value));
    let (recounted, observed) = (plain(expected), plain(got));
    if recounted == observed {
        return true;
    }
    expected.is_some_and(|value| !value.exact) && near(&recounted, &observed)
}

/// Without amounts of nothing; a number that counts nothing is nothing, and so is a mean or ratio of nothing.
fn bare(value: &Value) -> Value {
    match value {
        Value::Integer(0) | Value::Fraction(_, 0) => Value::Nothing,
        Value::Money(amounts) => {
            let left: BTreeMap<_, _> = amounts.iter().filter(|(_, minor)| **minor != 0).collect();
            if left.is_empty() {
                return Value::Nothing;
            }
            Value::Money(left.into_iter().map(|(currency, minor)| (currency.clone(), *minor)).collect())
        }
        Value::MoneyFraction(amounts) => {
            let left: BTreeMap<_, _> = amounts.iter().filter(|(_, (_, under))| *under != 0).collect();
            if left.is_empty() {
                return Value::Nothing;
            }
            Value::MoneyFraction(
                left.into_iter().map(|(currency, fraction)| (currency.clone(), *fraction)).collect(),
            )
        }
        other => other.clone(),
    }
}

fn near(expected: &Value, got: &Value) -> bool {
    let close = |a: i128, b: i128| (a - b).abs() * 100 <= a.abs().max(1);
    match (expected, got) {
        (Value::Integer(a), Value::Integer(b)) => close(*a, *b),
        (Value::Money(a), Value::Money(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| close(*a, *b))
        }
        _ => false,
    }
}
