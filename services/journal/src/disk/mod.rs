//! What the journal needs of a disk, as narrow as it gets: tests put one below it that loses, tears, reorders and fails.

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::sync::Arc;

mod real;

pub(crate) use real::{Lock, RealDisk};

/// One directory.
pub(crate) trait Disk: Send + Sync + Debug {
    fn list(&self) -> io::Result<Vec<String>>;
    /// An empty file of this name, whatever was there. The name is durable after [`Disk::sync_dir`].
    fn create(&self, name: &str) -> io::Result<Arc<dyn File>>;
    fn open(&self, name: &str) -> io::Result<Arc<dyn File>>;
    /// Replaces what has the name `to`, in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable: created, renamed and removed ones.
    fn sync_dir(&self) -> io::Result<()>;
}

/// One file.
pub(crate) trait File: Send + Sync + Debug {
    fn len(&self) -> io::Result<u64>;
    /// Fills as much of `into` as the file has; says how much.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;
    /// Writes a beginning of `parts`; says how much.
    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize>;
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes contents and length durable.
    fn sync(&self) -> io::Result<()>;
    /// The system need not keep it in memory. Advice: nothing depends on it.
    fn forget(&self);
}

/// Writes all of it.
pub(crate) fn write_all(file: &dyn File, mut parts: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match file.write_at(parts, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                at += written as u64;
                IoSlice::advance_slices(&mut parts, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads `len` bytes, fewer only where the file ends.
pub(crate) fn read_most(file: &dyn File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The disk has no room: known to be so, and it may have some again.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
