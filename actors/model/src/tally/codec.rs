//! Cells and parts as `souk.state.v1` stores them. Canonical: every list is sorted, so equal cells have equal bytes.

use souk_proto::state::v1 as state;
use souk_proto::state::v1::cell_part::Part as Stored;

use super::cells::{CellRef, Cells};
use crate::actor::StateError;
use crate::metric::aggregate::part::Total;
use crate::metric::aggregate::{Distinct, Multiset, Part, Unit};
use crate::money::Currency;
use crate::time::Millis;

pub(crate) fn damaged(what: &str) -> StateError {
    StateError::Damaged(what.to_owned())
}

/// Cells by rising pane, each with so many plain numbers.
pub(crate) fn encode_cells<'a>(stride: usize, cells: impl Iterator<Item = CellRef<'a>>) -> state::Cells {
    let mut out = state::Cells { stride: stride as u32, ..state::Cells::default() };
    let mut before = 0;
    for (at, cell) in cells.enumerate() {
        out.pane_deltas.push(cell.start.wrapping_sub(before));
        before = cell.start;
        out.stamps.push((cell.offset << 1) | u64::from(cell.counted));
        out.numbers.extend_from_slice(cell.numbers);
        out.parts.extend(cell.parts.iter().map(|(slot, part)| state::CellPart {
            cell: at as u32,
            slot: u32::from(*slot),
            part: Some(encode_part(part)),
        }));
    }
    out
}

pub(crate) fn decode_cells(stored: state::Cells) -> Result<Cells, StateError> {
    let stride = stored.stride as usize;
    let count = stored.pane_deltas.len();
    if stored.stamps.len() != count || Some(stored.numbers.len()) != count.checked_mul(stride) {
        return Err(damaged("columns of cells differ in length"));
    }
    let mut parts = stored.parts.into_iter().peekable();
    let mut cells = Cells::default();
    let mut start: Millis = 0;
    for (at, (delta, stamp)) in stored.pane_deltas.iter().zip(&stored.stamps).enumerate() {
        let next = start.wrapping_add(*delta);
        if at > 0 && next <= start {
            return Err(damaged("panes do not rise"));
        }
        start = next;
        let mut own: Vec<(u8, Part)> = Vec::new();
        while let Some(part) = parts.next_if(|part| part.cell as usize == at) {
            let slot = u8::try_from(part.slot).map_err(|_| damaged("a slot out of range"))?;
            if own.last().is_some_and(|(last, _)| *last >= slot) {
                return Err(damaged("parts do not rise"));
            }
            own.push((slot, decode_part(part.part.ok_or_else(|| damaged("a part without value"))?)?));
        }
        let numbers = &stored.numbers[at * stride..][..stride];
        let (offset, counted) = (stamp >> 1, stamp & 1 == 1);
        cells.put(CellRef { start, offset, counted, numbers, parts: &own });
    }
    if parts.next().is_some() {
        return Err(damaged("a part of no cell"));
    }
    Ok(cells)
}

fn encode_part(part: &Part) -> Stored {
    match part {
        Part::Totals(totals) => Stored::Totals(encode_totals(totals)),
        Part::Least(values) => Stored::Least(encode_values(values)),
        Part::Greatest(values) => Stored::Greatest(encode_values(values)),
        Part::Multisets(sets) => Stored::Multisets(state::UnitMultisets {
            sets: sets.iter().map(|(unit, set)| encode_multiset(*unit, set)).collect(),
        }),
        Part::Distinct(Distinct::Exact(hashes)) => {
            Stored::Distinct(state::DistinctSet { hashes: hashes.clone(), ..state::DistinctSet::default() })
        }
        Part::Distinct(Distinct::Sketched(registers)) => Stored::Distinct(state::DistinctSet {
            registers: registers.to_vec(),
            ..state::DistinctSet::default()
        }),
    }
}

fn decode_part(stored: Stored) -> Result<Part, StateError> {
    Ok(match stored {
        Stored::Totals(totals) => Part::Totals(decode_totals(totals)?),
        Stored::Least(values) => Part::Least(decode_values(values)?),
        Stored::Greatest(values) => Part::Greatest(decode_values(values)?),
        Stored::Multisets(sets) => {
            Part::Multisets(sets.sets.into_iter().map(decode_multiset).collect::<Result<_, _>>()?)
        }
        Stored::Distinct(set) if set.registers.is_empty() => Part::Distinct(Distinct::Exact(set.hashes)),
        Stored::Distinct(set) => Part::Distinct(
            Distinct::restored(set.registers).ok_or_else(|| damaged("a sketch of another shape"))?,
        ),
    })
}

fn encode_multiset(unit: Unit, set: &Multiset) -> state::UnitMultiset {
    let mut out = state::UnitMultiset { currency: code(unit), ..state::UnitMultiset::default() };
    match set {
        Multiset::Exact(values) => out.values.clone_from(values),
        Multiset::Sketched(buckets) => (out.buckets, out.counts) = buckets.iter().copied().unzip(),
    }
    out
}

fn decode_multiset(stored: state::UnitMultiset) -> Result<(Unit, Multiset), StateError> {
    if stored.buckets.len() != stored.counts.len() {
        return Err(damaged("a histogram's columns differ in length"));
    }
    let set = if stored.buckets.is_empty() {
        Multiset::Exact(stored.values)
    } else {
        Multiset::Sketched(stored.buckets.into_iter().zip(stored.counts).collect())
    };
    Ok((unit(&stored.currency)?, set))
}

pub(crate) fn encode_totals(totals: &[(Unit, Total)]) -> state::UnitTotals {
    let total = |(unit, total): &(Unit, Total)| state::UnitTotal {
        currency: code(*unit),
        sum: total.sum,
        count: total.count,
    };
    state::UnitTotals { totals: totals.iter().map(total).collect() }
}

pub(crate) fn decode_totals(stored: state::UnitTotals) -> Result<Vec<(Unit, Total)>, StateError> {
    let total = |t: state::UnitTotal| Ok((unit(&t.currency)?, Total { sum: t.sum, count: t.count }));
    stored.totals.into_iter().map(total).collect()
}

pub(crate) fn encode_values(values: &[(Unit, i64)]) -> state::UnitValues {
    let value = |(unit, value): &(Unit, i64)| state::UnitValue { currency: code(*unit), value: *value };
    state::UnitValues { values: values.iter().map(value).collect() }
}

pub(crate) fn decode_values(stored: state::UnitValues) -> Result<Vec<(Unit, i64)>, StateError> {
    stored.values.into_iter().map(|value| Ok((unit(&value.currency)?, value.value))).collect()
}

fn code(unit: Unit) -> String {
    unit.map_or_else(String::new, |currency| currency.code().to_owned())
}

fn unit(code: &str) -> Result<Unit, StateError> {
    match code {
        "" => Ok(None),
        code => Currency::parse(code).map(Some).ok_or_else(|| damaged("a currency nobody knows")),
    }
}
