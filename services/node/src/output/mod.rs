//! Results, on stdout: tables for people, the API's own JSON for programs. Words go to stderr.

pub(crate) mod cell;
pub(crate) mod fields;
pub(crate) mod metric;
pub(crate) mod table;

use std::io::{ErrorKind, IsTerminal, Write};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::cli::exit::{Exit, Failure};

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// The API's own JSON, indented
    Json,
    /// The API's own JSON, one row a line
    Ndjson,
}

/// The flag of every command that prints data.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// How to print
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}

/// Prints a whole answer: `rows` are what `ndjson` prints a line each, `table` is made only if asked for.
pub(crate) fn answer(
    output: Output,
    answer: &Value,
    rows: &[Value],
    table: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match output.format {
        Format::Table => print(&table()),
        Format::Json => print(&format!("{answer:#}\n")),
        Format::Ndjson => print(&rows.iter().map(|row| format!("{row}\n")).collect::<String>()),
    }
}

/// Writes to stdout. A reader that has gone (`souk list … | head`) ends the command without a word.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::said(Exit::Done),
        _ => Failure::new(Exit::Failed, format_args!("stdout: {error}")),
    })
}

/// Whether stderr may be coloured.
pub(crate) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}
