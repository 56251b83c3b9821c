//! Old files: a live node takes nothing older than seven days, so a file that begins before that is refused before anything is sent.

use souk_formats::time::timestamp;

use super::input::Times;
use super::limits::LIVE_PAST_MILLIS;
use super::span::span;
use crate::cli::exit::{Exit, Failure};

/// Whether a node would take times like these.
pub(super) fn check(name: &str, times: Option<Times>, is_shifted: bool, now: i64) -> Result<(), Failure> {
    let Some(times) = times.filter(|times| times.earliest < now - LIVE_PAST_MILLIS) else { return Ok(()) };
    let since = timestamp(times.earliest);
    let message = if is_shifted {
        let span = span(times.latest - times.earliest);
        format!(
            "{name} spans {span}: even with its last event now, a live node takes nothing older than 7 days"
        )
    } else {
        format!("{name} begins at {since}: a live node takes nothing older than 7 days")
    };
    let mut failure = Failure::new(Exit::Failed, format_args!("{message}  [TIME_OUT_OF_RANGE]"));
    if !is_shifted {
        failure = failure.hint(format_args!("as if it happened now: souk ingest {name} --shift-to-now"));
    }
    Err(failure.hint("as it happened: a node of history, with a data directory of its own and node.clock = \"history\" in its configuration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn old_files_are_refused_with_both_ways_out() {
        let now = 1_750_000_000_000;
        let times = |days: i64| Some(Times { earliest: now - days * DAY, latest: now });
        assert!(check("f", times(6), false, now).is_ok());
        assert!(check("f", None, false, now).is_ok());
        let failure = check("f.csv", times(8), false, now).expect_err("old");
        assert_eq!(
            failure.to_string(),
            "f.csv begins at 2025-06-07T15:06:40Z: a live node takes nothing older than 7 days  [TIME_OUT_OF_RANGE]"
        );
        let failure = check("f.csv", times(30), true, now).expect_err("long");
        assert!(
            failure.to_string().starts_with("f.csv spans 30 d: even with its last event now"),
            "{failure}"
        );
    }
}
