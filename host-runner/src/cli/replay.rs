//! `cae replay`: a scenario through the engine, drawn for people or as JSON lines.

use std::path::PathBuf;

use cae_core::simulation::{self, RunError, Scenario};

use super::output::Output;
use super::problem::Problem;
use super::{Exit, Options, input};
use crate::timeline::Timeline;

/// Run a scenario: issuer, transmitter, clients and resource server in simulated time
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// The scenario (`cae config schema --scenario` describes it); `-` is standard input
    #[arg(value_name = "SCENARIO.json")]
    scenario: PathBuf,
}

const HELP: &str = "\
Tokens and security events in a scenario are really signed and verified; time is
simulated; the same scenario gives the same bytes on every run and from every build
of the engine.

Exit status: 0 every expectation holds; 1 one fails; 2 the scenario cannot be used.

Examples:
  cae replay tests/scenarios/user-revocation.json
  cae replay tests/scenarios/user-revocation.json --json --engine native";

pub(super) fn run(
    arguments: &Arguments,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let file = &arguments.scenario;
    let text = input::document(file)?;
    let scenario = Scenario::read(&text).map_err(|faults| Problem::core_faults(file, &faults))?;
    let runtime = options.runtime()?;
    let mut timeline = Timeline::new(out.width(), unicode());
    if !out.json() {
        out.line(timeline.open(&scenario));
    }
    let make_engine = |configuration: &str| runtime.engine(configuration);
    let summary = simulation::run(&scenario, make_engine, &mut |report| {
        if out.json() {
            out.line(report.to_json());
        } else {
            out.line(timeline.exchange(report));
        }
    })
    .map_err(|error| match error {
        RunError::Build(error) => Problem::engine(file, &error),
        other => Problem::file(file, other),
    })?;
    if !out.json() {
        out.line(timeline.close(&summary));
    }
    Ok(if summary.holds() {
        Exit::Done
    } else {
        Exit::Negative
    })
}

/// Whether the locale says that Unicode can be shown (POSIX: the first of these that is set and not empty).
fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|locale| !locale.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
