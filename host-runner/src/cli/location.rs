//! `cae location match`.

use std::path::PathBuf;

use cae_core::json;
use serde::{Deserialize, Serialize};

use super::output::Output;
use super::problem::{Beside, FileFault, Problem, complain, warn};
use super::{Exit, Options, input};
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, Table};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Say which named locations an address lies in
    #[command(after_help = HELP)]
    Match {
        /// Named locations as Microsoft Graph exports them: an object, a list, or {"value": [...]}
        #[arg(long, value_name = "L.json")]
        named_locations: PathBuf,
        /// IPv4 or IPv6 addresses
        #[arg(required = true, value_name = "IP")]
        addresses: Vec<String>,
    },
}

const HELP: &str = "\
Locations of countries are told as unknown: an address alone does not say its country.

Exit status: 0 all addresses were looked up; 2 an address or the file cannot be used.

Example:
  cae location match --named-locations locations.json 203.0.113.7 2001:db8::1";

/// The answer of the engine.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    addresses: Vec<AddressRow>,
    warnings: Vec<String>,
    faults: Vec<FileFault>,
}

/// Where one address lies; also a line of `--json`.
#[derive(Deserialize, Serialize)]
struct AddressRow {
    address: String,
    canonical: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    locations: Vec<LocationRow>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationRow {
    id: Option<String>,
    display_name: Option<String>,
    trusted: bool,
    r#match: String,
}

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    let Command::Match {
        named_locations,
        addresses,
    } = command;
    let text = input::document(named_locations)?;
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let answer = options
        .runtime()?
        .tools()
        .match_locations(&text, &addresses)?;
    let answer: Answer = serde_json::from_str(&answer).map_err(Problem::new)?;
    if out.json() {
        answer
            .addresses
            .iter()
            .for_each(|row| out.line(json::to_text(row)));
    } else if !answer.addresses.is_empty() {
        out.line(table(&answer.addresses));
    }
    answer.warnings.iter().for_each(warn);
    let beside = Beside {
        named_locations: Some(named_locations),
        ..Beside::default()
    };
    for fault in &answer.faults {
        complain(fault.named(&beside));
    }
    for row in &answer.addresses {
        if let Some(error) = &row.error {
            complain(format_args!("{}: {error}", row.address));
        }
    }
    Ok(if answer.ok {
        Exit::Done
    } else {
        Exit::BadInput
    })
}

fn table(addresses: &[AddressRow]) -> Table {
    let mut rows = Vec::new();
    for row in addresses {
        let address = (
            row.canonical.clone().unwrap_or_else(|| row.address.clone()),
            STRONG,
        );
        if row.locations.is_empty() {
            let (nowhere, style) = if row.error.is_some() {
                ("not an address", BAD)
            } else {
                ("none", FAINT)
            };
            rows.push(vec![address.clone(), (nowhere.to_owned(), style)]);
        }
        for location in &row.locations {
            let name = location.display_name.as_ref().or(location.id.as_ref());
            let style = if location.r#match == "yes" {
                GOOD
            } else {
                ASKS
            };
            let trusted = if location.trusted { "yes" } else { "no" };
            rows.push(vec![
                address.clone(),
                (name.cloned().unwrap_or_default(), style),
                (location.r#match.clone(), style),
                (trusted.to_owned(), FAINT),
            ]);
        }
    }
    Table {
        headings: &["address", "named location", "match", "trusted"],
        rows,
    }
}
