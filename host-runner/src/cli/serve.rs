//! `cae serve`.

use std::path::PathBuf;
use std::time::Duration;

use super::output::Output;
use super::problem::{Problem, note, warn};
use super::{Exit, Options};
use crate::component::Bounds;
use crate::serve;

/// Answer proxies in front of an API, and receive security events
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The configuration (`cae config schema --service` describes it)
    #[arg(long, value_name = "cae.toml")]
    config: PathBuf,
    /// Say what is wrong with the configuration and the files that it names, and end
    #[arg(long)]
    check: bool,
    /// Most memory of an instance of the engine; one for each core
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u16).range(4..=4_095))]
    instance_memory: u16,
    /// Longest call of an instance, in milliseconds; reading a configuration is not bounded
    #[arg(long, value_name = "MS", default_value_t = 100, value_parser = clap::value_parser!(u16).range(10..=60_000))]
    call_deadline: u16,
}

impl Arguments {
    fn bounds(&self) -> Bounds {
        Bounds {
            deadline: Duration::from_millis(self.call_deadline.into()),
            memory: usize::from(self.instance_memory) << 20,
        }
    }
}

const HELP: &str = "\
Three listeners: `authorization` answers proxies at /authorize and JSON at /v1/decide,
`signals` takes events at /events/NAME, logout tokens at /backchannel-logout and change
notifications of Microsoft Graph at /entra/notifications; `administration` has /readyz,
/healthz, /metrics, /v1/decide with explanations, /v1/release/NAME for events that a
brake holds, and /v1/entra/sync.

The configuration and every file that it names are read again when they change, and on
SIGHUP: all of it comes into force, or nothing. Every setting can be given by the
environment: CAE__LISTEN__AUTHORIZATION is listen.authorization. SIGTERM ends it once
all answers are given.

Exit status: 0 after a clean stop, or --check found nothing; 2 it cannot start.

Examples:
  cae serve --config cae.toml --check
  cae serve --config cae.toml";

pub(super) fn run(
    arguments: &Arguments,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let runtime = options.bounded_runtime(arguments.bounds())?;
    if arguments.check {
        let notes = serve::check(&arguments.config, &runtime).map_err(Problem::lines)?;
        notes.iter().for_each(warn);
        out.line(format_args!("{}: can be used", arguments.config.display()));
        return Ok(Exit::Done);
    }
    let started = |addresses: &serve::Addresses, notes: &[String]| {
        notes.iter().for_each(warn);
        let signals = addresses.signals.map(|it| format!(", signals {it}"));
        note(format_args!(
            "authorization {}{}, administration {}",
            addresses.authorization,
            signals.unwrap_or_default(),
            addresses.administration
        ));
    };
    serve::run(&arguments.config, runtime, started).map_err(Problem::lines)?;
    Ok(Exit::Done)
}
