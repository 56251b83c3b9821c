//! `souk settings`: the metric catalogue and the business rules in force, and how to change them.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use crate::client::{Target, connect};
use crate::limits;
use crate::output::{Output, answer};

/// The metric catalogue and the rules in force
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk settings show
  souk settings apply my.toml --dry-run

")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(Show),
    Apply(Apply),
}

/// Print every metric's declaration, as TOML
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk settings show
  souk settings show metrics/active_users

")]
struct Show {
    /// One metric alone
    #[arg(value_name = "metrics/M")]
    metric: Option<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

/// Lay a file over the built-in settings; it counts from then on
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk settings apply my.toml --dry-run
  souk settings apply my.toml

")]
struct Apply {
    /// TOML file; - for standard input
    file: PathBuf,
    /// Say what would change, change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Show(args) => show(args).await,
        Action::Apply(args) => apply(args).await,
    }
}

async fn show(args: Show) -> Result<(), Failure> {
    let client = connect(&args.target).await?;
    let reply = client.ask("AnalyticsService/ListMetrics", json!({ "page_size": limits::PAGE_ROWS })).await?;
    let node = client.ask("AdminService/GetNode", json!({})).await?;
    let all = reply["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = |metric: &&Value| args.metric.as_ref().is_none_or(|name| metric["name"] == **name);
    let metrics: Vec<Value> = all.iter().filter(wanted).cloned().collect();
    if let Some(name) = args.metric.as_ref().filter(|_| metrics.is_empty()) {
        return Err(
            Failure::new(Exit::Failed, format_args!("{name} is not declared")).hint("all: souk list metrics")
        );
    }
    let hash = node["node"]["settingsHash"].as_str().unwrap_or_default();
    let whole = json!({ "hash": hash, "metrics": metrics });
    answer(args.output, &whole, &metrics, || {
        let definitions = metrics.iter().filter_map(|metric| metric["definition"].as_str());
        let texts: String = definitions.map(|text| format!("\n{}\n", text.trim())).collect();
        format!("# settings {hash}\n{texts}")
    })
}

async fn apply(args: Apply) -> Result<(), Failure> {
    let toml = read(&args.file)?;
    let client = connect(&args.target).await?;
    let request = json!({ "toml": toml, "validate_only": args.dry_run });
    let reply = client.ask("AdminService/ApplySettings", request).await?;
    answer(args.output, &reply, std::slice::from_ref(&reply), || {
        let changes = reply["changes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let lines: String = changes.map(|line| format!("{line}\n")).collect();
        let hash = reply["hash"].as_str().unwrap_or_default();
        let none = if lines.is_empty() { "nothing changes · " } else { "" };
        format!("{lines}{none}hash {hash}\n")
    })?;
    if args.dry_run {
        eprintln!("nothing was applied: souk settings apply {}", args.file.display());
    }
    Ok(())
}

fn read(path: &std::path::Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(limits::REQUEST_BYTES).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limits::REQUEST_BYTES).read_to_string(&mut text))
    };
    read.map_err(|error| Failure::new(Exit::Failed, format_args!("{}: {error}", path.display())))?;
    Ok(text)
}
