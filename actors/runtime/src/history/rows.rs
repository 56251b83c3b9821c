//! The tables of a history, and the rows that records make in them.
//!
//! Every table has the envelope of an event and the event itself as JSON, in the form the API has it; those of transactions and trips have
//! a column for each of their figures besides. A table's key is the record's id, then the shop.

use std::sync::{Arc, LazyLock};

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use souk_model::fact::FactKind;
use souk_model::journal::Entry;
use souk_model::record::{Event, Record, kind_name, product_id};
use souk_model::settings::Settings;
use souk_model::settings::view::History;
use souk_model::shard::Decoded;
use souk_model::view::{Column, Datum, Kind as ColumnKind, Table};
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use crate::ports::HistoryRow;

/// A table of the settings, and which records stand in it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub table: Arc<Table>,
    of: History,
}

/// Columns of every table behind its key.
const ENVELOPE: [(&str, ColumnKind); 6] = [
    ("event_id", ColumnKind::Text),
    ("kind", ColumnKind::Text),
    ("event_time", ColumnKind::Time),
    ("user_id", ColumnKind::Text),
    ("session_id", ColumnKind::Text),
    ("product_id", ColumnKind::Text),
];

const TRANSACTION: [(&str, ColumnKind); 6] = [
    ("type", ColumnKind::Text),
    ("amount", ColumnKind::Integer),
    ("currency", ColumnKind::Text),
    ("category", ColumnKind::Text),
    ("merchant", ColumnKind::Text),
    ("location", ColumnKind::Text),
];

const TRIP: [(&str, ColumnKind); 6] = [
    ("region_id", ColumnKind::Integer),
    ("fare", ColumnKind::Integer),
    ("currency", ColumnKind::Text),
    ("duration_ms", ColumnKind::Integer),
    ("distance_meters", ColumnKind::Integer),
    ("vehicle_type", ColumnKind::Text),
];

const PAYLOAD: (&str, ColumnKind) = ("payload", ColumnKind::Text);

/// Those of the settings' tables that are wanted.
pub(super) fn tables(settings: &Settings, wanted: &[String]) -> Vec<Kept> {
    let wanted = settings.history.iter().filter(|history| wanted.contains(&history.name));
    wanted.map(|history| Kept { table: Arc::new(table(history)), of: history.clone() }).collect()
}

fn table(history: &History) -> Table {
    let column = |(name, kind): (&str, ColumnKind)| Column { name: name.to_owned(), kind };
    let envelope = ENVELOPE.into_iter().filter(|(name, _)| *name != history.id);
    let values = envelope.chain(figures_of(history.from).iter().copied()).chain([PAYLOAD]);
    Table {
        name: history.name.clone(),
        partition: vec![column((history.id, ColumnKind::Text))],
        clustering: vec![column(("shop", ColumnKind::Text))],
        values: values.map(column).collect(),
    }
}

fn figures_of(from: FactKind) -> &'static [(&'static str, ColumnKind)] {
    match from {
        FactKind::Transaction => &TRANSACTION,
        FactKind::Trip => &TRIP,
        _ => &[],
    }
}

/// The rows of entries of one partition.
pub(super) fn of(tables: &[Kept], entries: &[Entry]) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    for entry in entries {
        let Ok(Record::Event(event)) = Decoded::of(entry).record else { continue };
        let Some(kind) = &event.event.kind else { continue };
        let mut payload = None;
        for kept in tables.iter().filter(|kept| kept.takes(kind)) {
            let payload = payload.get_or_insert_with(|| json(&event.event)).clone();
            rows.push(kept.row(entry, &event, kind, payload));
        }
    }
    rows
}

impl Kept {
    fn takes(&self, kind: &Kind) -> bool {
        self.of.from == FactKind::Event || self.of.from.name() == kind_name(kind)
    }

    fn row(&self, entry: &Entry, event: &Event, kind: &Kind, payload: Datum) -> HistoryRow {
        let told = &event.event;
        let event_id = || Datum::Text(told.event_id.clone());
        let id = match (self.of.id, kind) {
            ("transaction_id", Kind::Transaction(of)) if !of.transaction_id.is_empty() => {
                text(&of.transaction_id)
            }
            ("trip_id", Kind::Trip(of)) if !of.trip_id.is_empty() => text(&of.trip_id),
            _ => event_id(),
        };
        let mut values = vec![id, text(event.key.shop())];
        if self.of.id != "event_id" {
            values.push(event_id());
        }
        values.extend([
            text(kind_name(kind)),
            Datum::Time(event.time.unwrap_or(entry.append_time)),
            text(&told.user_id),
            text(&told.session_id),
            text(product_of(kind)),
        ]);
        match (self.of.from, kind) {
            (FactKind::Transaction, Kind::Transaction(of)) => values.extend(transaction(of)),
            (FactKind::Trip, Kind::Trip(of)) => values.extend(trip(of)),
            _ => {}
        }
        values.push(payload);
        HistoryRow { table: Arc::clone(&self.table), values, offset: entry.offset }
    }
}

/// What is not told is empty: a row that left a column out would keep that of another record with its id.
fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn product_of(kind: &Kind) -> &str {
    match kind {
        Kind::ProductView(of) => &of.product_id,
        Kind::CartStep(of) => of.line.as_ref().map_or("", |line| &line.product_id),
        Kind::WishlistStep(of) => &of.product_id,
        Kind::Review(of) => &of.product_id,
        Kind::StockStep(of) => &of.product_id,
        Kind::ProductStep(of) => {
            let name = of.product.as_ref().map_or("", |product| product.name.as_str());
            product_id(name).unwrap_or(name)
        }
        _ => "",
    }
}

fn money(amount: Option<&v1::Money>) -> [Datum; 2] {
    let minor_units = amount.and_then(|money| money.minor_units).unwrap_or_default();
    [Datum::Integer(minor_units), text(amount.map_or("", |money| &money.currency_code))]
}

fn transaction(of: &v1::Transaction) -> [Datum; 6] {
    let name = of.r#type().as_str_name().trim_start_matches("TYPE_").to_ascii_lowercase();
    let [amount, currency] = money(of.amount.as_ref());
    [text(&name), amount, currency, text(&of.category), text(&of.merchant), text(&of.location)]
}

fn trip(of: &v1::Trip) -> [Datum; 6] {
    let [fare, currency] = money(of.fare.as_ref());
    let millis = |of: &prost_types::Duration| of.seconds * 1_000 + i64::from(of.nanos) / 1_000_000;
    [
        Datum::Integer(i64::from(of.region_id)),
        fare,
        currency,
        Datum::Integer(of.duration.as_ref().map_or(0, millis)),
        Datum::Integer(of.distance_meters),
        text(&of.vehicle_type),
    ]
}

static EVENT: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool =
        DescriptorPool::decode(souk_proto::FILE_DESCRIPTOR_SET).expect("the build made the descriptor set");
    pool.get_message_by_name("souk.v1.Event").expect("the set holds the whole API")
});

/// An event as the API shows it.
fn json(event: &v1::Event) -> Datum {
    let message = DynamicMessage::decode(EVENT.clone(), event.encode_to_vec().as_slice());
    let message = message.expect("it was encoded as this very message");
    Datum::Text(serde_json::to_string(&message).expect("every message of the API has a JSON form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(name: &str) -> Kept {
        tables(&Settings::builtin(), &[name.to_owned()]).remove(0)
    }

    fn entry(offset: u64, event: v1::Event) -> Entry {
        let event = souk_proto::journal::v1::EventRecord { event: Some(event), ..Default::default() };
        let body = souk_proto::journal::v1::record::Body::Event(event);
        let record = souk_proto::journal::v1::Record { body: Some(body) };
        Entry::new(offset, 1_000, record.encode_to_vec().into())
    }

    fn paid(id: &str) -> v1::Event {
        let amount = v1::Money { currency_code: "EUR".to_owned(), minor_units: Some(250) };
        let transaction = v1::Transaction {
            r#type: v1::transaction::Type::Refund.into(),
            transaction_id: id.to_owned(),
            amount: Some(amount),
            category: "mugs".to_owned(),
            ..Default::default()
        };
        let kind = Some(Kind::Transaction(transaction));
        v1::Event { event_id: "e-1".to_owned(), user_id: "ann".to_owned(), kind, ..Default::default() }
    }

    fn shown(row: &HistoryRow) -> Vec<(String, Datum)> {
        let Table { partition, clustering, values, .. } = &*row.table;
        let names = partition.iter().chain(clustering).chain(values).map(|column| column.name.clone());
        names.zip(row.values.clone()).collect()
    }

    #[test]
    fn a_transaction_is_a_row_under_its_own_id() {
        let rows = of(&[kept("transactions")], &[entry(7, paid("t-1"))]);
        assert_eq!((rows.len(), rows[0].offset), (1, 7));
        let mut shown = shown(&rows[0]);
        let Some((_, Datum::Text(payload))) = shown.pop() else { panic!("no payload") };
        assert!(payload.contains("\"transactionId\":\"t-1\""), "{payload}");
        let expected = [
            ("transaction_id", text("t-1")),
            ("shop", text("main")),
            ("event_id", text("e-1")),
            ("kind", text("transaction")),
            ("event_time", Datum::Time(1_000)),
            ("user_id", text("ann")),
            ("session_id", text("")),
            ("product_id", text("")),
            ("type", text("refund")),
            ("amount", Datum::Integer(250)),
            ("currency", text("EUR")),
            ("category", text("mugs")),
            ("merchant", text("")),
            ("location", text("")),
        ];
        assert_eq!(shown, expected.map(|(name, datum)| (name.to_owned(), datum)));
    }

    #[test]
    fn without_an_id_of_its_own_it_stands_under_the_event_s() {
        let rows = of(&[kept("transactions")], &[entry(7, paid(""))]);
        assert_eq!(rows[0].values[0], Datum::Text("e-1".to_owned()));
    }

    #[test]
    fn a_table_of_all_events_has_a_row_for_each_and_every_column() {
        let view = v1::PageView { page: "/".to_owned(), ..Default::default() };
        let view = v1::Event { kind: Some(Kind::PageView(view)), ..paid("") };
        let both = [kept("transactions"), kept("ecommerce_events")];
        let rows = of(&both, &[entry(1, view), entry(2, paid("t-1")), Entry::new(3, 0, bytes::Bytes::new())]);
        let tables: Vec<_> = rows.iter().map(|row| (row.offset, row.table.name.as_str())).collect();
        assert_eq!(tables, [(1, "ecommerce_events"), (2, "transactions"), (2, "ecommerce_events")]);
        for row in &rows {
            let Table { partition, clustering, values, .. } = &*row.table;
            assert_eq!(row.values.len(), partition.len() + clustering.len() + values.len());
        }
    }
}
