//! The schema: made by `migrate`, known by its version, refused by every store it is not made for.

use scylla::client::session::Session;
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::response::query_result::QueryRowsResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::Statement;

use crate::Error;
use crate::client::connect;
use crate::cql::{self, Agreement, VERSION_ROW, VERSION_TABLE};
use crate::limits::SCHEMA_TIMEOUT;
use crate::options::Options;

/// The version this build makes and needs. Manifests and segments carry their own formats beside it.
pub(crate) const VERSION: i32 = 1;

/// What a keyspace says of itself.
struct Stands {
    version: i32,
    /// Where conditional writes are settled; empty: across all datacenters.
    datacenter: String,
}

/// Makes the keyspace and its tables, as far as they are not there. Harmless to repeat; run by one at a time, for servers do not take two
/// changes of a schema at once. Refuses a schema newer than its own before it changes anything in it.
pub async fn migrate(options: &Options) -> Result<(), Error> {
    options.check()?;
    let session = connect(options).await?;
    change(&session, options, cql::create_keyspace(options)).await?;
    change(&session, options, cql::create_version_table(&options.keyspace)).await?;
    let stands = read(&session, options).await?;
    if let Some(stands) = &stands {
        stands.refuse_newer(options)?;
        stands.refuse_other_datacenter(options)?;
    }
    for table in cql::create_tables(&options.keyspace) {
        change(&session, options, table).await?;
    }
    if stands.is_some() {
        return Ok(());
    }
    // Last: where a version stands, everything does.
    let statement = Agreement::of(options).conditional(cql::insert_version(&options.keyspace));
    ask(&session, options, statement, (VERSION_ROW, VERSION, own_datacenter(options))).await?;
    check(&session, options).await
}

/// Whether this build may work on what stands there.
pub(crate) async fn check(session: &Session, options: &Options) -> Result<(), Error> {
    let keyspace = || options.keyspace.clone();
    let table = Statement::new(cql::HAS_VERSION_TABLE);
    let found = ask(session, options, table, (&options.keyspace, VERSION_TABLE)).await?;
    if found.is_none_or(|rows| rows.rows_num() == 0) {
        return Err(Error::NoSchema { keyspace: keyspace() });
    }
    let stands = read(session, options).await?.ok_or_else(|| Error::NoSchema { keyspace: keyspace() })?;
    stands.refuse_newer(options)?;
    if stands.version < VERSION {
        return Err(Error::Older { keyspace: keyspace(), found: stands.version, newest: VERSION });
    }
    stands.refuse_other_datacenter(options)
}

impl Stands {
    fn refuse_newer(&self, options: &Options) -> Result<(), Error> {
        if self.version > VERSION {
            let keyspace = options.keyspace.clone();
            return Err(Error::Newer { keyspace, found: self.version, newest: VERSION });
        }
        Ok(())
    }

    fn refuse_other_datacenter(&self, options: &Options) -> Result<(), Error> {
        let wanted = own_datacenter(options);
        if self.datacenter != wanted {
            let keyspace = options.keyspace.clone();
            let (found, wanted) = (self.datacenter.clone(), wanted.to_owned());
            return Err(Error::OtherDatacenter { keyspace, found, wanted });
        }
        Ok(())
    }
}

fn own_datacenter(options: &Options) -> &str {
    options.datacenter.as_deref().unwrap_or_default()
}

async fn read(session: &Session, options: &Options) -> Result<Option<Stands>, Error> {
    let statement = Agreement::of(options).serial_read(cql::version(&options.keyspace));
    let Some(rows) = ask(session, options, statement, (VERSION_ROW,)).await? else { return Ok(None) };
    let row = rows.maybe_first_row::<(i32, String)>().map_err(|error| failed(options, error))?;
    Ok(row.map(|(version, datacenter)| Stands { version, datacenter }))
}

async fn change(session: &Session, options: &Options, text: String) -> Result<(), Error> {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(SCHEMA_TIMEOUT));
    ask(session, options, statement, ()).await.map(drop)
}

/// Rows, if the answer has any.
async fn ask(
    session: &Session,
    options: &Options,
    statement: Statement,
    values: impl SerializeRow,
) -> Result<Option<QueryRowsResult>, Error> {
    match session.query_unpaged(statement, values).await {
        Ok(answer) if answer.is_rows() => {
            answer.into_rows_result().map(Some).map_err(|error| failed(options, error))
        }
        Ok(_) => Ok(None),
        Err(ExecutionError::LastAttemptError(RequestAttemptError::DbError(DbError::Unauthorized, why))) => {
            Err(Error::Refused { nodes: options.addresses(), why })
        }
        Err(error) => Err(failed(options, error)),
    }
}

fn failed(options: &Options, why: impl ToString) -> Error {
    Error::server(format!("read or make the schema of the keyspace {}", options.keyspace), why)
}
