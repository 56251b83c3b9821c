//! How many events had each outcome, over a whole run.

use std::fmt;

use souk_proto::v1::VerdictCounts;

use crate::output::cell::grouped;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) counted: u64,
    pub(crate) duplicate: u64,
    pub(crate) late: u64,
    pub(crate) rejected: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, counts: &VerdictCounts) {
        let of = |count: Option<i32>| u64::try_from(count.unwrap_or_default()).unwrap_or_default();
        self.accepted += of(counts.accepted);
        self.counted += of(counts.counted);
        self.duplicate += of(counts.duplicate);
        self.late += of(counts.late);
        self.rejected += of(counts.rejected);
    }
}

impl fmt::Display for Counts {
    /// `counted 999,871 · duplicate 97 · late 0 · rejected 32`. Where nothing was judged yet, `accepted` and `rejected` alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: u64| grouped(&count.to_string());
        if self.accepted > 0 {
            write!(f, "accepted {} · ", number(self.accepted))?;
        } else {
            write!(f, "counted {} · ", number(self.counted))?;
            write!(f, "duplicate {} · late {} · ", number(self.duplicate), number(self.late))?;
        }
        write!(f, "rejected {}", number(self.rejected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_one_line() {
        let mut counts = Counts::default();
        let some = |count| Some(count);
        let answer = VerdictCounts {
            counted: some(999_871),
            duplicate: some(97),
            late: some(0),
            rejected: some(32),
            accepted: some(0),
        };
        counts.add(&answer);
        assert_eq!(counts.to_string(), "counted 999,871 · duplicate 97 · late 0 · rejected 32");
        let logged = Counts { accepted: 1_200, rejected: 3, ..Counts::default() };
        assert_eq!(logged.to_string(), "accepted 1,200 · rejected 3");
    }
}
