//! Processor time and memory of one process, from `/proc`. The unit of work on a shared machine: wall time tells how busy the others
//! were, processor time what the work cost.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Sub;
use std::time::Duration;

use anyhow::{Context, Result};

/// What a tick of `/proc/PID/stat` is worth: the kernel's USER_HZ, 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What a process had used up to a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub user: Duration,
    pub system: Duration,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        parse_stat(&text).with_context(|| format!("{path} does not read as expected"))
    }

    pub fn of_this_process() -> Result<Self> {
        Self::of(std::process::id())
    }

    pub fn total(self) -> Duration {
        self.user + self.system
    }

    /// Seconds a million of something took, when `count` of it was done.
    pub fn per_million(self, count: u64) -> f64 {
        self.total().as_secs_f64() * 1e6 / (count.max(1) as f64)
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }
}

/// The name of the process may hold blanks and brackets: fields are counted from the last one.
fn parse_stat(text: &str) -> Option<Usage> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || -> Option<Duration> { Some(TICK * fields.next()?.parse::<u32>().ok()?) };
    Some(Usage { user: ticks()?, system: ticks()? })
}

/// Processor seconds per million events of each process, between two moments. One that began meanwhile used all it has used.
pub fn costs<'a>(
    before: &BTreeMap<String, Usage>,
    after: &'a BTreeMap<String, Usage>,
    events: u64,
) -> impl Iterator<Item = (&'a str, f64)> {
    after.iter().map(move |(process, used)| {
        let earlier = before.get(process).copied().unwrap_or_default();
        (process.as_str(), (*used - earlier).per_million(events))
    })
}

/// Bytes of memory a process holds.
pub fn resident(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    parse_resident(&text).with_context(|| format!("{path} does not read as expected"))
}

fn parse_resident(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let text = "4711 (a (b) c) S 1 2 3 4 -1 5 6 7 8 9 123 45 0 0 20 0 9 0 100 200 300";
        let usage = parse_stat(text).expect("reads");
        assert_eq!(usage, Usage { user: Duration::from_millis(1_230), system: Duration::from_millis(450) });
        assert!((usage.per_million(2_000_000) - 0.84).abs() < 1e-9);
        assert_eq!(parse_stat("4711 (cut short) S 1 2"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        assert_eq!(parse_resident("Name:\tx\nVmHWM:\t  90 kB\nVmRSS:\t    12 kB\n"), Some(12_288));
        assert_eq!(parse_resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(resident(std::process::id()).expect("reads") > 0);
        Usage::of_this_process().expect("reads");
    }
}
