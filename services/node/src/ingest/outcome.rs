//! What became of the lines: counted as answers come, the refused ones written down in their order.

use souk_model::verdict::Refusal;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::{EventVerdict, StreamEventsResponse};

use super::reader::Item;
use super::rejects::{Reject, Rejects};
use crate::cli::exit::Failure;
use crate::output::cell::grouped;
use crate::publisher::Listener;
use crate::publisher::counts::Counts;

/// A line on its way: kept until its batch is answered.
#[derive(Debug)]
pub(super) struct Line {
    number: u64,
    original: String,
    /// It was refused here and not sent.
    refused: Option<Refusal>,
}

impl Line {
    /// Parts a line into what is sent and what is kept.
    pub(super) fn part(item: Item) -> (Option<bytes::Bytes>, Self) {
        let (event, refused) = match item.became {
            Ok(ready) => (Some(ready.event), None),
            Err(refusal) => (None, Some(refusal)),
        };
        (event, Self { number: item.line, original: item.original, refused })
    }
}

#[derive(Debug)]
pub(super) struct Outcomes {
    pub(super) counts: Counts,
    pub(super) rejects: Rejects,
}

impl Outcomes {
    pub(super) fn new(rejects: Rejects) -> Self {
        Self { counts: Counts::default(), rejects }
    }

    fn refused_here(&mut self, line: Line, refusal: &Refusal) -> std::io::Result<()> {
        self.counts.rejected += 1;
        let reason = refusal.reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned();
        self.reject(line, reason, &refusal.field, refusal.message.clone().into_owned())
    }

    fn reject(&mut self, line: Line, reason: String, field: &str, message: String) -> std::io::Result<()> {
        let field = self.rejects.shape().name(field);
        self.rejects.add(Reject { line: line.number, reason, field, message, original: line.original })
    }

    /// A line that goes nowhere.
    pub(super) fn refuse(&mut self, item: Item, refusal: &Refusal) -> Result<(), Failure> {
        let line = Line { number: item.line, original: item.original, refused: None };
        let refused = self.refused_here(line, refusal);
        refused.map_err(|error| Failure::from(anyhow::anyhow!("the file of rejects: {error}")))
    }

    /// How many were rejected, and where they are written.
    pub(super) fn rejected(&mut self) -> Result<String, Failure> {
        let count = grouped(&self.counts.rejected.to_string());
        let path = self.rejects.close().map_err(anyhow::Error::from)?;
        let mut text = path.map_or_else(|| count.clone(), |path| format!("{count} → {}", path.display()));
        if let Some(first) = self.rejects.first() {
            text = format!("{text}\n  first: {first}");
        }
        Ok(text)
    }

    fn note(&mut self, lines: Vec<Line>, problems: Vec<EventVerdict>) -> std::io::Result<()> {
        let mut problems = problems.into_iter().filter(|one| one.outcome() == Outcome::Rejected).peekable();
        let mut sent = 0;
        for mut line in lines {
            if let Some(refusal) = line.refused.take() {
                self.refused_here(line, &refusal)?;
                continue;
            }
            if let Some(verdict) = problems.next_if(|verdict| verdict.index == sent) {
                self.reject(line, verdict.reason, &verdict.field, verdict.message)?;
            }
            sent += 1;
        }
        Ok(())
    }
}

impl Listener<Vec<Line>> for Outcomes {
    fn answered(&mut self, lines: Vec<Line>, answer: StreamEventsResponse) -> Result<(), Failure> {
        if let Some(counts) = &answer.counts {
            self.counts.add(counts);
        }
        self.note(lines, answer.problems)
            .map_err(|error| Failure::from(anyhow::anyhow!("the file of rejects: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use souk_model::verdict::Reason;
    use souk_proto::v1::VerdictCounts;

    use super::super::reader::Ready;
    use super::super::rejects::Shape;
    use super::*;

    fn item(line: u64, refused: bool) -> Item {
        let ready = Ready { event: Bytes::new(), millis: None };
        let refusal = Refusal::new(Reason::PayloadUndecodable, "", "is nothing");
        Item {
            line,
            original: format!("line {line}"),
            became: if refused { Err(refusal) } else { Ok(ready) },
        }
    }

    #[test]
    fn verdicts_find_their_lines_past_those_that_were_not_sent() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("f.rejects.ndjson");
        let mut outcomes = Outcomes::new(Rejects::new(path.clone(), Shape::Json).expect("ready"));
        let lines = [(1, false), (2, true), (4, false), (5, false)]
            .map(|(line, refused)| Line::part(item(line, refused)).1);
        let verdict = |index, outcome: Outcome| EventVerdict {
            index,
            outcome: outcome.into(),
            reason: "FIELD_MISSING".to_owned(),
            field: format!("events[{index}].user_id"),
            message: "is needed".to_owned(),
            event_id: String::new(),
        };
        let answer = StreamEventsResponse {
            problems: vec![verdict(0, Outcome::Duplicate), verdict(2, Outcome::Rejected)],
            counts: Some(VerdictCounts {
                counted: Some(1),
                duplicate: Some(1),
                rejected: Some(1),
                ..Default::default()
            }),
            ..Default::default()
        };
        outcomes.answered(lines.into(), answer).expect("noted");
        assert_eq!(outcomes.counts.to_string(), "counted 1 · duplicate 1 · late 0 · rejected 2");
        outcomes.rejects.close().expect("closed");
        let written = std::fs::read_to_string(path).expect("rejects");
        let numbers: Vec<_> =
            written.lines().map(|line| line.split(',').next().unwrap_or_default()).collect();
        assert_eq!(numbers, [r#"{"line":2"#, r#"{"line":5"#]);
        assert!(written.contains(r#""field":"user_id""#));
    }
}
