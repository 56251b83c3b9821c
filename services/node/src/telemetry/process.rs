//! The process as the system sees it, from /proc.

use std::time::Duration;

/// Usage so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) resident_bytes: u64,
    pub(super) open_files: u64,
    pub(super) threads: u64,
}

/// Now; none where there is no /proc.
pub(super) fn usage() -> Option<Usage> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let open_files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    parse(
        &stat,
        open_files as u64,
        rustix::param::clock_ticks_per_second(),
        rustix::param::page_size() as u64,
    )
}

/// Fields after the command's name, which may hold anything: state is the first; utime, stime, threads and rss follow.
fn parse(stat: &str, open_files: u64, ticks_per_second: u64, page: u64) -> Option<Usage> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    let cpu = Duration::from_millis(ticks * 1_000 / ticks_per_second.max(1));
    Some(Usage { cpu, resident_bytes: number(21)? * page, open_files, threads: number(17)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat =
            "42 (so) uk (x) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 9 0 100 123456 77 18446744073709551615";
        let usage = parse(stat, 12, 100, 4_096).expect("a stat line");
        let expected =
            Usage { cpu: Duration::from_secs(3), resident_bytes: 77 * 4_096, open_files: 12, threads: 9 };
        assert_eq!(usage, expected);
        assert_eq!(parse("nonsense", 0, 100, 4_096), None);
    }
}
