//! What the series keep beside their rows, as `souk.state.v1` stores it: the vector the rows include, and the corrections.

use std::sync::Arc;

use prost::Message as _;
use souk_proto::state::v1 as state;
use souk_proto::state::v1::series_value::Value as Stored;

use super::book::SeriesBook;
use super::corrections::Correction;
use super::join::{Figure, Measured};
use super::source::Source;
use crate::actor::StateError;
use crate::metric::TimeRange;
use crate::ring::RingId;
use crate::settings::Settings;
use crate::tally::CountedMetric;
use crate::tally::codec::{damaged, decode_totals, decode_values, encode_totals, encode_values};

impl SeriesBook {
    pub fn encode_header(&self) -> Vec<u8> {
        let sources = (0_u32..).zip(&self.sources).filter(|(_, source)| source.epoch > 0);
        let position = |source: &Source| state::SeriesPosition {
            epoch: source.epoch,
            upto: source.upto,
            high_water: source.high_water,
            settings_hash: source.settings_hash,
            metrics: source
                .metrics
                .iter()
                .map(|(name, counted)| (name.clone(), stored_metric(*counted)))
                .collect(),
        };
        let header = state::SeriesHeader {
            sources: sources.map(|(partition, source)| (partition, position(source))).collect(),
            corrections: self.corrections.after(None).map(|(id, c)| encode_correction(id, c)).collect(),
            correction_count: self.correction_count,
            corrections_dropped: self.corrections.dropped(),
        };
        header.encode_to_vec()
    }

    /// Takes the header of a cut; its rows are loaded beside it.
    pub fn decode_header(&mut self, settings: &Settings, bytes: &[u8]) -> Result<(), StateError> {
        let header = state::SeriesHeader::decode(bytes).map_err(|error| damaged(&error.to_string()))?;
        let source = |(partition, stored): (u32, state::SeriesPosition)| {
            let partition = u16::try_from(partition).map_err(|_| damaged("a source out of range"))?;
            let state::SeriesPosition { epoch, upto, high_water, settings_hash, metrics } = stored;
            let counted =
                |stored: state::CountedMetric| CountedMetric { meaning: stored.meaning, since: stored.since };
            let metrics = metrics.into_iter().map(|(name, stored)| (name, counted(stored))).collect();
            let metrics = Arc::new(metrics);
            let (metrics_at, ask) = (upto, true);
            Ok((
                partition,
                Source {
                    epoch,
                    upto,
                    high_water,
                    settings_hash,
                    metrics,
                    metrics_at,
                    ask,
                    ..Source::default()
                },
            ))
        };
        let sources = header.sources.into_iter().map(source).collect::<Result<_, StateError>>()?;
        self.restore(settings, sources);
        for stored in header.corrections {
            let id = RingId { position: stored.id, n: 0 };
            self.corrections.restore(id, decode_correction(stored)?);
        }
        self.corrections.set_dropped(header.corrections_dropped);
        self.correction_count = header.correction_count;
        Ok(())
    }
}

fn stored_metric(counted: CountedMetric) -> state::CountedMetric {
    state::CountedMetric { meaning: counted.meaning, since: counted.since }
}

fn encode_correction(id: RingId, correction: &Correction) -> state::SeriesCorrection {
    state::SeriesCorrection {
        id: id.position,
        key: correction.key.clone(),
        window: correction.window as u32,
        start: correction.range.start,
        end: correction.range.end,
        source: u32::from(correction.source),
        offset: correction.offset,
        before: correction.before.iter().map(encode_measured).collect(),
        after: correction.after.iter().map(encode_measured).collect(),
    }
}

fn decode_correction(stored: state::SeriesCorrection) -> Result<Correction, StateError> {
    Ok(Correction {
        key: stored.key,
        window: stored.window as usize,
        range: TimeRange { start: stored.start, end: stored.end },
        source: u16::try_from(stored.source).map_err(|_| damaged("a source out of range"))?,
        offset: stored.offset,
        before: stored.before.into_iter().map(decode_measured).collect::<Result<_, _>>()?,
        after: stored.after.into_iter().map(decode_measured).collect::<Result<_, _>>()?,
    })
}

fn encode_measured(measured: &Measured) -> state::SeriesValue {
    let value = match &measured.figure {
        Figure::None => None,
        Figure::Integer(value) => Some(Stored::Integer(*value)),
        Figure::Fraction { numerator, denominator } => {
            let fraction = state::SeriesFraction { numerator: *numerator, denominator: *denominator };
            Some(Stored::Fraction(fraction))
        }
        Figure::Amounts(amounts) => Some(Stored::Amounts(encode_values(amounts))),
        Figure::Means(means) => Some(Stored::Means(encode_totals(means))),
    };
    state::SeriesValue { sketched: measured.sketched, value }
}

fn decode_measured(stored: state::SeriesValue) -> Result<Measured, StateError> {
    let figure = match stored.value {
        None => Figure::None,
        Some(Stored::Integer(value)) => Figure::Integer(value),
        Some(Stored::Fraction(state::SeriesFraction { numerator, denominator })) => {
            Figure::Fraction { numerator, denominator }
        }
        Some(Stored::Amounts(amounts)) => Figure::Amounts(decode_values(amounts)?),
        Some(Stored::Means(means)) => Figure::Means(decode_totals(means)?),
    };
    Ok(Measured { figure, sketched: stored.sketched })
}
