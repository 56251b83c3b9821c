//! Why the store's file cannot be opened or checked, and the way out of it.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "{} is in use by another process: stop that node, or give this one a data directory of its own",
        path.display()
    )]
    InUse { path: PathBuf },
    #[error(
        "{} is damaged ({what}): restore it from a backup, or move it away and start again, then every shard is folded anew \
         from what its journal retains",
        path.display()
    )]
    Damaged { path: PathBuf, what: String },
    #[error(
        "{} is data of a newer build (format {found}, this build reads up to {newest}): start that build",
        path.display()
    )]
    Newer { path: PathBuf, found: u64, newest: u64 },
    #[error("{} was not closed in order: start the node once, it repairs the file", path.display())]
    NotClosed { path: PathBuf },
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl Error {
    /// Any of redb's errors, about this file.
    pub(crate) fn of(path: &Path, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse { path },
            redb::Error::RepairAborted => Self::NotClosed { path },
            redb::Error::Io(error) if !is_damage(&error) => Self::Io { path, error },
            error => Self::Damaged { path, what: error.to_string() },
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.to_string() }
    }
}

/// What a file that is no redb file, or is cut short, reads as.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
