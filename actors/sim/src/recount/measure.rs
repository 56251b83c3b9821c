//! The value of one measure over the facts of one window (section 11).

use std::collections::{BTreeMap, BTreeSet};

use super::fact::Fact;
use super::metric::takes;
use super::quantile::nearest_rank;
use super::settings::{Aggregate, Measure, Metric};

/// A measure's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing was counted, and there is no value then.
    Nothing,
    /// A count, sum, minimum, maximum, quantile or number of distinct values.
    Integer(i128),
    /// A mean or a ratio, as the two numbers it was made from.
    Fraction(i128, i128),
    /// Money, by currency.
    Money(BTreeMap<String, i128>),
    /// A mean or ratio of money, by currency.
    MoneyFraction(BTreeMap<String, (i128, i128)>),
}

/// A value, and whether it has to be exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricValue {
    /// The value.
    pub value: Value,
    /// False: so many values that a sketch within 1 % is allowed.
    pub exact: bool,
}

/// What of a fact a measure adds up.
enum Operand {
    Plain(i64),
    Money(String, i64),
}

/// Every measure of a metric over these facts.
pub(super) fn values(metric: &Metric, facts: &[&Fact]) -> BTreeMap<String, MetricValue> {
    let plain: BTreeMap<_, _> =
        metric.measures.iter().map(|(name, measure)| (name.clone(), plain(metric, measure, facts))).collect();
    let mut values = plain.clone();
    for (name, measure) in &metric.measures {
        if let Aggregate::Ratio(over, under) = &measure.does {
            let value = ratio(&plain[over].value, &plain[under].value);
            values
                .insert(name.clone(), MetricValue { value, exact: plain[over].exact && plain[under].exact });
        }
    }
    values
}

fn plain(metric: &Metric, measure: &Measure, facts: &[&Fact]) -> MetricValue {
    let taken: Vec<_> = facts.iter().copied().filter(|fact| takes(metric, measure, fact)).collect();
    let exact = |size: usize| size <= measure.exact_to;
    let (value, exact) = match &measure.does {
        Aggregate::Count => (Value::Integer(taken.iter().map(|fact| i128::from(fact.sign)).sum()), true),
        Aggregate::Sum(field) => (folded(&taken, field, |column| Some((sum(column), 1)), false), true),
        Aggregate::Mean(field) => (folded(&taken, field, mean, true), true),
        Aggregate::Min(field) => {
            (folded(&taken, field, |column| pick(column.iter().map(|(v, _)| *v).min()), false), true)
        }
        Aggregate::Max(field) => {
            (folded(&taken, field, |column| pick(column.iter().map(|(v, _)| *v).max()), false), true)
        }
        Aggregate::Quantile(field, q) => {
            let of = |column: &[(i64, i64)]| {
                pick(nearest_rank(&column.iter().map(|(value, _)| *value).collect::<Vec<_>>(), *q))
            };
            (folded(&taken, field, of, false), exact(taken.len()))
        }
        Aggregate::Distinct(field) if field == "user" => {
            let people: BTreeSet<_> = taken.iter().filter_map(|fact| fact.person.clone()).collect();
            (Value::Integer(people.len() as i128), true)
        }
        Aggregate::Distinct(field) => {
            let different: BTreeSet<_> = taken.iter().map(|fact| fact.dimension(field)).collect();
            (Value::Integer(different.len() as i128), exact(different.len()))
        }
        Aggregate::Ratio(..) => (Value::Nothing, true),
    };
    MetricValue { value, exact }
}

fn operand(fact: &Fact, field: &str) -> Option<Operand> {
    match fact.amount_of(field) {
        Some(amount) => Some(Operand::Money(amount.currency.clone(), amount.minor)),
        None => fact.number_of(field).map(Operand::Plain),
    }
}

/// Folds the (value, sign) column of a field, money by currency; `fraction` says whether the second number counts.
fn folded(
    facts: &[&Fact],
    field: &str,
    fold: impl Fn(&[(i64, i64)]) -> Option<(i128, i128)>,
    fraction: bool,
) -> Value {
    let mut numbers = Vec::new();
    let mut money: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for fact in facts {
        match operand(fact, field) {
            Some(Operand::Plain(value)) => numbers.push((value, fact.sign)),
            Some(Operand::Money(currency, value)) => {
                money.entry(currency).or_default().push((value, fact.sign))
            }
            None => {}
        }
    }
    if money.is_empty() {
        return match fold(&numbers) {
            None => Value::Nothing,
            Some((over, under)) if fraction => Value::Fraction(over, under),
            Some((value, _)) => Value::Integer(value),
        };
    }
    let folded = money.into_iter().filter_map(|(currency, column)| Some((currency, fold(&column)?)));
    if fraction {
        Value::MoneyFraction(folded.collect())
    } else {
        Value::Money(folded.map(|(currency, (value, _))| (currency, value)).collect())
    }
}

fn sum(column: &[(i64, i64)]) -> i128 {
    column.iter().map(|(value, sign)| i128::from(*value) * i128::from(*sign)).sum()
}

fn mean(column: &[(i64, i64)]) -> Option<(i128, i128)> {
    let count = column.iter().map(|(_, sign)| i128::from(*sign)).sum();
    (count != 0).then(|| (sum(column), count))
}

fn pick(value: Option<i64>) -> Option<(i128, i128)> {
    value.map(|value| (i128::from(value), 1))
}

fn ratio(over: &Value, under: &Value) -> Value {
    let whole = |value: &Value| match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    };
    match (over, under) {
        (Value::Integer(over), Value::Integer(under)) => Value::Fraction(*over, *under),
        (Value::Money(amounts), under) => Value::MoneyFraction(
            amounts
                .iter()
                .filter_map(|(currency, over)| {
                    let under = match under {
                        Value::Money(amounts) => amounts.get(currency).copied(),
                        other => whole(other),
                    };
                    Some((currency.clone(), (*over, under?)))
                })
                .collect(),
        ),
        _ => Value::Nothing,
    }
}
