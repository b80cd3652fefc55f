//! `cae entra`: a tenant of Microsoft Entra as the source, for operators.

mod export;
mod manifest;
mod migrate;
mod sync;

use std::path::PathBuf;

use super::Exit;
use super::output::Output;
use super::problem::Problem;
use crate::entra::graph::Graph;
use crate::entra::outside::Outside;
use crate::serve::settings::Settings;
use crate::serve::settings::entra::Entra;
use crate::serve::{Client, read_settings};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Let the running service read everything from Graph now: policies, users, risk, groups
    Sync {
        #[command(flatten)]
        at: At,
        /// Where its administration listener is [default: as cae.toml says]
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Write the policies of the tenant to files, for what-if, the simulator and [files]
    Export {
        #[command(flatten)]
        at: At,
        /// The folder to write to; it is made if there is none
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Print the Conditional Access policy that the legacy setting of continuous access evaluation becomes
    #[command(after_help = migrate::HELP)]
    MigrateSettings {
        /// The setting as Graph shows it; `-` is standard input
        #[arg(
            value_name = "FILE|-",
            required_unless_present = "config",
            conflicts_with = "config"
        )]
        file: Option<PathBuf>,
        /// Read it from the tenant in this configuration of the service
        #[arg(long, value_name = "cae.toml")]
        config: Option<PathBuf>,
    },
    /// Print the optional claims that an API has to ask for, and what enforcement loses without each
    #[command(after_help = manifest::HELP)]
    Manifest,
}

/// Which service.
#[derive(clap::Args, Debug)]
pub(super) struct At {
    /// The configuration of the service, with its [entra]
    #[arg(long, value_name = "cae.toml")]
    config: PathBuf,
}

pub(super) const HELP: &str = "\
Exit status: 0 done; 1 not everything was read (sync), or nothing has to be migrated
(migrate-settings); 2 the tenant or the service cannot be reached, or refuses.

Examples:
  cae entra sync --config cae.toml
  cae entra export --config cae.toml --to policies
  cae what-if --policies policies/policies.json --named-locations policies/named-locations.json
  cae entra migrate-settings --config cae.toml
  cae entra manifest";

pub(super) fn run(command: &Command, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::Sync { at, url } => sync::run(at, url.as_deref(), out),
        Command::Export { at, to } => export::run(at, to, out),
        Command::MigrateSettings { file, config } => {
            migrate::run(file.as_deref(), config.as_deref(), out)
        }
        Command::Manifest => {
            manifest::run(out);
            Ok(Exit::Done)
        }
    }
}

/// A tenant that is asked without a service.
struct Asked {
    graph: Graph,
    host: Outside,
}

impl Asked {
    fn of(config: &std::path::Path) -> Result<Self, Problem> {
        let settings = read_settings(config).map_err(Problem::lines)?;
        let entra = block(&settings, config)?.clone();
        Ok(Self {
            graph: Graph::new(entra),
            host: Outside::new(client(&settings)?),
        })
    }
}

fn client(settings: &Settings) -> Result<Client, Problem> {
    Client::new(settings.certificate_authorities.as_deref()).map_err(Problem::new)
}

fn block<'s>(settings: &'s Settings, config: &std::path::Path) -> Result<&'s Entra, Problem> {
    let entra = settings.entra.as_ref();
    entra.ok_or_else(|| Problem::file(config, "there is no [entra] in it"))
}
