//! `cae event decode`.

use std::path::{Path, PathBuf};

use cae_core::json::{Limits, Value};
use cae_core::time::UnixTime;

use super::output::Output;
use super::problem::{self, Problem, warn};
use super::{Exit, Options, input};
use crate::clock;
use crate::engine::{AnyEngine, Tools};
use crate::session::{EventOutcome, Session};
use crate::signature::Signatures;
use crate::text::{ASKS, BAD, GOOD, Pretty, STRONG, one_line, word};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Say what a security event token holds and what it does to which records
    #[command(after_help = HELP)]
    Decode {
        /// Files with one compact SET each (or, with --unsigned, its payload as JSON); `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Check signature, issuer and audience with this engine configuration, and show the effects
        #[arg(long, value_name = "ENGINE.json", conflicts_with = "unsigned")]
        config: Option<PathBuf>,
        /// The files hold payloads without header and signature
        #[arg(long)]
        unsigned: bool,
        /// When the SET arrived, in seconds since 1970 [default: now]
        #[arg(long, value_name = "SECONDS")]
        received_at: Option<u64>,
    },
}

const HELP: &str = "\
Without --config nobody vouches for the SET: signature, issuer and audience are
reported as notChecked.

Exit status: 0 valid; 1 rejected, with the error code of RFC 8935; 2 a file or an
option cannot be used. The worst of several files wins.

Examples:
  cae event decode set.jwt --config engine.json
  cae event decode payload.json --unsigned";

/// How the files are read.
enum Reader {
    Engine(Box<Session<AnyEngine>>),
    Tools {
        tools: Box<dyn Tools>,
        unsigned: bool,
    },
}

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Decode {
        files,
        config,
        unsigned,
        received_at,
    } = command;
    let received_at = received_at.map_or_else(clock::now, UnixTime::from_secs);
    let runtime = options.runtime()?;
    let mut reader = match config {
        Some(file) => {
            let engine = runtime
                .engine(&input::document(file)?)
                .map_err(|error| Problem::engine(file, &error))?;
            Reader::Engine(Box::new(Session::new(engine, Signatures::default())))
        }
        None => Reader::Tools {
            tools: runtime.tools(),
            unsigned: *unsigned,
        },
    };
    let mut worst = Exit::Done;
    for file in files {
        let exit = decode(&mut reader, file, received_at, out).unwrap_or_else(|problem| {
            problem.print();
            Exit::BadInput
        });
        worst = worst.max(exit);
    }
    Ok(worst)
}

fn decode(
    reader: &mut Reader,
    file: &Path,
    received_at: UnixTime,
    out: &mut Output,
) -> Result<Exit, Problem> {
    // Whatever can be read as a file is the engine's to accept or reject, its size and its encoding included.
    let set = input::any_text(file, Limits::EVENT.bytes.saturating_mul(2))?;
    let set = set.trim();
    let answer = match reader {
        Reader::Tools { tools, unsigned } => tools.decode_event(set, *unsigned, received_at)?,
        Reader::Engine(session) => {
            match session
                .read_event(set, received_at)
                .map_err(|error| Problem::file(file, error))?
            {
                EventOutcome::Accepted(event)
                | EventOutcome::Held(event)
                | EventOutcome::Repeated(event) => event.json,
                EventOutcome::Rejected(event) => event.json,
            }
        }
    };
    let reading: Value =
        serde_json::from_str(&answer).map_err(|error| Problem::file(file, error))?;
    let rejected = word(&reading, "err");
    if out.json() {
        let members = answer.strip_prefix('{').unwrap_or_default();
        out.line(format_args!(
            r#"{{"file":{},{members}"#,
            Value::from(file.to_string_lossy())
        ));
    } else {
        let unchecked = word(&reading, "signature") == Some("notChecked");
        let (style, verdict) = match rejected {
            Some(code) => (BAD, format!("rejected, {code}")),
            None if unchecked => (
                ASKS,
                "valid in form; signature, issuer and audience are not checked".to_owned(),
            ),
            None => (GOOD, "accepted".to_owned()),
        };
        let name = problem::name(file);
        out.line(format_args!(
            "{STRONG}{}{STRONG:#}: {style}{}{style:#}",
            one_line(&name),
            one_line(&verdict)
        ));
        let width = out.width();
        out.line(Pretty {
            value: &reading,
            width,
            indent: 0,
        });
    }
    Ok(if rejected.is_some() {
        let json = set.starts_with('{');
        match reader {
            Reader::Tools { unsigned: true, .. } if set.starts_with("ey") => warn(format_args!(
                "{}: looks like a signed SET: leave --unsigned out",
                file.display()
            )),
            Reader::Tools {
                unsigned: false, ..
            } if json => warn(format_args!(
                "{}: looks like a payload without signature: add --unsigned",
                file.display()
            )),
            _ => {}
        }
        Exit::Negative
    } else {
        Exit::Done
    })
}
