//! Evaluation of topics: what a watched query or user looks like now, encoded once.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::metric::Metric;
use souk_model::series::{self, Answer, AnswerRow, Query, Span};
use souk_model::user::User;
use souk_proto::v1;

use super::topic::{Evaluation, Found, RowKey};
use crate::limits::ROWS_PER_WATCH;
use crate::read::Standing;
use crate::shard::World;

/// The parts of a query's answer, by products shard: only what changed is asked again.
#[derive(Debug, Default)]
pub(super) struct Parts(BTreeMap<u16, Answer>);

impl Parts {
    /// Asks these shards again and joins all. `None` while one of them is not served.
    pub(super) fn evaluate(
        &mut self,
        world: &World,
        query: &Query,
        shards: impl IntoIterator<Item = u16>,
    ) -> Option<Evaluation> {
        for partition in shards {
            let cell = world.cells(Journal::Products).get(usize::from(partition))?;
            let answer = cell.read(|shard| shard.as_products().map(|shard| shard.series().query(query)));
            // A metric or window that settings took away has no rows any more.
            let answer = answer.ok().flatten()?.unwrap_or_else(|_| Answer::empty());
            self.0.insert(partition, answer);
        }
        let parts = self.0.iter().map(|(partition, answer)| (*partition, answer.clone())).collect();
        let answer = series::gather(query, parts);
        let settings = world.settings.load();
        let rows = settings.metric(&query.metric).map(|metric| rows(metric, query, &answer));
        Some(Evaluation {
            rows: rows.unwrap_or_default(),
            revision: answer.info.revision,
            as_of: answer.info.as_of,
            info: Some(answer.info),
        })
    }
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
    key.extend(row.key.to_text().into_bytes());
    key
}

fn found(metric: &Metric, query: &Query, row: &AnswerRow, rank: Option<i32>) -> Found {
    let whole = series::render::row(metric, row, rank);
    let mut name = v1::MetricRow { key: whole.key.clone(), window: whole.window.clone(), ..Default::default() };
    if query.span != Span::Newest {
        name.range.clone_from(&whole.range);
    }
    let encode = |row| -> Bytes {
        v1::WatchMetricResponse { row: Some(row), ..Default::default() }.encode_to_vec().into()
    };
    Found { body: encode(whole), name: encode(name) }
}

/// A user's newest session, cart and orders.
pub(super) fn user(world: &World, key: &ActorKey) -> Option<Evaluation> {
    let cell = world.home(Journal::Users, key);
    let read = cell.read(|shard| {
        let (settings, now) = (shard.settings(), shard.now());
        let users = shard.as_users()?;
        let standing = Standing { settings, now };
        let rows = users.user(key, |user| user_rows(key, user, standing)).ok()?.unwrap_or_default();
        Some(Evaluation { rows, revision: now.offset, info: None, as_of: Some(now.high_water) })
    });
    read.ok().flatten()
}

fn user_rows(key: &ActorKey, user: &User, standing: Standing<'_>) -> BTreeMap<RowKey, Found> {
    use souk_model::user::render;
    use v1::watch_user_response::Row;

    let Standing { settings, now } = standing;
    let mut rows = BTreeMap::new();
    let mut put = |name: String, row: Row, named: Row| {
        let encode = |row| -> Bytes {
            v1::WatchUserResponse { row: Some(row), ..Default::default() }.encode_to_vec().into()
        };
        rows.insert(name.into_bytes(), Found { body: encode(row), name: encode(named) });
    };
    if let Some(session) = render::latest_session(key, user, settings, &now) {
        let named = v1::Session { name: session.name.clone(), ..Default::default() };
        put("session".to_owned(), Row::Session(session), Row::Session(named));
    }
    let cart = render::cart(key, user, settings, &now);
    let named = v1::Cart { name: cart.name.clone(), ..Default::default() };
    put("cart".to_owned(), Row::Cart(cart), Row::Cart(named));
    for order in user.orders() {
        let order = render::order(key, order);
        let named = v1::Order { name: order.name.clone(), ..Default::default() };
        put(order.name.clone(), Row::Order(order), Row::Order(named));
    }
    rows
}
