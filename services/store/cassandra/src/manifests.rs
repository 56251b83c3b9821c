//! A shard's manifest: read serially, changed by one conditional write at a time.

use scylla::response::query_result::QueryResult;
use scylla::value::{CqlValue, Row};
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::journal::{Journal, ShardId};
use souk_model::owner::{CasOutcome, Unavailable};

use crate::client::Client;

/// Numbers that stand in rows: never change one.
pub(crate) fn shard_key(shard: ShardId) -> (i8, i32) {
    let journal = match shard.journal {
        Journal::Users => 0,
        Journal::Products => 1,
    };
    (journal, i32::from(shard.partition))
}

pub(crate) async fn read(client: &Client, shard: ShardId) -> Result<Option<Manifest>, Unavailable> {
    let answer = client.manifest(&client.prepared.read_manifest, shard_key(shard)).await?;
    first_manifest(answer).map_err(|why| {
        tracing::error!(%shard, why, "a manifest could not be read");
        Unavailable
    })
}

fn first_manifest(answer: QueryResult) -> Result<Option<Manifest>, String> {
    let rows = answer.into_rows_result().map_err(|error| error.to_string())?;
    let row = rows.maybe_first_row::<(&[u8],)>().map_err(|error| error.to_string())?;
    row.map(|(bytes,)| Manifest::decode(bytes)).transpose().map_err(|error| error.to_string())
}

/// Asked once: whatever is no clear answer is `Unknown`.
pub(crate) async fn write(client: &Client, condition: Condition, manifest: &Manifest) -> CasOutcome {
    let (journal, shard) = shard_key(manifest.shard);
    let prepared = &client.prepared;
    let bytes = manifest.encode();
    let (new_epoch, new_cut) = (number(manifest.epoch), number(manifest.cut));
    let answer = match condition {
        Condition::Absent => {
            let values = (new_epoch, new_cut, bytes, journal, shard);
            client.manifest(&prepared.insert_manifest, values).await
        }
        Condition::Epoch(epoch) => {
            let values = (new_epoch, new_cut, bytes, journal, shard, number(epoch));
            client.manifest(&prepared.update_if_epoch, values).await
        }
        Condition::EpochAndCut { epoch, cut } => {
            let values = (new_epoch, new_cut, bytes, journal, shard, number(epoch), number(cut));
            client.manifest(&prepared.update_if_epoch_and_cut, values).await
        }
    };
    let Ok(answer) = answer else { return CasOutcome::Unknown };
    outcome(answer).unwrap_or_else(|why| {
        tracing::error!(shard = %manifest.shard, why, "the answer to a conditional write could not be read");
        CasOutcome::Unknown
    })
}

/// Bit for bit: servers have no unsigned numbers, and these are only compared for equality.
pub(crate) fn number(number: u64) -> i64 {
    number.cast_signed()
}

/// The first column says whether it was applied. If not, the columns of the condition or the whole row follow, where there is a row.
fn outcome(answer: QueryResult) -> Result<CasOutcome, String> {
    let rows = answer.into_rows_result().map_err(|error| error.to_string())?;
    let at = rows.column_specs().get_by_name("manifest").map(|(at, _)| at);
    let row: Row = rows.first_row().map_err(|error| error.to_string())?;
    match row.columns.first() {
        Some(Some(CqlValue::Boolean(true))) => return Ok(CasOutcome::Applied),
        Some(Some(CqlValue::Boolean(false))) => {}
        _ => return Err("it does not say whether it was applied".to_owned()),
    }
    let current = match at.and_then(|at| row.columns.get(at)) {
        Some(Some(CqlValue::Blob(bytes))) => {
            Some(Box::new(Manifest::decode(bytes).map_err(|error| error.to_string())?))
        }
        _ => None,
    };
    Ok(CasOutcome::NotApplied { current })
}
