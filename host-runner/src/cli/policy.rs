//! `cae policy check`.

mod coverage;

use std::path::{Path, PathBuf};

use anstyle::Style;
use cae_core::json::{self, Value};
use cae_core::policy::evidence;
use cae_core::policy::what_if::Export;
use serde::{Deserialize, Serialize};

use super::output::Output;
use super::problem::{Beside, FileFault, Problem, complain, warn};
use super::{Exit, Options, input};
use crate::folder;
use crate::text::{ASKS, BAD, FAINT, GOOD, STRONG, one_line, wrap};

#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Say what of each policy is enforced at the resource, what only at the issuer, and what is not understood
    #[command(after_help = HELP)]
    Check {
        /// Policies as Microsoft Graph exports them: an object, a list, {"value": [...]}, or a folder of such files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The named locations that the policies refer to
        #[arg(long, value_name = "L.json")]
        named_locations: Option<PathBuf>,
        /// Members of application groups, as in settings.applicationGroups of an engine configuration
        #[arg(long, value_name = "G.json")]
        application_groups: Option<PathBuf>,
    },
    /// List the claims by which tokens show that a control is met
    #[command(after_help = EVIDENCE_HELP)]
    Evidence {
        /// Print the table of the documentation, in Markdown
        #[arg(long)]
        markdown: bool,
    },
}

const EVIDENCE_HELP: &str = "\
The resource looks for evidence by this table; `acrValues` of an issuer adds to it. What
is not in it leaves no trace in tokens.

Exit status: 0.

Examples:
  cae policy evidence
  cae policy evidence --json";

const HELP: &str = r#"Besides what each policy means, it says what all of them together leave open: whom, what
and where no enabled policy touches, which policies contradict each other, and which can
never apply. With --json that is the last line: {"coverage":{…}}.

Exit status: 0 all policies were read; 2 a file or a policy cannot be used. Every
fault is reported, not the first.

Example:
  cae policy check policies/ --named-locations locations.json"#;

/// The answer of the engine.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    policies: Vec<PolicyRow>,
    coverage: Option<Value>,
    warnings: Vec<String>,
    faults: Vec<FileFault>,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct CoverageLine<'a> {
    coverage: &'a Value,
}

/// What one policy means at the resource; also a line of `--json`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyRow {
    file: String,
    index: usize,
    id: Option<String>,
    display_name: Option<String>,
    state: String,
    enforced_at_resource: Vec<String>,
    only_at_issuer: Vec<String>,
    not_understood: Vec<String>,
    warnings: Vec<String>,
}

pub(super) fn run(command: &Command, options: &Options, out: &mut Output) -> Result<Exit, Problem> {
    match command {
        Command::Check {
            files,
            named_locations,
            application_groups,
        } => {
            let beside = Beside {
                named_locations: named_locations.as_deref(),
                application_groups: application_groups.as_deref(),
            };
            check(files, &beside, options, out)
        }
        Command::Evidence { markdown } => {
            list_evidence(*markdown, out);
            Ok(Exit::Done)
        }
    }
}

fn list_evidence(markdown: bool, out: &mut Output) {
    if markdown {
        out.line(evidence::markdown().trim_end());
        return;
    }
    if out.json() {
        evidence::lines().for_each(|line| out.line(line));
        return;
    }
    for row in evidence::TABLE {
        out.line(format_args!("{STRONG}{}{STRONG:#}", row.control));
        let shown = match row.values {
            [] => row.claim.to_owned(),
            values => format!("{}: {}", row.claim, values.join(" or ")),
        };
        print_part(out, "shown by", &shown, GOOD);
        print_part(out, "", row.meaning, FAINT);
    }
}

fn check(
    files: &[PathBuf],
    beside: &Beside<'_>,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    let locations = beside.named_locations.map(input::document).transpose()?;
    let groups = beside.application_groups.map(input::document).transpose()?;
    let mut exit = Exit::Done;
    let mut policies = Vec::new();
    for file in files.iter().flat_map(|file| json_files(file)) {
        match file.and_then(|file| Ok((file.display().to_string(), input::document(&file)?))) {
            Ok(policy) => policies.push(policy),
            Err(problem) => {
                problem.print();
                exit = Exit::BadInput;
            }
        }
    }
    let named: Vec<(&str, &str)> = policies
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let answer = options.runtime()?.tools().check_policies(&Export {
        policies: &named,
        named_locations: locations.as_deref(),
        application_groups: groups.as_deref(),
    })?;
    let answer: Answer = serde_json::from_str(&answer).map_err(Problem::new)?;
    for row in &answer.policies {
        if out.json() {
            out.line(json::to_text(row));
        } else {
            row.print(out);
        }
    }
    if !out.json() && answer.policies.len() > 1 {
        print_sum(&answer.policies, out);
    }
    if let Some(coverage) = answer
        .coverage
        .as_ref()
        .filter(|_| !answer.policies.is_empty())
    {
        if out.json() {
            out.line(json::to_text(&CoverageLine { coverage }));
        } else {
            coverage::print(coverage, out)?;
        }
    }
    for row in answer.policies.iter().filter(|row| row.says_nothing()) {
        warn(format_args!(
            "{} holds neither a state nor conditions nor controls: is it a Conditional Access policy?",
            row.position()
        ));
    }
    if answer.policies.is_empty() && answer.faults.is_empty() && exit == Exit::Done {
        warn("there is no policy in what was given");
    }
    answer.warnings.iter().for_each(warn);
    for fault in &answer.faults {
        complain(fault.named(beside));
    }
    Ok(if answer.ok { exit } else { Exit::BadInput })
}

/// As [`folder::json_files`], of which there has to be one.
pub(super) fn json_files(file: &Path) -> Vec<Result<PathBuf, Problem>> {
    match folder::json_files(file) {
        Ok(files) if files.is_empty() => {
            vec![Err(Problem::file(file, "the folder holds no .json file"))]
        }
        Ok(files) => files.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(Problem::file(file, error))],
    }
}

impl PolicyRow {
    fn position(&self) -> String {
        format!("policy {} of {}", self.index.saturating_add(1), self.file)
    }

    /// Whether nothing of a policy was found, as in an error message of Graph that was saved as an export.
    fn says_nothing(&self) -> bool {
        self.enforced_at_resource.is_empty()
            && self.only_at_issuer.is_empty()
            && self.not_understood == ["state"]
    }

    fn print(&self, out: &mut Output) {
        let position = self.position();
        let name = self
            .display_name
            .as_ref()
            .or(self.id.as_ref())
            .unwrap_or(&position);
        let state = if self.state == "enabled" { GOOD } else { FAINT };
        out.line(format_args!(
            "{STRONG}{}{STRONG:#} ({state}{}{state:#})",
            one_line(name),
            one_line(&self.state)
        ));
        for (label, parts, style) in [
            ("at the resource", &self.enforced_at_resource, GOOD),
            ("only at the issuer", &self.only_at_issuer, ASKS),
            ("not understood", &self.not_understood, BAD),
        ] {
            print_part(out, label, &parts.join(", "), style);
        }
        for (n, warning) in self.warnings.iter().enumerate() {
            let label = if n == 0 { "warnings" } else { "" };
            print_part(out, label, warning, ASKS);
        }
    }
}

/// What many policies come to.
fn print_sum(policies: &[PolicyRow], out: &mut Output) {
    let count = |is: fn(&PolicyRow) -> bool| policies.iter().filter(|row| is(row)).count();
    let whole = count(|row| row.not_understood.is_empty() && row.only_at_issuer.is_empty());
    let partly = count(|row| row.not_understood.is_empty() && !row.only_at_issuer.is_empty());
    let unclear = count(|row| !row.not_understood.is_empty());
    let sum = format!(
        "{} policies: {whole} wholly enforceable at the resource, {partly} partly left to the issuer, \
         {unclear} with something not understood (undetermined where it matters)",
        policies.len()
    );
    for line in wrap(&sum, out.width()) {
        out.line(format_args!("{STRONG}{line}{STRONG:#}"));
    }
}

fn print_part(out: &mut Output, label: &str, words: &str, style: Style) {
    const LABEL: usize = 20;
    let lines = wrap(words, out.width().saturating_sub(LABEL).saturating_sub(2));
    for (n, line) in lines.into_iter().enumerate() {
        let label = if n == 0 { label } else { "" };
        out.line(format_args!(
            "  {FAINT}{label:LABEL$}{FAINT:#}{style}{line}{style:#}"
        ));
    }
}
