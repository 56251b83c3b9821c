//! ListShards: where every shard stands.

use souk_model::journal::{Journal, ShardId};
use souk_model::shard::Shard;
use souk_model::time::to_timestamp;
use souk_proto::v1;
use souk_proto::v1::shard::State;
use souk_runtime::observe::{ShardState, ShardStatus};
use souk_runtime::read::ReadOptions;
use xxhash_rust::xxh3::Xxh3;

use crate::filter::{Field, Filter, Kind, Value};
use crate::page::{self, Page};
use crate::read_options::{duration, info_of_node};
use crate::{ApiError, Call, Context, names};

/// Asking for it by name is what makes it be computed: it reads the whole state.
const DIGEST: &str = "digest";
const FIELDS: [Field; 4] = [
    Field::new("name", Kind::Text),
    Field::new("state", Kind::Word(&["SERVING", "CATCHING_UP", "MOVING", "UNOWNED"])),
    Field::new("owner", Kind::Text),
    Field::new(DIGEST, Kind::Text),
];

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListShardsRequest,
) -> Result<v1::ListShardsResponse, ApiError> {
    let page = Page::of(request)?;
    let filter = Filter::parse(&request.filter, &FIELDS)?;
    let after = match page.cursor.as_deref() {
        None => None,
        Some(name) => Some(order(shard_in(name).ok_or_else(page::mismatch)?)),
    };
    let (nodes, mut shards) = context.runtime.everywhere(call.deadline).await;
    let unreachable = shards.iter().map(|status| names::of_shard(status.shard)).collect();
    shards.extend(nodes.into_iter().flat_map(|node| node.shards));
    // While a shard moves two nodes may have a word on it: the newer epoch knows better.
    shards.sort_by_key(|status| (order(status.shard), std::cmp::Reverse(status.epoch)));
    shards.dedup_by_key(|status| status.shard);
    let mut rendered: Vec<(ShardId, v1::Shard)> =
        shards.into_iter().map(|status| (status.shard, render(status))).collect();
    if filter.names(DIGEST) {
        add_digests(context, call, &mut rendered).await?;
    }
    let rows = rendered.into_iter().filter(|(shard, _)| after.is_none_or(|after| order(*shard) > after));
    let rows = rows.filter(|(_, row)| filter.holds(|field| value(row, field)));
    let (rows, next_page_token) = page.cut(rows, |(shard, _)| shard.to_string().into_bytes());
    Ok(v1::ListShardsResponse {
        shards: rows.into_iter().map(|(_, row)| row).collect(),
        next_page_token,
        unreachable,
        info: Some(info_of_node()),
    })
}

/// By name, and partitions as the numbers they are.
fn order(shard: ShardId) -> (&'static str, u16) {
    (shard.journal.name(), shard.partition)
}

fn shard_in(cursor: &[u8]) -> Option<ShardId> {
    std::str::from_utf8(cursor).ok()?.parse().ok()
}

fn value<'a>(row: &'a v1::Shard, field: &str) -> Value<'a> {
    let text = match field {
        "name" => &row.name,
        "owner" => &row.owner,
        DIGEST => &row.digest,
        _ => return Value::Text(row.state().as_str_name().trim_start_matches("STATE_")),
    };
    if text.is_empty() { Value::Absent } else { Value::Text(text) }
}

fn render(status: ShardStatus) -> v1::Shard {
    let state = match status.state {
        ShardState::Serving => State::Serving,
        ShardState::CatchingUp => State::CatchingUp,
        ShardState::Moving => State::Moving,
        ShardState::Unowned => State::Unowned,
    };
    // An owner is a node, its incarnation and a number; resources are named by the node.
    let node = status.owner.split('/').next().filter(|node| !node.is_empty());
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    v1::Shard {
        name: names::of_shard(status.shard),
        owner: node.map(names::of_node).unwrap_or_default(),
        epoch: whole(status.epoch),
        position: whole(status.position),
        end_position: whole(status.end),
        watermark: status.watermark.map(to_timestamp),
        held_by: status.problem.unwrap_or_default(),
        state: state.into(),
        actors: whole(status.actors),
        mailbox: whole(status.mailbox),
        cut_age: status.cut_age.map(duration),
        digest: String::new(),
    }
}

async fn add_digests(
    context: &Context,
    call: &Call,
    rows: &mut [(ShardId, v1::Shard)],
) -> Result<(), ApiError> {
    let options = ReadOptions { deadline: call.deadline, ..ReadOptions::default() };
    for journal in [Journal::Users, Journal::Products] {
        let (digests, _unserved) = context.runtime.shards(journal, &options, digest).await?;
        for read in digests {
            let digest = read.value.map_err(souk_runtime::Error::State)?;
            if let Some((_, row)) = rows.iter_mut().find(|(shard, _)| *shard == read.shard) {
                row.digest = format!("{digest:016x}");
            }
        }
    }
    Ok(())
}

/// One number for the digests of a shard's loaded parts.
fn digest(shard: &Shard) -> Result<u64, souk_model::actor::StateError> {
    let mut hash = Xxh3::new();
    for (section, digest) in shard.digests()? {
        hash.update(&section.to_le_bytes());
        hash.update(&digest.to_le_bytes());
    }
    Ok(hash.digest())
}
