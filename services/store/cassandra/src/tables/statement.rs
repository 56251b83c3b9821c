//! Every word said about tables that people read. Names come from settings that let only a-z, 0-9 and _ through; quoted, none of them is a
//! word of CQL's own.

use souk_model::view::{Column, Kind, Table};

pub(super) fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "bigint",
        Kind::Double => "double",
        Kind::Time => "timestamp",
    }
}

fn names<'c>(columns: impl IntoIterator<Item = &'c Column>) -> String {
    let quoted = columns.into_iter().map(|column| format!("\"{}\"", column.name));
    quoted.collect::<Vec<_>>().join(", ")
}

fn all(table: &Table) -> impl Iterator<Item = &Column> {
    table.partition.iter().chain(&table.clustering).chain(&table.values)
}

pub(super) fn create(keyspace: &str, table: &Table) -> String {
    let columns = all(table).map(|column| format!("\"{}\" {}, ", column.name, type_of(column.kind)));
    let clustering =
        if table.clustering.is_empty() { String::new() } else { format!(", {}", names(&table.clustering)) };
    format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.\"{}\" ({}PRIMARY KEY (({}){clustering}))",
        table.name,
        columns.collect::<String>(),
        names(&table.partition),
    )
}

pub(super) fn add(keyspace: &str, table: &Table, column: &Column) -> String {
    format!("ALTER TABLE {keyspace}.\"{}\" ADD \"{}\" {}", table.name, column.name, type_of(column.kind))
}

pub(super) fn insert(keyspace: &str, table: &Table) -> String {
    let holes = vec!["?"; all(table).count()].join(", ");
    format!(
        "INSERT INTO {keyspace}.\"{}\" ({}) VALUES ({holes}) USING TIMESTAMP ?",
        table.name,
        names(all(table))
    )
}

/// The table that says how far records of a shard are kept.
pub(super) const PLACES: &str = "history_places";

pub(super) fn create_places(keyspace: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.{PLACES} (history text, shard text, topic bigint, kept_upto bigint, \
         PRIMARY KEY ((history, shard, topic)))"
    )
}

pub(super) fn read_place(keyspace: &str) -> String {
    format!("SELECT kept_upto FROM {keyspace}.{PLACES} WHERE history = ? AND shard = ? AND topic = ?")
}

pub(super) fn write_place(keyspace: &str) -> String {
    format!(
        "INSERT INTO {keyspace}.{PLACES} (history, shard, topic, kept_upto) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
    )
}

/// Takes away a list: a partition, or one shop's part of it.
pub(super) fn clear(keyspace: &str, table: &Table, list_columns: usize) -> String {
    let named = table.partition.iter().chain(&table.clustering[..list_columns]);
    let conditions: Vec<_> = named.map(|column| format!("\"{}\" = ?", column.name)).collect();
    format!("DELETE FROM {keyspace}.\"{}\" USING TIMESTAMP ? WHERE {}", table.name, conditions.join(" AND "))
}
