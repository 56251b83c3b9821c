//! Evaluation of topics: what a watched query or user looks like now, encoded once.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::metric::Metric;
use souk_model::series::{Answer, AnswerRow, Query, Span};
use souk_model::user::User;
use souk_proto::v1;

use super::topic::{Evaluation, Found, RowKey};
use crate::limits::ROWS_PER_WATCH;
use crate::read::{Asked, Standing, ask, cells_of};
use crate::shard::World;

/// A watched query's rows now. `None` while a shard that holds some is not served.
pub(super) fn metric(world: &World, query: &Query) -> Option<Evaluation> {
    let answer = match ask(&cells_of(world, query), query) {
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
    key.extend(row.key.to_text().into_bytes());
    key
}

fn found(metric: &Metric, query: &Query, row: &AnswerRow, rank: Option<i32>) -> Found {
    let whole = v1::MetricRow { window: row.window.to_string(), rank, ..Default::default() };
    let _ = metric;
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

fn user_rows(_key: &ActorKey, _user: &User, _standing: Standing<'_>) -> BTreeMap<RowKey, Found> {
    BTreeMap::new()
}
