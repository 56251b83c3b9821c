//! Tables that may be written: made or found, compared with what they have to be, their statements known to the servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::client::session::Session;
use scylla::statement::Statement;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};
use souk_model::view::{Column, Table, TableShape};

use super::statement;
use crate::Error;
use crate::cql::{self, Agreement};
use crate::limits::SCHEMA_TIMEOUT;
use crate::options::Options;

/// Tables of the store itself.
const OWN: [&str; 4] = ["manifests", "segments", cql::VERSION_TABLE, statement::PLACES];

/// By name.
#[derive(Debug, Default)]
pub(super) struct Declared(BTreeMap<String, Prepared>);

#[derive(Debug)]
pub(super) struct Prepared {
    shape: Arc<TableShape>,
    pub insert: PreparedStatement,
    pub clear: PreparedStatement,
}

impl Declared {
    /// The statements of a table, if it stands as the shape has it.
    pub(super) fn of(&self, shape: &TableShape) -> Option<&Prepared> {
        self.0.get(&shape.table.name).filter(|prepared| prepared.shape.table == shape.table)
    }
}

pub(super) async fn declare(
    session: &Session,
    options: &Options,
    tables: Vec<Arc<TableShape>>,
) -> Result<Declared, Error> {
    let stand = stand(session, options).await?;
    let lacking: Vec<String> = tables.iter().flat_map(|shape| lacks(options, &shape.table, &stand)).collect();
    if !lacking.is_empty() {
        make(session, options, lacking).await?;
    }
    let stand = self::stand(session, options).await?;
    let mut declared = Declared::default();
    for shape in tables {
        let name = &shape.table.name;
        if let Some(why) = differs(&shape.table, stand.get(name)).or_else(|| taken(&declared, &shape.table)) {
            tracing::error!(
                table = name,
                why,
                "this table is not written: give it another name in the settings"
            );
            continue;
        }
        let agreement = Agreement::of(options);
        let prepare = |text| async {
            let prepared = session.prepare(agreement.repeatable(text)).await;
            prepared.map_err(|error| Error::server(format!("write to the table {name}"), error))
        };
        let insert = prepare(statement::insert(&options.keyspace, &shape.table)).await?;
        let clear = statement::clear(&options.keyspace, &shape.table, shape.list_columns());
        let clear = prepare(clear).await?;
        declared.0.insert(name.clone(), Prepared { shape, insert, clear });
    }
    Ok(declared)
}

/// Columns by table: name, part of the key or not, its place there, type.
pub(super) type Stand = BTreeMap<String, Vec<(String, String, i32, String)>>;

pub(super) async fn stand(session: &Session, options: &Options) -> Result<Stand, Error> {
    let failed =
        |why: String| Error::server(format!("read the tables of the keyspace {}", options.keyspace), why);
    let answer = session.query_unpaged(cql::COLUMNS, (&options.keyspace,)).await;
    let rows = answer.map_err(|error| failed(error.to_string()))?.into_rows_result();
    let rows = rows.map_err(|error| failed(error.to_string()))?;
    let mut stand = Stand::new();
    let rows =
        rows.rows::<(String, String, String, i32, String)>().map_err(|error| failed(error.to_string()))?;
    for row in rows {
        let (table, column, kind, position, of_type) = row.map_err(|error| failed(error.to_string()))?;
        stand.entry(table).or_default().push((column, kind, position, of_type));
    }
    Ok(stand)
}

/// What must be said to make a table as it has to be, or add the columns it lacks. Nothing where it is another table.
pub(super) fn lacks(options: &Options, table: &Table, stand: &Stand) -> Vec<String> {
    match stand.get(&table.name) {
        _ if OWN.contains(&table.name.as_str()) => Vec::new(),
        None => vec![statement::create(&options.keyspace, table)],
        stands if differs(table, stands).is_some() => Vec::new(),
        Some(columns) => {
            let is_there = |column: &&Column| columns.iter().any(|(name, ..)| *name == column.name);
            let lacking = table.values.iter().filter(|column| !is_there(column));
            lacking.map(|column| statement::add(&options.keyspace, table, column)).collect()
        }
    }
}

/// Why a table that stands is not the one to be written.
pub(super) fn differs(table: &Table, stands: Option<&Vec<(String, String, i32, String)>>) -> Option<String> {
    if OWN.contains(&table.name.as_str()) {
        return Some("Souk keeps its state in the table of that name".to_owned());
    }
    let Some(stands) = stands else { return Some("it was not made".to_owned()) };
    let keys = [("partition_key", &table.partition), ("clustering", &table.clustering)];
    for (part, columns) in keys {
        let mut found: Vec<_> = stands.iter().filter(|(_, kind, ..)| kind == part).collect();
        found.sort_by_key(|(_, _, position, _)| *position);
        let wanted = columns.iter().map(|column| (column.name.as_str(), statement::type_of(column.kind)));
        if !found.iter().map(|(name, _, _, of_type)| (name.as_str(), of_type.as_str())).eq(wanted) {
            return Some(format!("its {part} is {found:?}, not {columns:?}"));
        }
    }
    table.values.iter().find_map(|column| {
        let (_, _, _, of_type) = stands.iter().find(|(name, ..)| *name == column.name)?;
        (of_type != statement::type_of(column.kind)).then(|| {
            format!("its column {} is {of_type}, not {}", column.name, statement::type_of(column.kind))
        })
    })
}

/// Two views of one table name.
fn taken(declared: &Declared, table: &Table) -> Option<String> {
    let other = declared.0.get(&table.name)?;
    (other.shape.table != *table)
        .then(|| "another view has a table of that name, with other columns".to_owned())
}

/// Changes the schema, one node at a time.
pub(super) async fn make(session: &Session, options: &Options, changes: Vec<String>) -> Result<(), Error> {
    let failed = |why: String| Error::server("make tables", why);
    let agreement = Agreement::of(options);
    let begin = agreement.conditional(cql::begin_making_tables(&options.keyspace));
    let answer = session.query_unpaged(begin, (cql::MAKING_TABLES,)).await;
    let rows = answer.map_err(|error| failed(error.to_string()))?.into_rows_result();
    let row: Row = rows
        .map_err(|error| failed(error.to_string()))?
        .first_row()
        .map_err(|error| failed(error.to_string()))?;
    if row.columns.first() != Some(&Some(CqlValue::Boolean(true))) {
        return Err(failed("another node makes tables".to_owned()));
    }
    let mut made = Ok(());
    for change in changes {
        let mut statement = Statement::new(change);
        statement.set_request_timeout(Some(SCHEMA_TIMEOUT));
        made =
            session.query_unpaged(statement, ()).await.map(drop).map_err(|error| failed(error.to_string()));
        if made.is_err() {
            break;
        }
    }
    let done = agreement.conditional(cql::done_making_tables(&options.keyspace));
    // If that fails it ends by itself.
    session.query_unpaged(done, (cql::MAKING_TABLES,)).await.ok();
    made
}
