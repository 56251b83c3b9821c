//! Segments as rows: written chunk by chunk, read section by section, deleted by name.

use std::ops::ControlFlow;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scylla::response::PagingState;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::Unavailable;

use crate::chunks::{Chunk, Joiner, split};
use crate::client::Client;
use crate::limits::REQUESTS_PER_CALL;
use crate::manifests::{number, shard_key};

/// A row of one section: cut, epoch, chunk, chunks, base, bytes.
type Row<'r> = (i64, i64, i32, i32, bool, &'r [u8]);

/// Written when every chunk is acknowledged; at the first that is not the rest is left.
pub(crate) async fn write(
    client: &Client,
    shard: ShardId,
    segments: Vec<Segment>,
) -> Result<(), Unavailable> {
    let writes = segments.into_iter().flat_map(split).map(|chunk| write_chunk(client, shard, chunk));
    stream::iter(writes).buffer_unordered(REQUESTS_PER_CALL).try_collect().await
}

async fn write_chunk(client: &Client, shard: ShardId, chunk: Chunk) -> Result<(), Unavailable> {
    let Chunk { id, base, number: chunk, of, bytes } = chunk;
    let (journal, shard) = shard_key(shard);
    let (section, cut, epoch) = segment_key(id);
    let values = (journal, shard, section, cut, epoch, chunk, of, base, bytes, written_at(id));
    client.change(&client.prepared.write_chunk, values).await
}

/// Every whole segment of these sections. What a writer left unfinished is as if it were not there.
pub(crate) async fn load(
    client: &Client,
    shard: ShardId,
    sections: Vec<u16>,
) -> Result<Vec<Segment>, Unavailable> {
    let loads = sections.into_iter().map(|section| load_section(client, shard, section));
    stream::iter(loads).buffered(REQUESTS_PER_CALL).try_concat().await
}

async fn load_section(client: &Client, shard: ShardId, section: u16) -> Result<Vec<Segment>, Unavailable> {
    let (journal, partition) = shard_key(shard);
    let mut joiner = Joiner::default();
    let mut from = PagingState::start();
    loop {
        let values = (journal, partition, i32::from(section));
        let (page, next) = client.page(&client.prepared.read_section, values, from).await?;
        let unreadable = |why: String| {
            tracing::error!(%shard, section, why, "segments could not be read");
            Unavailable
        };
        let rows = page.into_rows_result().map_err(|error| unreadable(error.to_string()))?;
        for row in rows.rows::<Row<'_>>().map_err(|error| unreadable(error.to_string()))? {
            let (cut, epoch, chunk, chunks, base, bytes) =
                row.map_err(|error| unreadable(error.to_string()))?;
            let id = SegmentId { section, cut: cut.cast_unsigned(), epoch: epoch.cast_unsigned() };
            joiner.take(id, base, (chunk, chunks), bytes);
        }
        match next.into_paging_control_flow() {
            ControlFlow::Continue(state) => from = state,
            ControlFlow::Break(()) => break,
        }
    }
    let (segments, incomplete) = joiner.finish();
    if incomplete > 0 {
        tracing::debug!(%shard, section, incomplete, "segments that lack chunks");
    }
    Ok(segments)
}

/// At the first that fails the rest is left: resurrection is harmless, and so is staying.
pub(crate) async fn delete(
    client: &Client,
    shard: ShardId,
    segments: Vec<SegmentId>,
) -> Result<(), Unavailable> {
    let deletes = segments.into_iter().map(|id| delete_one(client, shard, id));
    stream::iter(deletes).buffer_unordered(REQUESTS_PER_CALL).try_collect().await
}

async fn delete_one(client: &Client, shard: ShardId, id: SegmentId) -> Result<(), Unavailable> {
    let (journal, shard) = shard_key(shard);
    let (section, cut, epoch) = segment_key(id);
    let values = (written_at(id), journal, shard, section, cut, epoch);
    client.change(&client.prepared.delete_segment, values).await
}

fn segment_key(id: SegmentId) -> (i32, i64, i64) {
    (i32::from(id.section), number(id.cut), number(id.epoch))
}

/// The time its rows are written and deleted at. Equal times: a repeat is the same, and the delete wins. Cut numbers rise, so a delete is
/// older than all that is written after it, and the server may forget both together. Far below any clock's time, which servers insist on.
pub(crate) fn written_at(id: SegmentId) -> i64 {
    i64::try_from(id.cut).unwrap_or(i64::MAX)
}
