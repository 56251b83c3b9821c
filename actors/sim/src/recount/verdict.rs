//! What became of each record, and the sums of it (invariant I4).

use souk_proto::v1::ErrorReason;

/// What became of one event, or of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The event counts.
    Counted,
    /// Its id, or its foreign offset, was known.
    Duplicate,
    /// Older than anything any metric could still count.
    Late,
    /// The event was refused.
    Rejected(ErrorReason),
    /// The command was carried out.
    Done,
    /// The command was refused.
    Refused(ErrorReason),
}

/// How many events of a shard had each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events, and records nobody could decode.
    pub received: u64,
    /// Of them, counted.
    pub counted: u64,
    /// Of them, known already.
    pub duplicate: u64,
    /// Of them, too late for every metric.
    pub late: u64,
    /// Of them, refused.
    pub rejected: u64,
}

impl Totals {
    /// Takes one verdict in; those of commands are no events.
    pub(super) fn add(&mut self, verdict: Verdict) {
        let column = match verdict {
            Verdict::Counted => &mut self.counted,
            Verdict::Duplicate => &mut self.duplicate,
            Verdict::Late => &mut self.late,
            Verdict::Rejected(_) => &mut self.rejected,
            Verdict::Done | Verdict::Refused(_) => return,
        };
        *column += 1;
        self.received += 1;
    }
}
