//! The data directory: one process at a time. A lock file in it, held by the system for as long as the process lives, names it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Name of the lock file.
const LOCK: &str = "souk.lock";

/// A data directory that is ours. Dropping it gives it back, and removes it if it was made for this process alone.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
    /// Removed after the lock is gone.
    _temporary: Option<tempfile::TempDir>,
}

impl DataDir {
    /// A directory to keep; made if it is not there.
    pub(crate) fn kept(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path).with_context(|| format!("{}", path.display()))?;
        Ok(Self { path: path.to_owned(), _lock: lock(path)?, _temporary: None })
    }

    /// A directory for this process alone.
    pub(crate) fn temporary() -> anyhow::Result<Self> {
        let temporary =
            tempfile::Builder::new().prefix("souk-dev-").tempdir().context("no temporary directory")?;
        let path = temporary.path().to_owned();
        Ok(Self { _lock: lock(&path)?, path, _temporary: Some(temporary) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join(LOCK);
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.with_context(|| format!("{}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => bail!("{} is in use by souk, process {}", dir.display(), holder(&mut file)),
        Err(error) => bail!("{} cannot be locked: {error}", path.display()),
    }
    let written =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    written.with_context(|| format!("{}", path.display()))?;
    Ok(file)
}

/// Who holds a lock: what the holder wrote.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(32).read_to_string(&mut text) {
        Ok(_) if text.parse::<u32>().is_ok() => text,
        _ => "of unknown id".to_owned(),
    }
}

/// Who holds the directory now, for `souk doctor`; none: nobody.
pub(crate) fn held_by(dir: &Path) -> std::io::Result<Option<String>> {
    let mut file = match File::open(dir.join(LOCK)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => Ok(Some(holder(&mut file))),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_process_s_at_a_time() {
        let dir = tempfile::tempdir().expect("a directory");
        let ours = DataDir::kept(dir.path()).expect("free");
        let pid = std::process::id();
        let error = DataDir::kept(dir.path()).expect_err("held").to_string();
        assert_eq!(error, format!("{} is in use by souk, process {pid}", dir.path().display()));
        assert_eq!(held_by(dir.path()).expect("readable"), Some(pid.to_string()));
        drop(ours);
        assert_eq!(held_by(dir.path()).expect("readable"), None);
        DataDir::kept(dir.path()).expect("free again");
    }

    #[test]
    fn a_temporary_directory_goes_with_its_owner() {
        let dir = DataDir::temporary().expect("a directory");
        let path = dir.path().to_owned();
        assert!(path.is_dir());
        drop(dir);
        assert!(!path.exists());
    }
}
