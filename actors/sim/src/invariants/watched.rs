//! I5: a watcher never goes backwards in version or position, across owners and resumes, and reaches the last state.

use super::Violation;

/// What a watcher was shown: the version of what it watches, read at a position of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    pub position: u64,
    pub version: i64,
    pub digest: u64,
}

/// What comes next may not be older; the same position shows the same.
pub fn goes_on(key: &str, before: Shown, next: Shown) -> Result<(), Violation> {
    let backwards = next.position < before.position || next.version < before.version;
    let differs = next.version == before.version && next.digest != before.digest;
    if backwards || differs {
        return Err(Violation::new("I5", format!("watcher of {key}: after {before:?} came {next:?}")));
    }
    Ok(())
}

/// The last thing shown is what stands.
pub fn arrived(key: &str, last: Shown, stands: Shown) -> Result<(), Violation> {
    if (last.version, last.digest) == (stands.version, stands.digest) {
        return Ok(());
    }
    Err(Violation::new("I5", format!("watcher of {key}: ended with {last:?}, but {stands:?} stands")))
}
