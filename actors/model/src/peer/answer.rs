//! Answers of series.

use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::measured::Figure as Sent;

use super::query::window;
use super::{Unreadable, unreadable};
use crate::metric::TimeRange;
use crate::metric::aggregate::Unit;
use crate::metric::aggregate::part::Total;
use crate::money::Currency;
use crate::origin::Origin;
use crate::series::{Answer, AnswerInfo, AnswerRow, Figure, Measured};

impl Answer {
    pub fn to_peer(&self) -> internal::SeriesPart {
        let info = &self.info;
        internal::SeriesPart {
            rows: self.rows.iter().map(row_to_peer).collect(),
            as_of_ms: info.as_of,
            held_by: info.held_by.iter().copied().map(u32::from).collect(),
            revision: info.revision,
            positions: info.positions.iter().map(|(source, offset)| (u32::from(*source), *offset)).collect(),
            truncated: info.truncated,
        }
    }

    pub fn from_peer(part: internal::SeriesPart) -> Result<Self, Unreadable> {
        let source = |source| u16::try_from(source).map_err(|_| unreadable("a source out of range"));
        let position = |(partition, offset)| Ok((source(partition)?, offset));
        Ok(Self {
            rows: part.rows.into_iter().map(row_from_peer).collect::<Result<_, _>>()?,
            info: AnswerInfo {
                as_of: part.as_of_ms,
                held_by: part.held_by.into_iter().map(source).collect::<Result<_, _>>()?,
                revision: part.revision,
                positions: part.positions.into_iter().map(position).collect::<Result<_, Unreadable>>()?,
                truncated: part.truncated,
                origin: Origin::Owner,
            },
        })
    }
}

fn row_to_peer(row: &AnswerRow) -> internal::Row {
    internal::Row {
        key: row.key.clone(),
        window: row.window.to_string(),
        range: Some(row.range.to_peer()),
        values: row.values.iter().map(measured_to_peer).collect(),
        provisional: row.provisional,
    }
}

fn row_from_peer(row: internal::Row) -> Result<AnswerRow, Unreadable> {
    Ok(AnswerRow {
        key: row.key,
        window: window(&row.window)?,
        range: TimeRange::from_peer(&row.range.ok_or_else(|| unreadable("a row of no range"))?),
        values: row.values.into_iter().map(measured_from_peer).collect::<Result<_, _>>()?,
        provisional: row.provisional,
    })
}

fn measured_to_peer(measured: &Measured) -> internal::Measured {
    let amount = |(unit, sum, count): (Unit, i64, i64)| internal::Amount {
        currency: unit.map_or_else(String::new, |currency| currency.code().to_owned()),
        sum,
        count,
    };
    let figure = match &measured.figure {
        Figure::None => None,
        Figure::Integer(integer) => Some(Sent::Integer(*integer)),
        Figure::Fraction { numerator, denominator } => {
            Some(Sent::Fraction(internal::Fraction { numerator: *numerator, denominator: *denominator }))
        }
        Figure::Amounts(amounts) => {
            let amounts = amounts.iter().map(|(unit, sum)| amount((*unit, *sum, 0))).collect();
            Some(Sent::Amounts(internal::Amounts { amounts }))
        }
        Figure::Means(means) => {
            let amounts = means.iter().map(|(unit, total)| amount((*unit, total.sum, total.count))).collect();
            Some(Sent::Means(internal::Amounts { amounts }))
        }
    };
    internal::Measured { figure, sketched: measured.sketched }
}

fn measured_from_peer(measured: internal::Measured) -> Result<Measured, Unreadable> {
    let figure = match measured.figure {
        None => Figure::None,
        Some(Sent::Integer(integer)) => Figure::Integer(integer),
        Some(Sent::Fraction(of)) => Figure::Fraction { numerator: of.numerator, denominator: of.denominator },
        Some(Sent::Amounts(amounts)) => {
            let each = amounts.amounts.into_iter().map(|amount| Ok((unit(&amount.currency)?, amount.sum)));
            Figure::Amounts(each.collect::<Result<_, Unreadable>>()?)
        }
        Some(Sent::Means(means)) => {
            let each = means
                .amounts
                .into_iter()
                .map(|mean| Ok((unit(&mean.currency)?, Total { sum: mean.sum, count: mean.count })));
            Figure::Means(each.collect::<Result<_, Unreadable>>()?)
        }
    };
    Ok(Measured { figure, sketched: measured.sketched })
}

fn unit(code: &str) -> Result<Unit, Unreadable> {
    match code {
        "" => Ok(None),
        code => Currency::parse(code).map(Some).ok_or_else(|| unreadable("no currency")),
    }
}
