//! `souk man`.

use super::exit::{Exit, Failure};
use crate::output::print;

/// Print the manual page of a command
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk man | man -l -
  souk man settings apply > souk-settings-apply.1

")]
pub(crate) struct Args {
    /// Which command, as it is typed [default: souk itself]
    command: Vec<String>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let mut command = super::grammar();
    command.build();
    for name in &args.command {
        let sub = command.find_subcommand(name).cloned();
        command = sub.ok_or_else(|| Failure::usage(format_args!("there is no command {name:?}")))?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Failed, format_args!("the page: {error}")))?;
    print(&String::from_utf8_lossy(&page))
}
