//! The machine's disk.

use std::fs;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, File};
use crate::Error;

/// Parts the kernel takes in one call.
const PARTS: usize = 1_024;
const LOCK: &str = "lock";

#[derive(Debug)]
pub(crate) struct RealDisk {
    dir: PathBuf,
    /// The directory itself, to sync its names.
    handle: fs::File,
}

impl RealDisk {
    /// Makes the directory if it is not there, and takes it for this process until the lock is dropped.
    pub(crate) fn take(dir: &Path) -> Result<(Self, Lock), Error> {
        let failed = |doing| move |source| Error::Io { doing, path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed("make"))?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(failed("sync the parent of"))?;
        }
        let lock = fs::File::create(dir.join(LOCK)).map_err(failed("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::InUse { dir: dir.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let handle = fs::File::open(dir).map_err(failed("open"))?;
        Ok((Self { dir: dir.to_owned(), handle }, Lock(lock)))
    }
}

/// Held: no other process writes here.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its drop")] fs::File);

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let names =
            fs::read_dir(&self.dir)?.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(true).open(self.dir.join(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).open(self.dir.join(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

#[derive(Debug)]
struct RealFile(fs::File);

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.0.read_at(into, at)
    }

    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(&self.0, &parts[..parts.len().min(PARTS)], at)?)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fdatasync(&self.0)?)
    }

    fn forget(&self) {
        if let Err(error) = rustix::fs::fadvise(&self.0, 0, None, rustix::fs::Advice::DontNeed) {
            tracing::debug!(%error, "the system takes no advice");
        }
    }
}
