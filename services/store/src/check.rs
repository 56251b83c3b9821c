//! The doctor's look at a store nobody has open: reads everything, changes nothing.

use std::path::Path;

use redb::{Builder, ReadableDatabase as _};

use crate::Error;
use crate::database::{manifests, unreadable};
use crate::limits::CACHE_BYTES;
use crate::schema::{self, Tables};

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Shards with a manifest.
    pub shards: u64,
    pub segments: u64,
    /// Bytes of the segments.
    pub bytes: u64,
    /// Segments whose checksum or envelope is wrong.
    pub damaged: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// Reads every manifest and every segment of the file. A damaged segment is counted: only its shard's cut suffers, if a manifest
/// names it at all. Anything else that does not read is an error.
pub fn check(path: impl AsRef<Path>) -> Result<Checked, Error> {
    let path = path.as_ref();
    let look = || look(path);
    std::panic::catch_unwind(look)
        .unwrap_or_else(|_| Err(Error::damaged(path, "its pages contradict each other")))
}

fn look(path: &Path) -> Result<Checked, Error> {
    let of = |error| Error::of(path, error);
    let length = std::fs::metadata(path).map_err(|error| Error::Io { path: path.to_owned(), error })?;
    let database =
        Builder::new().set_cache_size(CACHE_BYTES).open_read_only(path).map_err(|error| of(error.into()))?;
    let transaction = database.begin_read().map_err(|error| of(error.into()))?;
    let found = schema::format(&transaction).map_err(of)?.unwrap_or_default();
    if found > schema::FORMAT {
        return Err(Error::Newer { path: path.to_owned(), found, newest: schema::FORMAT });
    }
    let tables = Tables::read(&transaction).map_err(|error| of(error.into()))?;
    let mut checked = Checked {
        shards: manifests(path, &tables)?.len() as u64,
        file_bytes: length.len(),
        ..Checked::default()
    };
    for segment in tables.segments().map_err(|error| of(error.into()))? {
        let segment = segment.map_err(|error| of(error.into()))?;
        checked.segments += 1;
        checked.bytes += segment.blob.len() as u64;
        match segment.open() {
            Ok(_) => {}
            Err(error @ souk_model::actor::StateError::Newer { .. }) => return Err(unreadable(path, error)),
            Err(_) => checked.damaged += 1,
        }
    }
    Ok(checked)
}
