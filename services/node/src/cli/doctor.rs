//! `souk doctor`: looks at everything a node needs, changes nothing, and says what to do about what it finds.

use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use souk_model::time::Millis;
use souk_runtime::ports::Clock as _;

use super::exit::{Exit, Failure};
use super::node_flags::NodeFlags;
use crate::client::{Client, Target, connect};
use crate::config::{Config, Size};
use crate::data_dir;
use crate::output::{Output, answer, cell, table};
use crate::wiring::SystemClock;

/// Look at everything a node needs; changes nothing
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk doctor
  souk doctor --address 10.0.0.7:7070
  souk doctor --config souk.toml --data-dir /var/lib/souk

")]
pub(crate) struct Args {
    /// Configuration file of the node here
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: NodeFlags,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

/// Free space below which a disk is about to stop a journal: some segments.
const LEAST_FREE: Size = Size(1 << 30);
/// Open files below which many callers cannot connect.
const LEAST_FILES: u64 = 4_096;
/// A clock before the year 2020 was never set.
const CLOCK_SET: Millis = 1_577_836_800_000;

/// How one check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Good,
    Warning,
    Bad,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

struct Check {
    what: &'static str,
    verdict: Verdict,
    found: String,
}

fn check(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Check {
    Check { what, verdict, found: found.into() }
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { config, flags, output, target } = args;
    let mut checks = vec![check("version", Verdict::Good, env!("CARGO_PKG_VERSION"))];
    match flags.load(config, Vec::new()) {
        Ok(loaded) => {
            let warnings = loaded.warnings.into_iter();
            checks.extend(warnings.map(|warning| check("configuration", Verdict::Warning, warning)));
            checks.push(check("configuration", Verdict::Good, "reads"));
            checks.extend(of_data_dir(&loaded.config));
        }
        Err(error) => checks.push(check("configuration", Verdict::Bad, error.to_string().replace('\n', ";"))),
    }
    checks.push(of_open_files());
    checks.push(of_clock());
    let reached = match connect(&target).await {
        Ok(client) => {
            checks.push(check("address", Verdict::Good, format!("{} answers", target.address)));
            checks.extend(of_node(&client).await);
            true
        }
        Err(failure) => {
            checks.push(check("address", Verdict::Bad, failure.to_string()));
            false
        }
    };
    show(output, &checks)?;
    let bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    match (reached, bad) {
        (true, false) => Ok(()),
        (true, true) => Err(Failure::said(Exit::Failed)),
        (false, _) => Err(Failure::said(Exit::Unreachable)),
    }
}

fn show(output: Output, checks: &[Check]) -> Result<(), Failure> {
    let row =
        |check: &Check| json!({ "check": check.what, "verdict": check.verdict.word(), "found": check.found });
    let rows: Vec<Value> = checks.iter().map(row).collect();
    let columns = table::columns([("check", "check"), ("result", "verdict"), ("found", "found")]);
    answer(output, &json!({ "checks": rows }), &rows, || table::of_rows(&columns, &rows))
}

fn of_data_dir(config: &Config) -> Vec<Check> {
    let dir = &config.node.data_dir;
    let mut checks = Vec::new();
    match data_dir::held_by(dir) {
        Ok(Some(process)) => {
            checks.push(check(
                "data dir",
                Verdict::Good,
                format!("{} in use by process {process}", dir.display()),
            ));
        }
        Ok(None) => {
            checks.push(check("data dir", Verdict::Good, format!("{} in use by nobody", dir.display())))
        }
        Err(error) => checks.push(check("data dir", Verdict::Bad, format!("{}: {error}", dir.display()))),
    }
    checks.push(of_space(dir));
    checks
}

/// Free space where the directory is, or would be made.
fn of_space(dir: &Path) -> Check {
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("."));
    match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let verdict = if free < LEAST_FREE.0 { Verdict::Bad } else { Verdict::Good };
            let advice = if verdict == Verdict::Bad { "; a full disk stops all writes" } else { "" };
            check("free space", verdict, format!("{:.1} GiB{advice}", free as f64 / (1_u64 << 30) as f64))
        }
        Err(error) => check("free space", Verdict::Bad, format!("{}: {error}", there.display())),
    }
}

fn of_open_files() -> Check {
    match getrlimit(Resource::Nofile).current {
        Some(most) if most < LEAST_FILES => check(
            "open files",
            Verdict::Warning,
            format!("at most {most}; ulimit -n {LEAST_FILES} or more for many callers"),
        ),
        Some(most) => check("open files", Verdict::Good, format!("at most {most}")),
        None => check("open files", Verdict::Good, "no limit"),
    }
}

fn of_clock() -> Check {
    match SystemClock.now() {
        now if now < CLOCK_SET => check("clock", Verdict::Bad, "was never set: event times would be refused"),
        _ => check("clock", Verdict::Good, "set"),
    }
}

/// What the node says of itself and of what it depends on.
async fn of_node(client: &Client) -> Vec<Check> {
    let mut checks = Vec::new();
    match client.ask("AdminService/GetNode", json!({})).await {
        Ok(reply) => {
            let node = &reply["node"];
            let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
            let same = text("version") == env!("CARGO_PKG_VERSION");
            let verdict = if same { Verdict::Good } else { Verdict::Warning };
            checks.push(check(
                "node",
                verdict,
                format!("{} {}, acks mean {}", text("name"), text("version"), text("durability")),
            ));
            for dependency in node["dependencies"].as_array().into_iter().flatten() {
                checks.push(of_dependency(dependency));
            }
        }
        Err(failure) => checks.push(check("node", Verdict::Bad, failure.to_string())),
    }
    match client.ask("AdminService/ListShards", json!({ "page_size": crate::limits::PAGE_ROWS })).await {
        Ok(reply) => {
            let shards = reply["shards"].as_array().map(Vec::as_slice).unwrap_or_default();
            let serving = shards.iter().filter(|shard| shard["state"] == "STATE_SERVING").count();
            let verdict = if serving == shards.len() { Verdict::Good } else { Verdict::Bad };
            checks.push(check("shards", verdict, format!("{serving} of {} serve", shards.len())));
        }
        Err(failure) => checks.push(check("shards", Verdict::Bad, failure.to_string())),
    }
    checks
}

fn of_dependency(dependency: &Value) -> Check {
    let text = |field: &str| dependency[field].as_str().unwrap_or_default();
    let (verdict, word) = match text("state") {
        "STATE_HEALTHY" => (Verdict::Good, "healthy"),
        "STATE_DEGRADED" => (Verdict::Warning, "degraded"),
        _ => (Verdict::Bad, "down"),
    };
    let took = cell::text(&dependency["responseTime"]);
    check("dependency", verdict, format!("{} {word} {} {}", text("name"), took, text("message")).trim_end())
}
