//! The command line: reads bounded input, asks the engine, prints for people or for scripts.
//!
//! Exit status, everywhere: 0 done, 1 the answer is "no" (an expectation fails, a token is refused, nothing was
//! found), 2 the input cannot be used. Errors are lines on standard error that say what, where and how to mend it.

mod bench;
mod challenge;
mod completions;
mod config;
mod decide;
mod entra;
mod event;
mod input;
mod issuer;
mod location;
mod man;
mod output;
mod policy;
mod problem;
mod replay;
mod serve;
mod state;
mod stream;
mod token;
mod what_if;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::component::{Artefact, Bounds, EngineComponent};
use crate::engine::Runtime;
use output::Output;
use problem::{Problem, complain};

/// Continuous Access Evaluation: what an API decides about an access token, given the events, the policies and
/// the network of the moment.
#[derive(Debug, Parser)]
#[command(name = "cae", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  cae replay tests/scenarios/user-revocation.json
      runs a scenario through the engine and draws who said what to whom
  cae decide --config engine.json --signals sets.jsonl < requests.jsonl
      decides a batch of requests, one JSON object per line in and out
  cae what-if --diff old.json new.json --html report.html
      shows whose access changes from one state of the policies to another
  cae policy check policies/ --named-locations locations.json
      says what of each Conditional Access policy an API can enforce itself
  curl -si https://api.example/orders | cae challenge parse -
      decodes the claims challenge of a 401

Exit status: 0 done; 1 the answer is no; 2 the input cannot be used.";

/// What every command takes.
#[derive(Args, Debug)]
struct Options {
    /// One JSON object per line, with stable names, instead of text for people
    #[arg(long, global = true)]
    json: bool,
    /// Which build of the engine answers: the WebAssembly component, or the same code linked into this program
    #[arg(long, global = true, value_enum, default_value_t = EngineChoice::Wasm, value_name = "ENGINE")]
    engine: EngineChoice,
    /// The component to run [default: $CAE_COMPONENT, else the one built with this program]
    #[arg(long, global = true, value_name = "FILE")]
    component: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum EngineChoice {
    /// The component, in wasmtime
    Wasm,
    /// Linked into this program: for comparison
    Native,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Arguments),
    Decide(decide::Arguments),
    Serve(serve::Arguments),
    WhatIf(Box<what_if::Arguments>),
    /// Read, list and make security event tokens (SETs): decode, list, make
    #[command(subcommand)]
    Event(event::Command),
    /// Read claims challenges: parse
    #[command(subcommand)]
    Challenge(challenge::Command),
    /// Read access tokens: inspect
    #[command(subcommand)]
    Token(token::Command),
    /// Read Conditional Access policies: check
    #[command(subcommand)]
    Policy(policy::Command),
    /// Read named locations: match
    #[command(subcommand)]
    Location(location::Command),
    /// Try things out on one machine: dev, do
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Measure the service on this machine: serve
    #[command(subcommand)]
    Bench(bench::Command),
    /// Look after the streams of transmitters: list, create, verify, delete, status
    #[command(subcommand, after_help = stream::HELP)]
    Stream(stream::Command),
    /// Read a tenant of Microsoft Entra: sync, export, migrate-settings, manifest
    #[command(subcommand, after_help = entra::HELP)]
    Entra(entra::Command),
    /// Look after the event state: inspect, clear, release, clean; export and import of the service's database
    #[command(subcommand)]
    State(state::Command),
    /// Describe the files that this program reads: schema
    #[command(subcommand)]
    Config(config::Command),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// The exit status of a command.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Exit {
    /// Done, and the answer is yes.
    #[default]
    Done = 0,
    /// The answer is no.
    Negative = 1,
    /// The input cannot be used.
    BadInput = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::from(0),
            Exit::Negative => Self::from(1),
            Exit::BadInput => Self::from(2),
        }
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let help = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            if error.use_stderr() && error.kind() != help {
                complain(usage(&error));
            } else {
                // Help and version come this way too. That nobody reads them any more is no error.
                drop(error.print());
            }
            return if error.use_stderr() {
                Exit::BadInput
            } else {
                Exit::Done
            };
        }
    };
    let mut out = Output::new(cli.options.json);
    let exit = cli.run(&mut out).unwrap_or_else(|problem| {
        problem.print();
        Exit::BadInput
    });
    match out.finish() {
        Ok(()) => exit,
        Err(problem) => {
            problem.print();
            Exit::BadInput
        }
    }
}

/// What is wrong with the command line, on one line: clap takes a paragraph.
fn usage(error: &clap::Error) -> String {
    let text = error.to_string();
    let said: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    let said = said.join(" ");
    let said = said.strip_prefix("error: ").unwrap_or(&said);
    format!("{said}; --help says what there is")
}

impl Cli {
    fn run(self, out: &mut Output) -> Result<Exit, Problem> {
        let options = &self.options;
        match self.command {
            Command::Replay(arguments) => replay::run(&arguments, options, out),
            Command::Decide(arguments) => decide::run(&arguments, options, out),
            Command::Serve(arguments) => serve::run(&arguments, options, out),
            Command::WhatIf(arguments) => what_if::run(&arguments, options, out),
            Command::Event(command) => event::run(&command, options, out),
            Command::Challenge(command) => challenge::run(&command, options, out),
            Command::Token(command) => token::run(&command, options, out),
            Command::Policy(command) => policy::run(&command, options, out),
            Command::Location(command) => location::run(&command, options, out),
            Command::Issuer(command) => issuer::run(command, out),
            Command::Bench(command) => bench::run(&command, options, out),
            Command::Stream(command) => stream::run(&command, out),
            Command::Entra(command) => entra::run(&command, out),
            Command::State(command) => state::run(&command, out),
            Command::Config(command) => config::run(&command, options, out),
            Command::Completions(arguments) => completions::run(&arguments, out),
            Command::Man(arguments) => man::run(&arguments, out),
        }
    }
}

impl Options {
    /// Loads the engine that was chosen, for batch work.
    fn runtime(&self) -> Result<Runtime, Problem> {
        self.bounded_runtime(Bounds::batch())
    }

    /// Loads the engine that was chosen.
    fn bounded_runtime(&self, bounds: Bounds) -> Result<Runtime, Problem> {
        match self.engine {
            EngineChoice::Native => Ok(Runtime::Native),
            EngineChoice::Wasm => {
                let named = self
                    .component
                    .clone()
                    .or_else(|| std::env::var_os("CAE_COMPONENT").map(PathBuf::from));
                let artefact =
                    named.map_or_else(Artefact::find, |file| Artefact::from_file(&file))?;
                Ok(Runtime::Wasm(EngineComponent::load(&artefact, bounds)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
