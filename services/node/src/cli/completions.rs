//! `souk completions SHELL`.

use clap_complete::Shell;

use super::exit::Failure;
use crate::output::print;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk completions bash > /etc/bash_completion.d/souk
  souk completions zsh > ~/.zfunc/_souk

")]
pub(crate) struct Args {
    shell: Shell,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::grammar(), "souk", &mut script);
    print(&String::from_utf8_lossy(&script))
}
