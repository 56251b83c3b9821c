//! Outcomes of intake as verdicts. An accepted event without a verdict costs nothing here but its count.

use std::borrow::Cow;
use std::fmt;

use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome as Said;
use souk_runtime::intake::{Fate, Outcome};

use crate::status::reason_name;

/// How many events had each outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counted {
    accepted: i32,
    counted: i32,
    duplicate: i32,
    late: i32,
    rejected: i32,
}

impl Counted {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            let count = match outcome.fate {
                Fate::Accepted => &mut counts.accepted,
                Fate::Counted => &mut counts.counted,
                Fate::Duplicate => &mut counts.duplicate,
                Fate::Late => &mut counts.late,
                Fate::Rejected(_) => &mut counts.rejected,
            };
            *count += 1;
        }
        counts
    }
}

impl From<Counted> for v1::VerdictCounts {
    /// Zeros are answers too.
    fn from(counts: Counted) -> Self {
        Self {
            accepted: Some(counts.accepted),
            counted: Some(counts.counted),
            duplicate: Some(counts.duplicate),
            late: Some(counts.late),
            rejected: Some(counts.rejected),
        }
    }
}

/// A verdict per event in order, or only for those with a problem.
pub(super) fn verdicts(outcomes: Vec<Outcome>, all: bool) -> Vec<v1::EventVerdict> {
    let is_wanted = |outcome: &Outcome| all || !matches!(outcome.fate, Fate::Accepted | Fate::Counted);
    let wanted = (0..).zip(outcomes).filter(|(_, outcome)| is_wanted(outcome));
    wanted.map(|(index, outcome)| verdict(format_args!("events[{index}]"), index, outcome)).collect()
}

/// The verdict on the event that stands `at` this path of the request.
pub(crate) fn verdict(at: fmt::Arguments<'_>, index: i32, outcome: Outcome) -> v1::EventVerdict {
    let plain = |said: Said| v1::EventVerdict {
        event_id: outcome.event_id,
        index,
        outcome: said.into(),
        ..v1::EventVerdict::default()
    };
    match outcome.fate {
        Fate::Accepted => plain(Said::Accepted),
        Fate::Counted => plain(Said::Counted),
        Fate::Duplicate => plain(Said::Duplicate),
        Fate::Late => v1::EventVerdict {
            reason: reason_name(Reason::BeyondRetention).to_owned(),
            field: path(at, "event_time"),
            message: "is so old that no metric counts it any more".to_owned(),
            ..plain(Said::Late)
        },
        Fate::Rejected(Refusal { reason, field, message }) => v1::EventVerdict {
            reason: reason_name(reason).to_owned(),
            field: path(at, &field),
            message: Cow::into_owned(message),
            ..plain(Said::Rejected)
        },
    }
}

fn path(at: fmt::Arguments<'_>, field: &str) -> String {
    if field.is_empty() { at.to_string() } else { format!("{at}.{field}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let refusal = Refusal::missing("product_view.product_id", "name the product that was viewed");
        let fates = [Fate::Counted, Fate::Rejected(refusal), Fate::Late, Fate::Duplicate];
        (0..).zip(fates).map(|(n, fate)| Outcome { event_id: format!("e-{n}"), fate }).collect()
    }

    #[test]
    fn a_refusal_is_named_from_the_requests_root() {
        let all = verdicts(outcomes(), true);
        assert_eq!(all.len(), 4);
        assert_eq!(all[1].field, "events[1].product_view.product_id");
        assert_eq!((all[1].reason.as_str(), all[1].index), ("FIELD_MISSING", 1));
        assert_eq!((all[2].outcome(), all[2].reason.as_str()), (Said::Late, "BEYOND_RETENTION"));
        assert_eq!(all[3].reason, "");
    }

    #[test]
    fn problems_leave_out_what_went_well_and_counts_do_not() {
        let problems = verdicts(outcomes(), false);
        assert_eq!(problems.iter().map(|verdict| verdict.index).collect::<Vec<_>>(), [1, 2, 3]);
        let counts = Counted::of(&outcomes());
        assert_eq!(counts, Counted { accepted: 0, counted: 1, duplicate: 1, late: 1, rejected: 1 });
    }
}
