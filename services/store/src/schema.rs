//! What lies in the file: three tables, their keys and values.

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableTable as _, StorageError, Table, TableDefinition, TableError,
    WriteTransaction,
};
use souk_model::cut::manifest::Manifest;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::{Journal, ShardId};

/// Format of the file: which tables it has and how they are keyed. Manifests and segments carry their own beside it.
pub(crate) const FORMAT: u64 = 1;
const FORMAT_KEY: &str = "format";

/// Journal and partition.
type ShardKey = (u8, u16);
/// Journal, partition, section, cut, epoch: the segments of a section lie side by side.
type SegmentKey = (u8, u16, u16, u64, u64);
/// Whether it is a base, and its blob.
type SegmentValue = (bool, &'static [u8]);

const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
/// `souk.state.v1.Manifest` by shard.
const MANIFESTS: TableDefinition<'_, ShardKey, &[u8]> = TableDefinition::new("manifests");
const SEGMENTS: TableDefinition<'_, SegmentKey, SegmentValue> = TableDefinition::new("segments");

/// Numbers that stand in files: never change one.
fn shard_key(shard: ShardId) -> ShardKey {
    let journal = match shard.journal {
        Journal::Users => 0,
        Journal::Products => 1,
    };
    (journal, shard.partition)
}

fn segment_key(shard: ShardId, id: SegmentId) -> SegmentKey {
    let (journal, partition) = shard_key(shard);
    (journal, partition, id.section, id.cut, id.epoch)
}

/// Makes the tables that are not there, and names the format of a file that has none. Answers the file's format.
pub(crate) fn prepare(transaction: &WriteTransaction) -> Result<u64, redb::Error> {
    let mut about = transaction.open_table(ABOUT)?;
    if let Some(format) = about.get(FORMAT_KEY)?.map(|format| format.value()) {
        // The tables of another format are none of ours.
        return Ok(format);
    }
    about.insert(FORMAT_KEY, FORMAT)?;
    transaction.open_table(MANIFESTS)?;
    transaction.open_table(SEGMENTS)?;
    Ok(FORMAT)
}

/// The tables as one committed transaction left them.
pub(crate) struct Tables {
    manifests: ReadOnlyTable<ShardKey, &'static [u8]>,
    segments: ReadOnlyTable<SegmentKey, SegmentValue>,
}

impl Tables {
    pub(crate) fn read(transaction: &ReadTransaction) -> Result<Self, TableError> {
        Ok(Self {
            manifests: transaction.open_table(MANIFESTS)?,
            segments: transaction.open_table(SEGMENTS)?,
        })
    }

    /// The manifest's bytes.
    pub(crate) fn manifest(&self, shard: ShardId) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.manifests.get(shard_key(shard))?.map(|bytes| bytes.value().to_vec()))
    }

    /// Every manifest's bytes.
    pub(crate) fn manifests(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        self.manifests.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect()
    }

    /// Every segment of a section.
    pub(crate) fn section(
        &self,
        shard: ShardId,
        section: u16,
        into: &mut Vec<Segment>,
    ) -> Result<(), StorageError> {
        let name = |cut, epoch| segment_key(shard, SegmentId { section, cut, epoch });
        for row in self.segments.range(name(0, 0)..=name(u64::MAX, u64::MAX))? {
            let (key, value) = row?;
            into.push(segment(key.value(), value.value()));
        }
        Ok(())
    }

    /// Every segment of every shard, one after the other.
    pub(crate) fn segments(
        &self,
    ) -> Result<impl Iterator<Item = Result<Segment, StorageError>>, StorageError> {
        Ok(self.segments.iter()?.map(|row| row.map(|(key, value)| segment(key.value(), value.value()))))
    }
}

fn segment((_, _, section, cut, epoch): SegmentKey, (base, blob): (bool, &[u8])) -> Segment {
    Segment { id: SegmentId { section, cut, epoch }, base, blob: blob.to_vec().into() }
}

/// The tables within a transaction that changes them.
pub(crate) struct Changing<'t> {
    manifests: Table<'t, ShardKey, &'static [u8]>,
    segments: Table<'t, SegmentKey, SegmentValue>,
}

impl<'t> Changing<'t> {
    pub(crate) fn of(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            manifests: transaction.open_table(MANIFESTS)?,
            segments: transaction.open_table(SEGMENTS)?,
        })
    }

    pub(crate) fn manifest(&self, shard: ShardId) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.manifests.get(shard_key(shard))?.map(|bytes| bytes.value().to_vec()))
    }

    pub(crate) fn put_manifest(&mut self, manifest: &Manifest) -> Result<(), StorageError> {
        self.manifests.insert(shard_key(manifest.shard), manifest.encode().as_slice())?;
        Ok(())
    }

    pub(crate) fn put_segment(&mut self, shard: ShardId, segment: &Segment) -> Result<(), StorageError> {
        self.segments.insert(segment_key(shard, segment.id), (segment.base, segment.blob.as_ref()))?;
        Ok(())
    }

    pub(crate) fn delete_segment(&mut self, shard: ShardId, id: SegmentId) -> Result<(), StorageError> {
        self.segments.remove(segment_key(shard, id))?;
        Ok(())
    }
}

/// The format of the file.
pub(crate) fn format(transaction: &ReadTransaction) -> Result<Option<u64>, redb::Error> {
    Ok(transaction.open_table(ABOUT)?.get(FORMAT_KEY)?.map(|format| format.value()))
}
