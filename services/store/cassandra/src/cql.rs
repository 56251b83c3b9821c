//! Every word that is said to the server. Only what Cassandra 5 and ScyllaDB both understand.
//!
//! Of Scylla's own: a keyspace whose tables are tablets takes conditional writes only in newer versions; for older ones make the keyspace
//! without them first, `migrate` leaves a keyspace that is there as it is.

use std::sync::Arc;

use scylla::client::session::Session;
use scylla::errors::PrepareError;
use scylla::policies::retry::DefaultRetryPolicy;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency, Statement};

use crate::limits::{MAKING_TABLES_SECONDS, PAGE_CHUNKS, REMEMBERED_DELETE_SECONDS};
use crate::options::{Options, Replication};

/// The table of the schema's own version, and the name of its one row.
pub(crate) const VERSION_TABLE: &str = "schema_version";
pub(crate) const VERSION_ROW: &str = "souk";

/// Whether the version's table is there: asked where nothing may be.
pub(crate) const HAS_VERSION_TABLE: &str =
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";

pub(crate) fn create_keyspace(options: &Options) -> String {
    let replication = match &options.replication {
        Replication::Simple(copies) => format!("'class': 'SimpleStrategy', 'replication_factor': {copies}"),
        Replication::PerDatacenter(datacenters) => {
            let copies = datacenters.iter().map(|(name, copies)| format!(", '{name}': {copies}"));
            format!("'class': 'NetworkTopologyStrategy'{}", copies.collect::<String>())
        }
    };
    format!("CREATE KEYSPACE IF NOT EXISTS {} WITH replication = {{{replication}}}", options.keyspace)
}

pub(crate) fn create_version_table(keyspace: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.{VERSION_TABLE} (name text PRIMARY KEY, version int, datacenter text)"
    )
}

pub(crate) fn create_tables(keyspace: &str) -> [String; 2] {
    let manifests = format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.manifests (journal tinyint, shard int, epoch bigint, cut bigint, manifest blob, \
         PRIMARY KEY ((journal, shard)))"
    );
    // A section is one partition: few rows, read together. Levelled: what is read together soon lies together.
    let segments = format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.segments (journal tinyint, shard int, section int, cut bigint, epoch bigint, \
         chunk int, chunks int, base boolean, bytes blob, PRIMARY KEY ((journal, shard, section), cut, epoch, chunk)) \
         WITH gc_grace_seconds = {REMEMBERED_DELETE_SECONDS} AND compaction = {{'class': 'LeveledCompactionStrategy'}}"
    );
    [manifests, segments]
}

pub(crate) fn version(keyspace: &str) -> String {
    format!("SELECT version, datacenter FROM {keyspace}.{VERSION_TABLE} WHERE name = ?")
}

pub(crate) fn insert_version(keyspace: &str) -> String {
    format!(
        "INSERT INTO {keyspace}.{VERSION_TABLE} (name, version, datacenter) VALUES (?, ?, ?) IF NOT EXISTS"
    )
}

pub(crate) fn read_manifest(keyspace: &str) -> String {
    format!("SELECT manifest FROM {keyspace}.manifests WHERE journal = ? AND shard = ?")
}

pub(crate) fn insert_manifest(keyspace: &str) -> String {
    format!(
        "INSERT INTO {keyspace}.manifests (epoch, cut, manifest, journal, shard) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS"
    )
}

/// A write that is not applied is answered with the columns its condition names: that is why the manifest is among them. No manifest
/// that is there is null.
pub(crate) fn update_manifest(keyspace: &str, condition: &str) -> String {
    format!(
        "UPDATE {keyspace}.manifests SET epoch = ?, cut = ?, manifest = ? WHERE journal = ? AND shard = ? \
         IF {condition} AND manifest != null"
    )
}

pub(crate) const IF_EPOCH: &str = "epoch = ?";
pub(crate) const IF_EPOCH_AND_CUT: &str = "epoch = ? AND cut = ?";

pub(crate) fn write_chunk(keyspace: &str) -> String {
    format!(
        "INSERT INTO {keyspace}.segments (journal, shard, section, cut, epoch, chunk, chunks, base, bytes) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
    )
}

pub(crate) fn read_section(keyspace: &str) -> String {
    format!(
        "SELECT cut, epoch, chunk, chunks, base, bytes FROM {keyspace}.segments \
         WHERE journal = ? AND shard = ? AND section = ?"
    )
}

pub(crate) fn delete_segment(keyspace: &str) -> String {
    format!(
        "DELETE FROM {keyspace}.segments USING TIMESTAMP ? \
         WHERE journal = ? AND shard = ? AND section = ? AND cut = ? AND epoch = ?"
    )
}

/// The row of the version's table that stands while somebody makes tables that people read: two changes of one table at once would make
/// two tables of one name.
pub(crate) const MAKING_TABLES: &str = "making tables";

pub(crate) fn begin_making_tables(keyspace: &str) -> String {
    format!(
        "INSERT INTO {keyspace}.{VERSION_TABLE} (name) VALUES (?) IF NOT EXISTS USING TTL {MAKING_TABLES_SECONDS}"
    )
}

pub(crate) fn done_making_tables(keyspace: &str) -> String {
    format!("DELETE FROM {keyspace}.{VERSION_TABLE} WHERE name = ? IF EXISTS")
}

/// Columns of every table there is.
pub(crate) const COLUMNS: &str =
    "SELECT table_name, column_name, kind, position, type FROM system_schema.columns WHERE keyspace_name = ?";

/// Who must agree: a majority in one datacenter, or of all copies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agreement {
    pub(crate) quorum: Consistency,
    pub(crate) serial: SerialConsistency,
    pub(crate) serial_read: Consistency,
}

impl Agreement {
    pub(crate) fn of(options: &Options) -> Self {
        match options.datacenter {
            Some(_) => Self {
                quorum: Consistency::LocalQuorum,
                serial: SerialConsistency::LocalSerial,
                serial_read: Consistency::LocalSerial,
            },
            None => Self {
                quorum: Consistency::Quorum,
                serial: SerialConsistency::Serial,
                serial_read: Consistency::Serial,
            },
        }
    }

    /// Never repeated by the driver.
    pub(crate) fn conditional(self, text: String) -> Statement {
        let mut statement = Statement::new(text);
        statement.set_consistency(self.quorum);
        statement.set_serial_consistency(Some(self.serial));
        statement
    }

    pub(crate) fn serial_read(self, text: String) -> Statement {
        let mut statement = Statement::new(text);
        statement.set_consistency(self.serial_read);
        statement
    }

    /// May be said twice, so the driver may try the next server when one is lost.
    pub(crate) fn repeatable(self, text: String) -> Statement {
        let mut statement = Statement::new(text).with_page_size(PAGE_CHUNKS);
        statement.set_consistency(self.quorum);
        statement.set_is_idempotent(true);
        statement.set_retry_policy(Some(Arc::new(DefaultRetryPolicy::new())));
        statement
    }
}

/// What a store says while it runs, known to the servers.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) read_manifest: PreparedStatement,
    pub(crate) insert_manifest: PreparedStatement,
    pub(crate) update_if_epoch: PreparedStatement,
    pub(crate) update_if_epoch_and_cut: PreparedStatement,
    pub(crate) write_chunk: PreparedStatement,
    pub(crate) read_section: PreparedStatement,
    pub(crate) delete_segment: PreparedStatement,
}

impl Prepared {
    pub(crate) async fn on(session: &Session, options: &Options) -> Result<Self, PrepareError> {
        let (keyspace, agreement) = (options.keyspace.as_str(), Agreement::of(options));
        let prepare = |statement| session.prepare(statement);
        let update = |condition| prepare(agreement.conditional(update_manifest(keyspace, condition)));
        Ok(Self {
            read_manifest: prepare(agreement.serial_read(read_manifest(keyspace))).await?,
            insert_manifest: prepare(agreement.conditional(insert_manifest(keyspace))).await?,
            update_if_epoch: update(IF_EPOCH).await?,
            update_if_epoch_and_cut: update(IF_EPOCH_AND_CUT).await?,
            write_chunk: prepare(agreement.repeatable(write_chunk(keyspace))).await?,
            read_section: prepare(agreement.repeatable(read_section(keyspace))).await?,
            delete_segment: prepare(agreement.repeatable(delete_segment(keyspace))).await?,
        })
    }
}
