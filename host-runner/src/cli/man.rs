//! `cae man`.

use std::fs;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::output::Output;
use super::problem::Problem;
use super::{Cli, Exit};

/// Print the manual page, or write one for each command
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// Write `cae.1` and a page for each command into this folder, which has to be there
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  cae man | man -l -
  cae man --out ~/.local/share/man/man1";

pub(super) fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Problem> {
    let command = Cli::command();
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(Problem::new)?;
        out.line(String::from_utf8_lossy(&page).trim_end());
        return Ok(Exit::Done);
    };
    if !fs::metadata(folder).is_ok_and(|it| it.is_dir()) {
        return Err(Problem::file(folder, "is no folder"));
    }
    clap_mangen::generate_to(command, folder).map_err(|error| Problem::file(folder, error))?;
    Ok(Exit::Done)
}
