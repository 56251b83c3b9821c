//! Tables in Cassandra, read as anybody reads them: plain CQL, whole tables, a page at a time. The one place that speaks to Cassandra.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use futures_util::TryStreamExt as _;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::value::{CqlValue, Row as CqlRow};

use crate::limits;
use crate::oracle::published::{self, Datum, Published, Row};

/// Where nodes write their tables.
#[derive(Debug, Clone)]
pub struct TablesAt {
    /// Servers, host:port, separated by commas.
    pub servers: String,
    pub keyspace: String,
}

/// A way to read them.
#[derive(Debug)]
pub struct Tables {
    session: Session,
    keyspace: String,
}

impl TablesAt {
    pub async fn connect(&self) -> Result<Tables> {
        let session = SessionBuilder::new()
            .known_nodes(self.servers.split(','))
            .connection_timeout(limits::TRY)
            .build()
            .await
            .with_context(|| format!("connecting to Cassandra at {}", self.servers))?;
        Ok(Tables { session, keyspace: self.keyspace.clone() })
    }
}

impl Tables {
    /// Every row of every table.
    pub async fn read(&self) -> Result<Published> {
        let mut published = Published::default();
        for table in published::names() {
            let rows = self.rows(table).await.with_context(|| format!("reading the table {table}"))?;
            published.read(table, rows);
        }
        Ok(published)
    }

    /// A column of the hours of each product, added up.
    pub async fn of_products(&self, column: &str) -> Result<BTreeMap<String, i64>> {
        let mut sums = BTreeMap::new();
        for row in self.rows("products_hourly").await? {
            let named = |name: &str| match row.get(name) {
                Some(Datum::Text(text)) => text.as_str(),
                _ => "",
            };
            // Rows of a whole category, or of the shop, name no product.
            if let Some(Datum::Whole(number)) = row.get(column)
                && named("category").is_empty()
                && !named("product").is_empty()
            {
                *sums.entry(named("product").to_owned()).or_default() += number;
            }
        }
        Ok(sums)
    }

    async fn rows(&self, table: &str) -> Result<Vec<Row>> {
        let pager = self.session.query_iter(format!("SELECT * FROM {}.{table}", self.keyspace), ()).await?;
        let columns: Vec<String> =
            pager.column_specs().iter().map(|column| column.name().to_owned()).collect();
        let mut stream = pager.rows_stream::<CqlRow>()?;
        let mut rows = Vec::new();
        while let Some(row) = stream.try_next().await? {
            if rows.len() == limits::TABLE_ROWS {
                bail!("it has more than {} rows", limits::TABLE_ROWS);
            }
            let named = columns.iter().zip(row.columns);
            let there = named.filter_map(|(column, value)| Some((column, value?)));
            rows.push(
                there.map(|(column, value)| Ok((column.clone(), datum(value)?))).collect::<Result<Row>>()?,
            );
        }
        Ok(rows)
    }
}

fn datum(value: CqlValue) -> Result<Datum> {
    Ok(match value {
        CqlValue::Text(text) => Datum::Text(text),
        CqlValue::BigInt(number) => Datum::Whole(number),
        CqlValue::Double(number) => Datum::Double(number),
        CqlValue::Timestamp(at) => Datum::Whole(at.0),
        other => bail!("{other:?} is of a kind no table has"),
    })
}
