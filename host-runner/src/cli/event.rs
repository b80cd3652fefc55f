//! `cae event`: security event tokens read, listed and made.

mod decode;
mod list;
mod make;
mod subject;
mod time;

use super::output::Output;
use super::problem::Problem;
use super::{Exit, Options};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    Decode(decode::Arguments),
    List(list::Arguments),
    Make(Box<make::Arguments>),
}

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::Decode(arguments) => decode::run(arguments, options, out),
        Command::List(arguments) => list::run(arguments, out),
        Command::Make(arguments) => make::run(arguments, out),
    }
}
