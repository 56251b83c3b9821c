//! What was refused: a line of NDJSON for each in the file of rejects, and the first of them for the summary.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::cells::Cells;
use super::columns::Header;

/// Longest value shown in the summary.
const SHOWN_BYTES: usize = 64;

/// One refused line, as the file of rejects has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reject {
    pub(super) line: u64,
    /// Name of the reason: `VALUE_OUT_OF_RANGE`.
    pub(super) reason: String,
    /// The column, or the path of the field in the event. Empty: no single one.
    pub(super) field: String,
    pub(super) message: String,
    pub(super) original: String,
}

/// How fields of an event are named in the file it came from.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Json,
    Table(Arc<Header>),
}

impl Shape {
    /// A verdict's field is a path from the request's root; below `events[3].` it is the event's own.
    pub(super) fn name(&self, field: &str) -> String {
        let below = field.strip_prefix("events[").and_then(|rest| rest.split_once(']'));
        let field = below.map_or(field, |(_, rest)| rest.strip_prefix('.').unwrap_or(rest));
        match self {
            Self::Json => field.to_owned(),
            Self::Table(header) => header.column_of(field).unwrap_or(field).to_owned(),
        }
    }

    /// What stands there, if it can be shown on a line.
    fn value(&self, name: &str, original: &str) -> Option<String> {
        let value = match self {
            Self::Table(header) => header.cell(Cells::new().read(original)?, name).to_owned(),
            Self::Json => {
                let root: Value = serde_json::from_str(original).ok()?;
                match name.split('.').try_fold(&root, |value, step| member(value, step))? {
                    Value::String(text) => text.clone(),
                    value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
                    _ => return None,
                }
            }
        };
        (!value.is_empty() && value.len() <= SHOWN_BYTES).then_some(value)
    }
}

/// A step of a path in JSON of either spelling: `lines[2]`, `unit_price` also as `unitPrice`.
fn member<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    let (name, place) = match step.split_once('[') {
        Some((name, place)) => (name, Some(place.strip_suffix(']')?.parse::<usize>().ok()?)),
        None => (step, None),
    };
    let mut words = name.split('_');
    let first = words.next()?.to_owned();
    let camel = words.fold(first, |name, word| {
        let (head, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + &head.to_uppercase() + rest
    });
    let found = value.get(name).or_else(|| value.get(camel))?;
    place.map_or(Some(found), |place| found.get(place))
}

/// Writes rejects as they come. The file is there once there is one.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    shape: Shape,
    file: Option<BufWriter<File>>,
    first: Option<Reject>,
}

impl Rejects {
    /// Rejects of an earlier run of the same file would be taken for this one's.
    pub(super) fn new(path: PathBuf, shape: Shape) -> io::Result<Self> {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { path, shape, file: None, first: None })
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(super) fn add(&mut self, reject: Reject) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path)?)),
        };
        serde_json::to_writer(&mut *file, &reject)?;
        file.write_all(b"\n")?;
        self.first.get_or_insert(reject);
        Ok(())
    }

    /// Where they are, if there are any; all of them written.
    pub(super) fn close(&mut self) -> io::Result<Option<&Path>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        file.flush()?;
        Ok(Some(&self.path))
    }

    /// `line 4117, region_id 101: must be 1 to 100  [VALUE_OUT_OF_RANGE]`.
    pub(super) fn first(&self) -> Option<String> {
        let Reject { line, reason, field, message, original } = self.first.as_ref()?;
        let value = self.shape.value(field, original).map(|value| format!(" {value}")).unwrap_or_default();
        let place = if field.is_empty() { String::new() } else { format!(", {field}{value}") };
        Some(format!("line {line}{place}: {message}  [{reason}]"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::TRIP;
    use super::*;

    fn reject(line: u64, field: &str, original: &str) -> Reject {
        let text = |text: &str| text.to_owned();
        Reject {
            line,
            reason: text("VALUE_OUT_OF_RANGE"),
            field: text(field),
            message: text("must be 1 to 100"),
            original: text(original),
        }
    }

    #[test]
    fn the_first_problem_is_said_as_a_person_finds_it_in_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("trips.csv.rejects.ndjson");
        std::fs::write(&path, "old").expect("written");
        let header = Header::read(
            &TRIP,
            Cells::new().read("trip_id,region_id,event_time,fare,duration,distance").expect("cells"),
        );
        let shape = Shape::Table(Arc::new(header.expect("a header")));
        assert_eq!(shape.name("events[12].trip.region_id"), "region_id");
        let mut rejects = Rejects::new(path.clone(), shape).expect("ready");
        assert!(!path.exists());
        assert_eq!(rejects.close().expect("closed"), None);
        rejects.add(reject(4_117, "region_id", "t-1,101,x,1,60,1")).expect("written");
        rejects.add(reject(4_118, "", "t-2")).expect("written");
        assert_eq!(rejects.close().expect("closed"), Some(path.as_path()));
        let first = rejects.first().expect("one");
        assert_eq!(first, "line 4117, region_id 101: must be 1 to 100  [VALUE_OUT_OF_RANGE]");
        let lines = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.starts_with(r#"{"line":4117,"reason":"VALUE_OUT_OF_RANGE","field":"region_id","message":"must be 1 to 100","original":"t-1,101"#));
    }

    #[test]
    fn a_value_is_found_in_json_of_either_spelling() {
        let shape = Shape::Json;
        let name = shape.name("events[0].order_step.lines[1].unit_price.minor_units");
        assert_eq!(name, "order_step.lines[1].unit_price.minor_units");
        for original in [
            r#"{"orderStep":{"lines":[{},{"unitPrice":{"minorUnits":"-5"}}]}}"#,
            r#"{"order_step":{"lines":[{},{"unit_price":{"minor_units":-5}}]}}"#,
        ] {
            assert_eq!(shape.value(&name, original), Some("-5".to_owned()));
        }
        assert_eq!(shape.value("review.rating", r#"{"review":{}}"#), None);
        assert_eq!(shape.value("review", "no json"), None);
    }
}
