//! The command line: one file per command. Every command's help begins with examples; results go to stdout, words to stderr.

mod call;
mod completions;
mod config;
mod dead_letters;
mod dev;
mod doctor;
pub(crate) mod exit;
mod get;
mod health;
mod list;
mod man;
mod migrate;
mod node_flags;
mod resource;
mod serve;
mod settings;
mod shards;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::exit::Failure;
use crate::{generate, ingest, top};

/// What stands at the end of `souk --help`.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not reachable, 4 timed out.";

/// Examples first, right below what the command is for.
const HELP: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}\n";

/// How long what still runs in the background may take once the command is done.
const WIND_UP: Duration = Duration::from_millis(500);

/// The live state of your shop, as a service
#[derive(Debug, Parser)]
#[command(
    name = "souk",
    version,
    after_help = EXIT_CODES,
    before_help = "Examples:\n  souk dev                          a whole node with synthetic shoppers, in a temporary directory\n  \
                   souk get metrics/active_users     what a node answers\n  souk serve --config souk.toml     a node to keep\n\n"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Args),
    Serve(serve::Args),
    Get(get::Args),
    Watch(watch::Args),
    List(list::Args),
    Call(call::Args),
    Ingest(ingest::Args),
    Generate(generate::command::Args),
    Shards(shards::Args),
    DeadLetters(dead_letters::Args),
    Settings(settings::Args),
    Top(top::Args),
    Health(health::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Completions(completions::Args),
    Migrate(migrate::Args),
    Man(man::Args),
}

/// Runs what the command line says.
pub(crate) fn main() -> ExitCode {
    let matches = grammar().get_matches();
    let command = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli.command,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(exit::Exit::Failed, format_args!("no threads: {error}")).report(),
    };
    let done = runtime.block_on(run(command));
    runtime.shutdown_timeout(WIND_UP);
    done.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev(args) => dev::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Get(args) => get::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::List(args) => list::run(args).await,
        Command::Call(args) => call::run(args).await,
        Command::Ingest(args) => ingest::run(args).await,
        Command::Generate(args) => generate::command::run(args).await,
        Command::Shards(args) => shards::run(args).await,
        Command::DeadLetters(args) => dead_letters::run(args).await,
        Command::Settings(args) => settings::run(args).await,
        Command::Top(args) => top::run(args).await,
        Command::Health(args) => health::run(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Config(args) => config::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Migrate(args) => migrate::run(args).await,
        Command::Man(args) => man::run(args),
    }
}

/// The grammar with one form of help for all commands.
fn grammar() -> clap::Command {
    fn formed(command: clap::Command) -> clap::Command {
        let command = command.help_template(HELP);
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, formed))
    }
    formed(Cli::command())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_holds_together() {
        grammar().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_of_itself() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path}{}", command.get_name());
            let help = command.get_before_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n") && help.contains(&path), "{path} has no example");
            assert!(command.get_about().is_some(), "{path} says nothing of itself");
            command.get_subcommands().for_each(|sub| check(sub, &format!("{path} ")));
        }
        check(&grammar(), "");
    }
}
