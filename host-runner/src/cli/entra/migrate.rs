//! `cae entra migrate-settings`.

use std::path::Path;

use cae_core::json::{self, Limits, Value};

use super::super::Exit;
use super::super::input;
use super::super::output::Output;
use super::super::problem::{Problem, note};
use super::Asked;
use crate::entra::graph::GraphError;
use crate::entra::migration::{LEGACY, Migration};

pub(super) const HELP: &str = "\
The setting is the object that Graph shows at
GET /beta/identity/continuousAccessEvaluationPolicy (permission Policy.Read.All). What it
becomes is what the button Migrate of the portal makes of it:
  never configured, or enabled for everybody   nothing: evaluation is on by itself
  enabled for some users or groups             a policy that switches it off for all others
  disabled                                     a policy that switches it off for everybody
  migrated already                             nothing: the policy is there

Exit status: 0 a policy is printed; 1 nothing has to be migrated; 2 it cannot be read.

Examples:
  cae entra migrate-settings --config cae.toml > policy.json
  az rest --method GET --url https://graph.microsoft.com/beta/identity/continuousAccessEvaluationPolicy \\
    | cae entra migrate-settings -";

pub(super) fn run(
    file: Option<&Path>,
    config: Option<&Path>,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let setting = match (file, config) {
        (Some(file), _) => {
            let text = input::document(file)?;
            let parsed = json::parse(text.as_bytes(), Limits::DOCUMENT);
            Some(parsed.map_err(|error| Problem::file(file, error))?)
        }
        (None, Some(config)) => fetched(config)?,
        (None, None) => None,
    };
    match Migration::of(setting.as_ref()).map_err(Problem::new)? {
        Migration::Nothing(why) => {
            note(why);
            Ok(Exit::Negative)
        }
        Migration::Policy(policy) => {
            if out.json() {
                out.line(&policy);
            } else {
                out.line(format_args!("{policy:#}"));
            }
            note(
                "check it, then create it: POST /identity/conditionalAccess/policies (beta, for the session control)",
            );
            Ok(Exit::Done)
        }
    }
}

fn fetched(config: &Path) -> Result<Option<Value>, Problem> {
    let mut asked = Asked::of(config)?;
    let url = asked.graph.beta_url(LEGACY);
    match asked.graph.get(&asked.host, &url) {
        Ok(setting) => Ok(Some(setting)),
        // A tenant that never had it.
        Err(GraphError::NotFound) => Ok(None),
        Err(error) => Err(Problem::new(error)),
    }
}
