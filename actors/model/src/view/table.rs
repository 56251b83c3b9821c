//! Tables that people read with cqlsh: their columns, and the rows one row of the series makes in them.
//!
//! A table's key is what the view names, then the shop, then, where money is shown, the currency: amounts of two currencies are two rows.
//! What is no amount stands once, in the row of the shop's own currency, so that sums over a table are right.
//! The window's edges come first: a window's rows lie together, are written together and grow no further once it is over.

use std::sync::Arc;

use super::datum::{Column, Datum, Kind, currencies, datum, is_money, kind_of};
use super::text::{Named, is_number};
use crate::metric::{Aggregator, Dimension, Metric, Window};
use crate::money::Currency;
use crate::series::{AnswerRow, Figure, PublishedRow};
use crate::settings::view::{Column as KeyColumn, Columns, Edge, TableKey, TableView};
use crate::tally::split_head;

/// The columns whose names every table has.
const SHOP: &str = "shop";
const CURRENCY: &str = "currency";
const WINDOW_START: &str = "window_start";

/// A table as it has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// Rows with the same of these lie together.
    pub partition: Vec<Column>,
    /// Tell rows of a partition apart.
    pub clustering: Vec<Column>,
    pub values: Vec<Column>,
}

/// A row as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    pub table: Arc<TableShape>,
    pub partition: Vec<Datum>,
    pub clustering: Vec<Datum>,
    pub values: Vec<Datum>,
    /// The newer of two has the greater.
    pub revision: u64,
}

/// A view's table, and how rows of the series become rows of it.
#[derive(Debug, PartialEq)]
pub struct TableShape {
    pub table: Table,
    view: TableView,
    partition: Vec<Source>,
    clustering: Vec<Source>,
    /// Measures shown, by their place.
    measures: Vec<Shown>,
    own_currency: Currency,
}

/// Where a key column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Time {
        edge: Edge,
        format: String,
    },
    /// Empty where the key set has no such dimension.
    Dimension(Dimension),
    Shop,
    Currency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    measure: usize,
    is_money: bool,
    is_sum: bool,
}

impl TableShape {
    pub(super) fn of(metric: &Metric, view: &TableView, own_currency: Currency) -> Self {
        let measures: Vec<(String, usize)> = match &view.columns {
            Columns::All => metric.measures.iter().enumerate().map(|(n, of)| (of.name.clone(), n)).collect(),
            Columns::Named(named) => named.clone(),
        };
        let has_money = measures.iter().any(|(_, place)| is_money(&metric.measures[*place]));
        let (partition, clustering) = key(metric, view, has_money);
        let mut taken: Vec<&str> = Vec::new();
        taken.extend(partition.iter().chain(&clustering).map(|(column, _)| column.name.as_str()));
        // A measure named like a column of the key gives way.
        let name = |name: &str| match taken.contains(&name) {
            true => format!("measure_{name}"),
            false => name.to_owned(),
        };
        let values =
            measures.iter().map(|(of, place)| Column::new(name(of), kind_of(&metric.measures[*place])));
        let values = values.collect();
        let shown = |(_, place): &(String, usize)| {
            let measure = &metric.measures[*place];
            let is_sum = matches!(measure.aggregator, Aggregator::Sum(_));
            Shown { measure: *place, is_money: is_money(measure), is_sum }
        };
        let measures = measures.iter().map(shown).collect();
        let (partition_columns, partition) = partition.into_iter().unzip();
        let (clustering_columns, clustering) = clustering.into_iter().unzip();
        let table = Table {
            name: view.name.clone(),
            partition: partition_columns,
            clustering: clustering_columns,
            values,
        };
        Self { table, view: view.clone(), partition, clustering, measures, own_currency }
    }

    pub(super) fn view(&self) -> &TableView {
        &self.view
    }

    /// The one measure a top list is by.
    pub(super) fn first_measure(&self) -> Option<usize> {
        self.measures.first().map(|shown| shown.measure)
    }

    /// Columns of the clustering that, with the partition, tell one shop's list from another's.
    pub fn list_columns(&self) -> usize {
        usize::from(self.clustering.first() == Some(&Source::Shop))
    }

    /// The rows a row of the series makes: one per currency it has amounts in.
    pub fn rows(self: &Arc<Self>, metric: &Metric, row: &PublishedRow) -> Vec<TableRow> {
        self.rows_of(metric, &row.row, row.revision)
    }

    /// The same at a revision of the caller's.
    pub fn rows_of(self: &Arc<Self>, metric: &Metric, row: &AnswerRow, revision: u64) -> Vec<TableRow> {
        let Some((shop, _, key_set)) = split_head(&row.key) else { return Vec::new() };
        let named = Named { metric, key_set, key: &row.key, window: row.window, range: row.range };
        let made = self.currencies(row).into_iter().map(|currency| {
            let key = |sources: &[Source]| {
                sources.iter().map(|source| source.value(named, shop, currency)).collect()
            };
            TableRow {
                table: Arc::clone(self),
                partition: key(&self.partition),
                clustering: key(&self.clustering),
                values: self.measures.iter().map(|shown| self.value(*shown, row, currency)).collect(),
                revision,
            }
        });
        made.collect()
    }

    fn value(&self, shown: Shown, row: &AnswerRow, currency: Currency) -> Datum {
        let is_own = currency == self.own_currency;
        match row.values.get(shown.measure).map(|measured| &measured.figure) {
            // A sum of nothing is nothing, in the currency that is always shown.
            Some(figure @ Figure::Amounts(_)) if is_own && shown.is_sum => match datum(figure, currency) {
                Datum::Absent => Datum::Integer(0),
                amount => amount,
            },
            Some(figure) if shown.is_money || is_own => datum(figure, currency),
            _ => Datum::Absent,
        }
    }

    fn currencies(&self, row: &AnswerRow) -> Vec<Currency> {
        let shown = self.measures.iter().filter_map(|shown| row.values.get(shown.measure));
        let mut found: Vec<Currency> = shown.flat_map(|measured| currencies(&measured.figure)).collect();
        if self.measures.iter().any(|shown| !shown.is_money) {
            found.push(self.own_currency);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Source {
    fn value(&self, named: Named<'_>, shop: &str, currency: Currency) -> Datum {
        match self {
            Self::Time { edge, format } if format.is_empty() => Datum::Time(named.edge(*edge)),
            Self::Time { edge, format } => {
                let text = named.time(*edge, format);
                match is_number(format).then(|| text.parse()) {
                    Some(Ok(number)) => Datum::Integer(number),
                    _ => Datum::Text(text),
                }
            }
            Self::Dimension(dimension) => {
                Datum::Text(named.value(dimension).map(std::borrow::Cow::into_owned).unwrap_or_default())
            }
            Self::Shop => Datum::Text(shop.to_owned()),
            Self::Currency => Datum::Text(currency.code().to_owned()),
        }
    }
}

impl KeyColumn {
    pub(super) fn dimension(&self) -> Option<&Dimension> {
        match self {
            Self::Dimension(dimension) => Some(dimension),
            Self::Time { .. } => None,
        }
    }
}

type Keyed = Vec<(Column, Source)>;

/// Partition and clustering columns.
fn key(metric: &Metric, view: &TableView, has_money: bool) -> (Keyed, Keyed) {
    let shop = (Column::new(SHOP, Kind::Text), Source::Shop);
    let (mut partition, mut clustering) = (Vec::new(), Vec::new());
    match &view.key {
        TableKey::All => {
            partition.push(shop);
            if view.window != Window::Total {
                let source = Source::Time { edge: Edge::Start, format: String::new() };
                partition.push((Column::new(WINDOW_START, Kind::Time), source));
            }
            for dimension in metric.key_sets.iter().flatten() {
                let column = Column::new(dimension.name().replace('.', "_"), Kind::Text);
                if !clustering.iter().any(|(known, _): &(Column, Source)| known.name == column.name) {
                    clustering.push((column, Source::Dimension(dimension.clone())));
                }
            }
        }
        TableKey::Named(columns) => {
            let named = columns.iter().map(|(name, column)| named_column(name, column));
            let (times, dimensions): (Keyed, Keyed) =
                named.partition(|(_, source)| matches!(source, Source::Time { .. }));
            clustering.push(shop);
            match (times.is_empty(), view.top) {
                (false, _) => {
                    partition = times;
                    clustering.extend(dimensions);
                }
                (true, None) => partition = dimensions,
                // A list is replaced whole: it lies together.
                (true, Some(_)) => {
                    partition.append(&mut clustering);
                    clustering.extend(dimensions);
                }
            }
        }
    }
    if has_money {
        clustering.push((Column::new(CURRENCY, Kind::Text), Source::Currency));
    }
    (partition, clustering)
}

fn named_column(name: &str, column: &KeyColumn) -> (Column, Source) {
    match column {
        KeyColumn::Dimension(dimension) => {
            (Column::new(name, Kind::Text), Source::Dimension(dimension.clone()))
        }
        KeyColumn::Time { edge, format } => {
            let kind = match format.as_str() {
                "" => Kind::Time,
                format if is_number(format) => Kind::Integer,
                _ => Kind::Text,
            };
            (Column::new(name, kind), Source::Time { edge: *edge, format: format.clone() })
        }
    }
}
