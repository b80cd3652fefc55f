//! `cae config schema`.

use super::output::Output;
use super::problem::Problem;
use super::{Exit, Options};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Print the JSON Schema of an engine configuration, of a scenario, or of cae.toml
    #[command(after_help = HELP)]
    Schema {
        /// Of scenario files instead
        #[arg(long, conflicts_with = "service")]
        scenario: bool,
        /// Of cae.toml instead, the configuration of `cae serve`
        #[arg(long)]
        service: bool,
    },
}

const HELP: &str = "\
Editors complete and check files with it: name the schema in `$schema`, or map it in
the editor's settings.

Example:
  cae config schema > engine.schema.json";

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Schema { scenario, service } = command;
    let schema = if *service {
        crate::serve::settings::schema().to_owned()
    } else if *scenario {
        // Scenarios are run by this program; the component knows nothing of them.
        cae_core::simulation::schema().to_owned()
    } else {
        options.runtime()?.tools().configuration_schema()?
    };
    if out.json() {
        let value: cae_core::json::Value = serde_json::from_str(&schema).map_err(Problem::new)?;
        out.line(value);
    } else {
        out.line(schema.trim_end());
    }
    Ok(Exit::Done)
}
