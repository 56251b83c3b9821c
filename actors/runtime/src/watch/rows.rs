//! Evaluation of topics: what a watched query or user looks like now, encoded once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use souk_model::key::ActorKey;
use souk_model::metric::Metric;
use souk_model::series::{Answer, AnswerRow, Query, Span};
use souk_model::time::Now;
use souk_model::user::User;
use souk_proto::v1;
use souk_proto::v1::watch_user_response::Row;
use souk_proto::wire;
use souk_proto::wire::field::WATCH_METRIC_RESPONSE_ROW;
use tokio::time::Instant;

use super::topic::{Evaluation, Found, RowKey};
use crate::Error;
use crate::limits::{EVALUATION_WAIT, ROWS_PER_WATCH};
use crate::read::{self, Freshness, ReadOptions, Standing};
use crate::shard::World;

/// A watched query's rows now. `None` while a shard that holds some is not served.
pub(super) async fn metric(world: &Arc<World>, query: &Query) -> Option<Evaluation> {
    let answer = match read::query(world, query, &live()).await {
        Ok(answer) => answer,
        // Settings took the metric or its window away: it has no rows any more.
        Err(Error::MetricUnknown { .. } | Error::NotDeclared { .. }) => return Some(Evaluation::default()),
        Err(_) => return None,
    };
    let settings = world.settings.load();
    let rows = settings.metric(&query.metric).map(|metric| rows(metric, query, &answer));
    Some(Evaluation {
        rows: rows.unwrap_or_default(),
        revision: answer.info.revision,
        as_of: answer.info.as_of,
        info: Some(answer.info),
    })
}

fn rows(metric: &Metric, query: &Query, answer: &Answer) -> BTreeMap<RowKey, Found> {
    let answered = answer.rows.iter().take(ROWS_PER_WATCH).enumerate();
    answered
        .map(|(at, row)| {
            let rank = query.top.is_some().then_some(at as i32 + 1);
            (key_of(query, row), found(metric, query, row, rank))
        })
        .collect()
}

/// Of the newest window alone a row is its key; of several it is also its window.
fn key_of(query: &Query, row: &AnswerRow) -> RowKey {
    let mut key = Vec::new();
    if query.span != Span::Newest {
        key.extend((row.range.start as u64 ^ 1 << 63).to_be_bytes());
    }
    key.extend(row.key.as_bytes());
    key
}

fn found(metric: &Metric, query: &Query, row: &AnswerRow, rank: Option<i32>) -> Found {
    let message = |write: &dyn Fn(&mut Vec<u8>)| -> Bytes {
        let mut bytes = Vec::new();
        wire::message(&mut bytes, WATCH_METRIC_RESPONSE_ROW, write);
        bytes.into()
    };
    Found {
        body: message(&|out| row.encode(metric, rank, out)),
        name: message(&|out| row.encode_name(metric, query.span, out)),
    }
}

/// A user's newest session, cart and orders.
pub(super) async fn user(world: &Arc<World>, key: &ActorKey) -> Option<Evaluation> {
    let rows = |user: &User, standing: Standing<'_>| user_rows(key, user, &standing.now);
    let read = read::actor(world, key, &live(), rows).await.ok()?;
    Some(Evaluation {
        rows: read.value.unwrap_or_default(),
        revision: read.now.offset,
        info: None,
        as_of: Some(read.now.high_water),
    })
}

/// Of an owner alone: a watcher never goes back.
fn live() -> ReadOptions {
    let deadline = Some(Instant::now() + EVALUATION_WAIT);
    ReadOptions { freshness: Freshness::Owner, deadline, ..ReadOptions::default() }
}

fn user_rows(key: &ActorKey, user: &User, now: &Now) -> BTreeMap<RowKey, Found> {
    let mut rows = BTreeMap::new();
    let mut put = |row: &'static str, name: &str, whole: Row, named: Row| {
        let encode = |row| -> Bytes {
            v1::WatchUserResponse { row: Some(row), ..Default::default() }.encode_to_vec().into()
        };
        rows.insert(format!("{row}{name}").into_bytes(), Found { body: encode(whole), name: encode(named) });
    };
    // The newest session is one row, whichever session that is.
    if let Some(session) = user.sessions().next_back() {
        let session = user.session_to_proto(key, session, now);
        let named = v1::Session { name: session.name.clone(), ..Default::default() };
        put("session", "", Row::Session(session), Row::Session(named));
    }
    let cart = user.cart_to_proto(key);
    let named = v1::Cart { name: cart.name.clone(), ..Default::default() };
    put("cart", "", Row::Cart(cart), Row::Cart(named));
    for order in user.orders() {
        let named = v1::Order { name: order.to_proto(key).name, ..Default::default() };
        put("order", &order.id, Row::Order(order.to_proto(key)), Row::Order(named));
    }
    rows
}
