//! Evaluation of topics: what a watched query or user looks like now, encoded once.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::metric::Metric;
use souk_model::series::{Answer, AnswerRow, Query, Span};
use souk_model::time::Now;
use souk_model::user::User;
use souk_proto::v1;
use souk_proto::v1::watch_user_response::Row;
use souk_proto::wire;
use souk_proto::wire::field::WATCH_METRIC_RESPONSE_ROW;

use super::topic::{Evaluation, Found, RowKey};
use crate::limits::ROWS_PER_WATCH;
use crate::read::{Asked, ask, cells_of};
use crate::shard::{Message, NotServing, World};

/// A watched query's rows now. `None` while a shard that holds some is not served.
pub(super) fn metric(world: &World, query: &Query) -> Option<Evaluation> {
    let answer = match ask(cells_of(world, query), query) {
        Ok(answer) => answer,
        Err(Asked::NotServing) => return None,
        // Settings took the metric or its window away: it has no rows any more.
        Err(Asked::Failed(_)) => return Some(Evaluation::default()),
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
pub(super) fn user(world: &World, key: &ActorKey) -> Option<Evaluation> {
    let cell = world.home(Journal::Users, key);
    let read = cell.read(|shard| {
        if !shard.is_loaded(key) {
            return Err(shard.section_of(key));
        }
        let now = shard.now();
        let found =
            shard.as_users().and_then(|users| users.user(key, |user| user_rows(key, user, &now)).ok());
        let rows = found.map(Option::unwrap_or_default);
        Ok(rows.map(|rows| Evaluation {
            rows,
            revision: now.offset,
            info: None,
            as_of: Some(now.high_water),
        }))
    });
    match read {
        Ok(Ok(evaluation)) => evaluation,
        // Nobody asked for this user yet: the next look finds it.
        Ok(Err(section)) => {
            cell.send(Message::Load(vec![section]));
            None
        }
        Err(NotServing) => None,
    }
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
