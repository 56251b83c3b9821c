//! `souk watch NAME`: what is, then every change. Goes on by itself when the node goes away and comes back.

use serde_json::Value;

use super::exit::Failure;
use super::get::Query;
use super::resource;
use crate::client::watch::Watch;
use crate::client::{Target, connect};
use crate::config::Span;
use crate::output::cell::{NOTHING, clock};
use crate::output::{Format, Output, fields, metric, print};

/// Follow one resource as it changes
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk watch metrics/active_users
  souk watch metrics/products --by product --top 5 --interval 1s
  souk watch users/alice -o ndjson

")]
pub(crate) struct Args {
    /// metrics/M or users/U
    name: String,
    #[command(flatten)]
    query: Query,
    /// Shortest time between two changes of one row
    #[arg(long, value_name = "DURATION")]
    interval: Option<Span>,
    /// Changes only, without what is already there
    #[arg(long)]
    changes_only: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { name, query, interval, changes_only, output, target } = args;
    resource::watch(&name, Value::Null)?;
    let client = connect(&target).await?;
    let query = if name.starts_with("metrics/") { query.request(&client, &name).await? } else { Value::Null };
    let (method, mut request) = resource::watch(&name, query)?;
    if let Some(interval) = interval {
        request["watch"]["min_interval"] = format!("{}s", interval.0.as_secs_f64()).into();
    }
    if changes_only {
        request["watch"]["start"] = "START_NOW".into();
    }
    let mut as_of = NOTHING.to_owned();
    let show = |frame: Value| match output.format {
        Format::Json => print(&format!("{frame:#}\n")),
        Format::Ndjson => print(&format!("{frame}\n")),
        Format::Table => lines(&frame, &mut as_of).map_or(Ok(()), |text| print(&text)),
    };
    Err(Watch::new(client, method, request)?.run(show, |words| eprintln!("{words}")).await)
}

/// What a person reads of a frame. Bookmarks only move the time.
fn lines(frame: &Value, as_of: &mut String) -> Option<String> {
    let head = &frame["frame"];
    if let Some(time) = head["info"]["asOf"].as_str() {
        clock(time).clone_into(as_of);
    }
    let gone = if head["kind"] == "KIND_DELETE" { "gone  " } else { "" };
    match head["kind"].as_str() {
        Some("KIND_LAGGED") => {
            Some(format!("{as_of}  … {} changes merged away\n", head["skipped"].as_str().unwrap_or("some")))
        }
        Some("KIND_SNAPSHOT" | "KIND_DELTA" | "KIND_DELETE") => match frame.get("row") {
            Some(row) => Some(format!("{as_of}  {gone}{}\n", metric::of_row(row))),
            None => Some(format!("{as_of}  {gone}{}\n", part_of_user(frame))),
        },
        _ => None,
    }
}

/// A user's row: which part, and its fields on one line.
fn part_of_user(frame: &Value) -> String {
    let part = ["event", "session", "cart", "order"].into_iter().find(|part| frame.get(part).is_some());
    let Some(part) = part else { return String::new() };
    let fields = fields::of_message(&frame[part]);
    let fields: Vec<_> =
        fields.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    format!("{part}  {}", fields.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_frame_is_a_line_and_a_bookmark_is_none() {
        let mut as_of = NOTHING.to_owned();
        let bookmark =
            json!({"frame": {"kind": "KIND_BOOKMARK", "info": {"asOf": "2026-11-21T10:02:41.350Z"}}});
        assert_eq!(lines(&bookmark, &mut as_of), None);
        let delta = json!({"frame": {"kind": "KIND_DELTA"}, "row": {"window": "5m/1s", "values": {"users": {"integer": "1301"}}}});
        assert_eq!(lines(&delta, &mut as_of), Some("10:02:41  5m/1s  -  users 1,301\n".to_owned()));
    }
}
