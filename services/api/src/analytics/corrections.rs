//! ListCorrections: what changed in closed windows. Each products shard keeps its newest; they have no order among each other, so a
//! list takes the newest of each in turn.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::ring::RingId;
use souk_model::series::Correction;
use souk_model::tally::SeriesKey;
use souk_proto::v1;

use super::resolve;
use crate::page::{self, Page};
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context, names};

/// Stands for every metric.
const ALL: &str = "-";

/// Of each shard, the number of the last correction shown: what is older is still to come.
#[derive(Clone, PartialEq, prost::Message)]
struct Cursor {
    #[prost(btree_map = "uint32, uint64", tag = "1")]
    shown: BTreeMap<u32, u64>,
}

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListCorrectionsRequest,
) -> Result<v1::ListCorrectionsResponse, ApiError> {
    let name = names::metric("parent", &request.parent)?;
    let settings = context.runtime.settings();
    let wanted = if name == ALL { None } else { Some(resolve::metric(&settings, name)?.name.as_str()) };
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let page = Page::of(request)?;
    let mut cursor = match &page.cursor {
        Some(bytes) => Cursor::decode(bytes.as_slice()).map_err(|_| page::mismatch())?,
        None => Cursor::default(),
    };
    let is_wanted = |correction: &Correction| {
        SeriesKey::parse(&correction.key)
            .is_some_and(|key| key.shop == call.shop && wanted.is_none_or(|wanted| key.metric == wanted))
    };
    let newest = |shard: &souk_model::shard::Shard| -> Vec<(RingId, Correction)> {
        let ring = shard.as_products().map(|products| products.series().corrections());
        let entries = ring.into_iter().flat_map(|ring| ring.after(None).rev());
        entries.filter(|(_, correction)| is_wanted(correction)).map(|(id, c)| (id, c.clone())).collect()
    };
    let (reads, unreachable) = context.runtime.shards(Journal::Products, &read.options, newest).await?;
    let info = read.info_of_list(&reads, &unreachable);
    let of_shards = reads.into_iter().map(|read| (read.shard, read.value));
    let (shown, more) = in_turn(of_shards.collect(), &cursor.shown, page.size);
    for (shard, id, _) in &shown {
        cursor.shown.insert(u32::from(shard.partition), id.position);
    }
    let corrections = shown.iter().filter_map(|(shard, id, entry)| entry.to_proto(*shard, *id, &settings));
    Ok(v1::ListCorrectionsResponse {
        corrections: corrections.collect(),
        next_page_token: if more { page.token(&cursor.encode_to_vec()) } else { String::new() },
        unreachable: unreachable.into_iter().map(names::of_shard).collect(),
        info: Some(info),
    })
}

type Entry = (ShardId, RingId, Correction);

/// The newest of each shard not shown yet, then the next of each, up to `most`; and whether there are more.
fn in_turn(
    of_shards: Vec<(ShardId, Vec<(RingId, Correction)>)>,
    shown: &BTreeMap<u32, u64>,
    most: usize,
) -> (Vec<Entry>, bool) {
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    for (shard, corrections) in of_shards {
        let before = shown.get(&u32::from(shard.partition)).copied().unwrap_or(u64::MAX);
        let older = corrections.into_iter().filter(|(id, _)| id.position < before);
        entries.extend(older.enumerate().map(|(turn, (id, correction))| (turn, (shard, id, correction))));
    }
    entries.sort_by_key(|(turn, (shard, id, _))| (*turn, Reverse(*id), *shard));
    let more = entries.len() > most;
    entries.truncate(most);
    (entries.into_iter().map(|(_, entry)| entry).collect(), more)
}

#[cfg(test)]
mod tests {
    use souk_model::metric::TimeRange;

    use super::*;

    fn ring(positions: &[u64]) -> Vec<(RingId, Correction)> {
        let correction = |position: &u64| {
            let correction = Correction {
                key: String::new(),
                window: 0,
                range: TimeRange::ALL,
                source: 0,
                offset: 0,
                before: Vec::new(),
                after: Vec::new(),
            };
            (RingId { position: *position, n: 0 }, correction)
        };
        positions.iter().map(correction).collect()
    }

    #[test]
    fn shards_take_turns_and_a_later_page_goes_on_with_each() {
        let shards = || vec![(ShardId::products(0), ring(&[9, 8])), (ShardId::products(1), ring(&[3, 2, 1]))];
        let (first, more) = in_turn(shards(), &BTreeMap::new(), 3);
        let at = |entries: &[Entry]| -> Vec<(u16, u64)> {
            entries.iter().map(|(shard, id, _)| (shard.partition, id.position)).collect()
        };
        assert_eq!((at(&first), more), (vec![(0, 9), (1, 3), (0, 8)], true));
        let (rest, more) = in_turn(shards(), &BTreeMap::from([(0, 8), (1, 3)]), 3);
        assert_eq!((at(&rest), more), (vec![(1, 2), (1, 1)], false));
    }
}
