//! Tally batches: cells column by column, those of one key together, as cuts have them.

use std::collections::BTreeMap;
use std::sync::Arc;

use souk_proto::internal::v1 as internal;

use super::Unreadable;
use crate::tally::cells::Cells;
use crate::tally::codec::{decode_cells, encode_cells};
use crate::tally::{Answering, CountedMetric, TallyBatch, TallyCell};

pub(super) fn encode(batch: TallyBatch) -> internal::TallyBatch {
    let counted = |(name, metric): (&String, &CountedMetric)| {
        (name.clone(), internal::CountedMetric { meaning: metric.meaning, since: metric.since })
    };
    internal::TallyBatch {
        epoch: batch.epoch,
        from: batch.from,
        to: batch.to,
        answering: batch.answer.map(|answer| internal::Answering { since: answer.since, last: answer.last }),
        high_water_ms: batch.high_water,
        settings_hash: batch.settings_hash,
        metrics: batch.metrics.iter().map(counted).collect(),
        rows: encode_rows(batch.cells),
    }
}

/// The receiver puts each cell where it belongs, so that their order across keys says nothing.
fn encode_rows(cells: Vec<TallyCell>) -> Vec<internal::TallyRow> {
    let mut rows: BTreeMap<String, Cells> = BTreeMap::new();
    for TallyCell { key, pane, offset, counted, values } in cells {
        rows.entry(key).or_default().put(pane, offset, counted, values);
    }
    rows.into_iter()
        .map(|(key, cells)| internal::TallyRow { key, cells: Some(encode_cells(&cells)) })
        .collect()
}

pub(super) fn decode(batch: internal::TallyBatch) -> Result<TallyBatch, Unreadable> {
    let counted = |(name, metric): (String, internal::CountedMetric)| {
        (name, CountedMetric { meaning: metric.meaning, since: metric.since })
    };
    Ok(TallyBatch {
        epoch: batch.epoch,
        from: batch.from,
        to: batch.to,
        answer: batch.answering.map(|answer| Answering { since: answer.since, last: answer.last }),
        high_water: batch.high_water_ms,
        settings_hash: batch.settings_hash,
        metrics: Arc::new(batch.metrics.into_iter().map(counted).collect()),
        cells: decode_rows(batch.rows)?,
    })
}

/// By (offset, key, pane), as batches have them.
fn decode_rows(rows: Vec<internal::TallyRow>) -> Result<Vec<TallyCell>, Unreadable> {
    let mut out = Vec::new();
    for internal::TallyRow { key, cells } in rows {
        let cells = decode_cells(cells.unwrap_or_default()).map_err(|error| Unreadable(error.to_string()))?;
        out.extend(cells.iter().map(|cell| TallyCell {
            key: key.clone(),
            pane: cell.start,
            offset: cell.offset,
            counted: cell.counted,
            values: cell.to_values(),
        }));
    }
    out.sort_by(|a, b| (a.offset, &a.key, a.pane).cmp(&(b.offset, &b.key, b.pane)));
    Ok(out)
}
