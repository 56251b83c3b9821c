//! A row as JSON, for channels and lists.

use serde_json::{Map, Value, json};

use super::datum::{Datum, datum, is_money};
use super::text::Named;
use crate::money::Currency;
use crate::series::{AnswerRow, amounts};
use crate::settings::view::Edge;

/// Everything a subscriber needs to know of a row. Money is an object of minor units by currency.
pub(super) fn row(named: Named<'_>, shop: &str, row: &AnswerRow, revision: u64, own: Currency) -> String {
    let key: Map<String, Value> = named
        .dimensions()
        .map(|(dimension, value)| (dimension.name().into_owned(), Value::from(value.into_owned())))
        .collect();
    let values: Map<String, Value> = named
        .metric
        .measures
        .iter()
        .zip(&row.values)
        .map(|(measure, measured)| {
            let value = match is_money(measure) {
                true => amounts(&measured.figure)
                    .map(|money| (money.currency.code().to_owned(), Value::from(money.minor)))
                    .collect::<Map<_, _>>()
                    .into(),
                false => plain(datum(&measured.figure, own)),
            };
            (measure.name.clone(), value)
        })
        .collect();
    let range = row.range != crate::metric::TimeRange::ALL;
    let edge = |edge| range.then(|| named.time(edge, ""));
    json!({
        "shop": shop,
        "metric": named.metric.name,
        "window": row.window.to_string(),
        "start": edge(Edge::Start),
        "end": edge(Edge::End),
        "key": key,
        "values": values,
        "provisional": row.provisional,
        "revision": revision,
    })
    .to_string()
}

fn plain(datum: Datum) -> Value {
    match datum {
        Datum::Null | Datum::Absent => Value::Null,
        Datum::Text(text) => text.into(),
        Datum::Integer(value) | Datum::Time(value) => value.into(),
        Datum::Double(value) => value.into(),
    }
}
