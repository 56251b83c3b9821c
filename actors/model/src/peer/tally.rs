//! Tally batches: each row's cells column by column, as cuts have them.

use std::sync::Arc;

use souk_proto::internal::v1 as internal;

use super::Unreadable;
use crate::bucket::KeyRef;
use crate::tally::codec::{decode_cells, encode_cells};
use crate::tally::{Answering, CountedMetric, TallyBatch, TallyRow, TallyRows};

pub(super) fn encode(batch: TallyBatch) -> internal::TallyBatch {
    let counted = |(name, metric): (&String, &CountedMetric)| {
        (name.clone(), internal::CountedMetric { meaning: metric.meaning, since: metric.since })
    };
    internal::TallyBatch {
        epoch: batch.epoch,
        from: batch.from,
        to: batch.to,
        answering: batch.answer.map(|answer| internal::Answering {
            since: answer.since,
            last: answer.last,
            number: answer.number,
        }),
        high_water_ms: batch.high_water,
        settings_hash: batch.settings_hash,
        metrics: batch.metrics.iter().map(counted).collect(),
        rows: batch.rows.iter().map(encode_row).collect(),
    }
}

fn encode_row(row: TallyRow<'_>) -> internal::TallyRow {
    internal::TallyRow { key: row.key.text.to_owned(), cells: Some(encode_cells(row.stride(), row.cells())) }
}

pub(super) fn decode(batch: internal::TallyBatch) -> Result<TallyBatch, Unreadable> {
    let counted = |(name, metric): (String, internal::CountedMetric)| {
        (name, CountedMetric { meaning: metric.meaning, since: metric.since })
    };
    Ok(TallyBatch {
        epoch: batch.epoch,
        from: batch.from,
        to: batch.to,
        answer: batch.answering.map(|answer| Answering {
            since: answer.since,
            number: answer.number,
            last: answer.last,
        }),
        high_water: batch.high_water_ms,
        settings_hash: batch.settings_hash,
        metrics: Arc::new(batch.metrics.into_iter().map(counted).collect()),
        rows: decode_rows(batch.rows)?,
    })
}

fn decode_rows(rows: Vec<internal::TallyRow>) -> Result<TallyRows, Unreadable> {
    let mut out = TallyRows::default();
    for internal::TallyRow { key, cells } in rows {
        let cells = decode_cells(cells.unwrap_or_default()).map_err(|error| Unreadable(error.to_string()))?;
        out.push(KeyRef::of(&key), cells.iter());
    }
    Ok(out)
}
