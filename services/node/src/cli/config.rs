//! `souk config`: what a node would run with, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::exit::Failure;
use super::node_flags::NodeFlags;
use crate::config::{DEFAULT_TEXT, Origin, reference};
use crate::output::{Output, answer, print, table};

/// What a node would run with
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk config show --origin
  souk config default > souk.toml

")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(Show),
    /// Print the file of all defaults, commented: a start for your own
    #[command(before_help = "Examples:\n  souk config default > souk.toml\n\n")]
    Default,
    /// Print the reference of all keys, as Markdown
    #[command(before_help = "Examples:\n  souk config reference > docs/configuration.md\n\n")]
    Reference,
}

/// Print every value in force, and where it came from
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk config show --origin
  SOUK__LISTEN__GRPC=0.0.0.0:7070 souk config show --config souk.toml --origin

")]
struct Show {
    /// Say where each value came from
    #[arg(long)]
    origin: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: NodeFlags,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Show(args) => show(args),
        Action::Default => print(DEFAULT_TEXT),
        Action::Reference => print(&reference::page()),
    }
}

fn show(args: Show) -> Result<(), Failure> {
    let Show { origin, config, flags, output } = args;
    let loaded = flags.load(config, Vec::new())?;
    loaded.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let row = |(key, (value, origin)): (&String, &(toml::Value, Origin))| json!({ "key": key, "value": value, "origin": origin.to_string() });
    let rows: Vec<Value> = loaded.values.iter().map(row).collect();
    let by_key: BTreeMap<_, _> = loaded.values.keys().zip(&rows).collect();
    answer(output, &json!(by_key), &rows, || {
        let wanted = if origin { 3 } else { 2 };
        let titles = ["key", "value", "origin"].map(str::to_owned).into_iter().take(wanted).collect();
        let cells = |(key, (value, origin)): (&String, &(toml::Value, Origin))| {
            let cells = [key.clone(), value.to_string(), origin.to_string()];
            cells.into_iter().take(wanted).map(|text| (text, false)).collect()
        };
        table::of_cells(titles, loaded.values.iter().map(cells).collect())
    })
}
