//! The file, opened: it may fail at any moment (a full disk), after which redb wants it opened anew.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase as _, StorageError, WriteTransaction,
};
use souk_model::actor::StateError;
use souk_model::cut::manifest::Manifest;

use crate::Error;
use crate::limits::CACHE_BYTES;
use crate::schema::{self, Tables};

/// How the file is opened; tests put a disk beneath it that fails.
type Opener = Box<dyn Fn(&Builder, &Path) -> Result<Database, DatabaseError> + Send + Sync>;

/// One file and, while it works, the database in it.
pub(crate) struct File {
    path: PathBuf,
    opener: Opener,
    database: RwLock<Option<Database>>,
}

impl File {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Box::new(|builder, path| builder.create(path)))
    }

    /// Opens the file and looks whether this build can read what is in it.
    pub(crate) fn open_with(path: &Path, opener: Opener) -> Result<Self, Error> {
        // redb trusts a file that was closed in order, and may panic when somebody changed it since.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = opener(&builder(), path).map_err(|error| Error::of(path, error))?;
            is_readable(path, &database)?;
            Ok(database)
        }));
        let database =
            opened.unwrap_or_else(|_| Err(Error::damaged(path, "its pages contradict each other")))?;
        Ok(Self { path: path.to_owned(), opener, database: RwLock::new(Some(database)) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A view of what is committed now.
    pub(crate) fn read(&self) -> Result<ReadTransaction, redb::Error> {
        Ok(self.opened().as_ref().ok_or(StorageError::DatabaseClosed)?.begin_read()?)
    }

    pub(crate) fn write(&self) -> Result<WriteTransaction, redb::Error> {
        Ok(self.opened().as_ref().ok_or(StorageError::DatabaseClosed)?.begin_write()?)
    }

    /// Lets go of the database and opens its file again. Reads under way fail.
    pub(crate) fn reopen(&self) -> Result<(), redb::Error> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // First: redb holds a lock on the file.
        *database = None;
        *database = Some((self.opener)(&builder(), &self.path)?);
        Ok(())
    }

    /// Closes the file: whoever reads it now gets an error.
    pub(crate) fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A panic of redb leaves nothing of ours half done behind this lock.
    fn opened(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(&self.path).finish()
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Prepares a new file; refuses one of a newer build, and one whose manifests do not read.
fn is_readable(path: &Path, database: &Database) -> Result<(), Error> {
    let transaction = database.begin_write().map_err(|error| Error::of(path, error))?;
    let found = schema::prepare(&transaction).map_err(|error| Error::of(path, error))?;
    if found > schema::FORMAT {
        return Err(Error::Newer { path: path.to_owned(), found, newest: schema::FORMAT });
    }
    transaction.commit().map_err(|error| Error::of(path, error))?;
    let transaction = database.begin_read().map_err(|error| Error::of(path, error))?;
    let tables = Tables::read(&transaction).map_err(|error| Error::of(path, error))?;
    manifests(path, &tables).map(drop)
}

/// Every manifest of the file, or why one cannot be read.
pub(crate) fn manifests(path: &Path, tables: &Tables) -> Result<Vec<Manifest>, Error> {
    let mut found = Vec::new();
    for bytes in tables.manifests().map_err(|error| Error::of(path, error))? {
        found.push(Manifest::decode(&bytes).map_err(|error| unreadable(path, error))?);
    }
    Ok(found)
}

pub(crate) fn unreadable(path: &Path, error: StateError) -> Error {
    match error {
        StateError::Newer { found, newest } => {
            Error::Newer { path: path.to_owned(), found: found.into(), newest: newest.into() }
        }
        error => Error::damaged(path, error),
    }
}
