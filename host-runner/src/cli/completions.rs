//! `cae completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::output::Output;
use super::problem::Problem;
use super::{Cli, Exit};

/// Print a completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const HELP: &str = "\
Examples:
  cae completions bash > ~/.local/share/bash-completion/completions/cae
  cae completions zsh > \"${fpath[1]}/_cae\"
  cae completions fish > ~/.config/fish/completions/cae.fish";

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    // Generated into memory: the generator panics where the reader went away.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "cae", &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
