//! `cae what-if`: what policies come to for many sign-ins, and whose access changes between two states of a tenant.

mod assumed;
mod chunks;
mod diff;
mod gate;
mod labels;
mod pipeline;
mod progress;
mod summary;

use std::fs::File;
use std::io::{self, Cursor, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cae_core::policy::what_if::report::Report;
use cae_core::policy::what_if::report::words::made;
use cae_core::policy::what_if::{Counts, Description, Representatives};

use super::input::{self, STANDARD_INPUT};
use super::output::Output;
use super::policy::json_files;
use super::problem::{Beside, Problem, complain, warn};
use super::{Exit, Options};
use crate::component::EngineError;
use crate::what_if::{Tenant, Tenants, WhatIfEngine};
use assumed::Assumed;
use gate::Gate;
use pipeline::Work;
use progress::Progress;

/// Evaluate sign-ins against every policy of a tenant, or against two states of it
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// Policies as Microsoft Graph exports them: a file, or a folder of files
    #[arg(
        long,
        value_name = "P.json",
        required_unless_present = "diff",
        conflicts_with = "diff"
    )]
    policies: Vec<PathBuf>,
    /// Show whose access changes from one state of the policies to another (files or folders)
    #[arg(long, num_args = 2, value_names = ["OLD.json", "NEW.json"])]
    diff: Vec<PathBuf>,
    /// The named locations that the policies refer to
    #[arg(long, value_name = "L.json")]
    named_locations: Option<PathBuf>,
    /// The named locations of OLD.json, where they differ
    #[arg(
        long,
        value_name = "L.json",
        requires = "diff",
        conflicts_with = "policies"
    )]
    old_named_locations: Option<PathBuf>,
    /// Authentication strengths, for their names
    #[arg(long, value_name = "A.json")]
    authentication_strengths: Option<PathBuf>,
    /// Members of application groups, as in settings.applicationGroups of an engine configuration
    #[arg(long, value_name = "G.json")]
    application_groups: Option<PathBuf>,
    /// Users, groups, directory roles and applications, for their names: Graph lists with id and displayName
    #[arg(
        long,
        value_name = "O.json",
        requires = "diff",
        conflicts_with = "policies"
    )]
    names: Vec<PathBuf>,
    /// Take policies that are not enabled as if they were: what a rollout would do
    #[arg(long, value_enum, value_name = "WHICH")]
    assume_enabled: Option<Assumed>,
    /// The sign-ins, one JSON object per line; - is standard input [default: made from the policies]
    #[arg(long, value_name = "S.jsonl")]
    sign_ins: Option<PathBuf>,
    /// Write a report for a browser to this file
    #[arg(
        long,
        value_name = "FILE",
        requires = "diff",
        conflicts_with = "policies"
    )]
    html: Option<PathBuf>,
    /// End with status 1 if there are changes of these kinds
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "KINDS",
        requires = "diff",
        conflicts_with = "policies"
    )]
    fail_on: Vec<Gate>,
    /// How many threads evaluate [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

const HELP: &str = r##"A sign-in is the body of Microsoft Graph's What If request, and what Graph would look up:
  {"id":"s1","signInIdentity":{"@odata.type":"#microsoft.graph.userSignIn","userId":"…"},
   "signInContext":{"@odata.type":"#microsoft.graph.applicationContext","includeApplications":["…"]},
   "signInConditions":{"ipAddress":"203.0.113.7","country":"DE","clientAppType":"browser"},
   "memberOf":[],"roles":[],"userType":"member","satisfied":["mfa"]}
What is absent is unknown; an empty list is known to be empty; `satisfied` names the grant
controls that are already met.

With --json every sign-in is answered by one line:
  {"id":"s1","result":"grant|challenge|block","unmet":[…],"policies":[{"id","displayName",
   "applies":"yes|no|undetermined","analysisReasons":[…],"unknown":[…],"result":"success|…"}],
   "sessionControls":{…}}
and with --diff every one whose access changes, and at last {"summary":{…}}.
A line that cannot be used is answered in its place by {"line":N,"error":"…"}.

Exit status: 0 all lines were answered; 1 changes of a kind that --fail-on names; 2 a line
or a file cannot be used.

Examples:
  cae what-if --policies policies.json --named-locations locations.json --sign-ins s.jsonl
  cae what-if --diff old.json new.json --html report.html --fail-on new-blocks,new-grants
  cae what-if --diff today/ baseline/ --assume-enabled all --html rollout.html"##;

pub(super) fn run(
    arguments: &Arguments,
    options: &Options,
    out: &mut Output,
) -> Result<Exit, Problem> {
    arguments.refuse_two_readers_of_standard_input()?;
    let labels = labels::read(
        arguments.authentication_strengths.as_deref(),
        &arguments.names,
    )?;
    let tenants = arguments.tenants()?;
    let compares = tenants.before.is_some();
    let runtime = options.runtime()?;
    let mut engine =
        WhatIfEngine::new(&runtime, tenants).map_err(|error| arguments.problem(&error))?;
    let description = engine.describe()?;
    let labels = labels.with(&description);
    if description.policies.is_empty() && description.compared.is_empty() {
        warn("there is no policy in what was given");
    }

    let source = match &arguments.sign_ins {
        Some(file) => Source::open(file)?,
        None => Source::made(engine.representatives()?),
    };
    let done = evaluate(arguments, engine, &description, source, out)?;
    for fault in &done.counts.summary.first_faults {
        // With --json the answers themselves say so.
        if !out.json() {
            complain(format_args!(
                "{}: line {}: {}",
                done.name, fault.line, fault.error
            ));
        }
    }
    if compares {
        let report = Report {
            states: arguments.states(),
            origin: done.origin(arguments.assume_enabled),
            made: done.made.is_some(),
            labels: &labels,
            description: &description,
            counts: &done.counts,
        };
        let diff = diff::Diff {
            report: &report,
            made: done.made.as_ref(),
        };
        diff.print(out);
        if let Some(file) = &arguments.html {
            std::fs::write(file, report.page()).map_err(|error| Problem::file(file, error))?;
        }
    } else if !out.json() {
        summary::print(&done, &description, &labels, out);
    }
    let mut exit = Exit::Done;
    if arguments
        .fail_on
        .iter()
        .any(|gate| gate.closes(&done.counts.changes))
    {
        exit = Exit::Negative;
    }
    if done.counts.summary.faulty > 0 {
        exit = Exit::BadInput;
    }
    Ok(exit)
}

/// What an evaluation came to.
struct Done {
    counts: Counts,
    /// The name of the sign-ins, for people.
    name: String,
    /// How they were made, if nobody gave them.
    made: Option<Representatives>,
}

impl Done {
    /// Where the sign-ins come from.
    fn origin(&self, assumed: Option<Assumed>) -> String {
        let origin = match &self.made {
            Some(representatives) => made(representatives),
            None => format!("the sign-ins of {}", self.name),
        };
        match assumed {
            Some(assumed) => format!("{origin}; {}", assumed.words()),
            None => origin,
        }
    }
}

/// Where sign-ins come from.
struct Source {
    input: Box<dyn Read + Send>,
    name: PathBuf,
    bytes: Option<u64>,
    made: Option<Representatives>,
}

impl Source {
    fn open(file: &Path) -> Result<Self, Problem> {
        if file == Path::new(STANDARD_INPUT) {
            if io::stdin().is_terminal() {
                warn(
                    "sign-ins are read from this terminal, one JSON object per line; Ctrl-D ends them",
                );
            }
            return Ok(Self {
                input: Box::new(io::stdin()),
                name: file.to_owned(),
                bytes: None,
                made: None,
            });
        }
        let open = File::open(file).map_err(|error| Problem::file(file, error))?;
        let about = open
            .metadata()
            .map_err(|error| Problem::file(file, error))?;
        if about.is_dir() {
            return Err(Problem::file(
                file,
                "a folder: name the file with the sign-ins",
            ));
        }
        Ok(Self {
            input: Box::new(open),
            name: file.to_owned(),
            // A pipe has no length.
            bytes: about.is_file().then_some(about.len()),
            made: None,
        })
    }

    fn made(mut representatives: Representatives) -> Self {
        let lines = std::mem::take(&mut representatives.lines);
        Self {
            bytes: u64::try_from(lines.len()).ok(),
            input: Box::new(Cursor::new(lines)),
            name: PathBuf::from("sign-ins made from the policies"),
            made: Some(representatives),
        }
    }
}

/// Counts what is read, for whoever waits.
struct Counted<R> {
    from: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.read.fetch_add(bytes, Ordering::Relaxed);
        Ok(read)
    }
}

fn evaluate(
    arguments: &Arguments,
    engine: WhatIfEngine,
    description: &Description,
    source: Source,
    out: &mut Output,
) -> Result<Done, Problem> {
    let policies = description.policies.len().saturating_add(
        description
            .compared
            .iter()
            .filter(|pair| pair.state_before.is_some())
            .count(),
    );
    let write = out.json();
    let threads = arguments.threads.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let work = Work {
        engine,
        threads,
        write,
        lines: lines_of_a_chunk(policies, write),
        file: &source.name,
    };
    let read = Arc::new(AtomicU64::new(0));
    let input = Counted {
        from: source.input,
        read: Arc::clone(&read),
    };
    let mut progress = Progress::new(source.bytes, write && out.terminal());
    let mut counts = Counts::default();
    let so_far = |counts: &Counts| {
        let summary = &counts.summary;
        let policies = u64::try_from(policies).unwrap_or(u64::MAX);
        (
            summary.sign_ins.saturating_add(summary.faulty),
            summary.sign_ins.saturating_mul(policies),
        )
    };
    let out = std::cell::RefCell::new(out);
    let done = work.run(
        input,
        |batch| {
            let mut out = out.borrow_mut();
            out.text(&batch.lines);
            counts.merge(&batch.counts);
            let (lines, evaluations) = so_far(&counts);
            progress.draw(lines, evaluations, read.load(Ordering::Relaxed));
            out.open()
        },
        || out.borrow_mut().flush(),
    );
    let (lines, evaluations) = so_far(&counts);
    progress.finish(lines, evaluations);
    done?;
    Ok(Done {
        counts,
        name: super::problem::name(&source.name).into_owned(),
        made: source.made,
    })
}

/// Answers of one chunk stay within a few megabytes, however many policies there are.
fn lines_of_a_chunk(policies: usize, write: bool) -> usize {
    const ANSWER: usize = 200;
    const MOST: usize = 4 << 20;
    let answer = policies.max(1).saturating_mul(ANSWER);
    let most = MOST.checked_div(answer).unwrap_or_default();
    if write { most.clamp(1, 1_024) } else { 1_024 }
}

impl Arguments {
    /// The names of the two states.
    fn states(&self) -> [String; 2] {
        let name = |position: usize| {
            let file = self.diff.get(position);
            file.map_or_else(String::new, |file| super::problem::name(file).into_owned())
        };
        [name(0), name(1)]
    }

    fn refuse_two_readers_of_standard_input(&self) -> Result<(), Problem> {
        let files = self.policies.iter().chain(&self.diff);
        let files = files
            .chain(&self.named_locations)
            .chain(&self.old_named_locations);
        let files = files
            .chain(&self.authentication_strengths)
            .chain(&self.application_groups)
            .chain(&self.names)
            .chain(&self.sign_ins);
        if files
            .filter(|file| *file == Path::new(STANDARD_INPUT))
            .count()
            > 1
        {
            return Err(Problem::new(
                "standard input can hold one of the files: name the others",
            ));
        }
        Ok(())
    }

    fn tenants(&self) -> Result<Tenants, Problem> {
        let document = |file: Option<&PathBuf>| file.map(|file| input::document(file)).transpose();
        let named_locations = document(self.named_locations.as_ref())?;
        let application_groups = document(self.application_groups.as_ref())?;
        let tenant = |files: &[PathBuf], named_locations| {
            let mut tenant = Tenant {
                files: read_all(files)?,
                named_locations,
                application_groups: application_groups.clone(),
            };
            if let Some(assumed) = self.assume_enabled {
                assumed.apply(&mut tenant);
            }
            Ok::<_, Problem>(tenant)
        };
        match self.diff.as_slice() {
            [old, new] => {
                let older = match &self.old_named_locations {
                    Some(file) => Some(input::document(file)?),
                    None => named_locations.clone(),
                };
                Ok(Tenants {
                    before: Some(tenant(std::slice::from_ref(old), older)?),
                    tenant: tenant(std::slice::from_ref(new), named_locations)?,
                })
            }
            _ => Ok(Tenants {
                tenant: tenant(&self.policies, named_locations)?,
                before: None,
            }),
        }
    }

    /// Everything that is wrong with the files.
    fn problem(&self, error: &EngineError) -> Problem {
        match error {
            EngineError::Configuration(faults) => Problem::file_faults(
                faults,
                &Beside {
                    named_locations: self.named_locations.as_deref(),
                    application_groups: self.application_groups.as_deref(),
                },
            ),
            other => Problem::new(other),
        }
    }
}

/// The files with policies, folders too.
fn read_all(files: &[PathBuf]) -> Result<Vec<(String, String)>, Problem> {
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for file in files.iter().flat_map(|file| json_files(file)) {
        match file.and_then(|file| {
            Ok((
                super::problem::name(&file).into_owned(),
                input::document(&file)?,
            ))
        }) {
            Ok(policies) => read.push(policies),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(read)
    } else {
        Err(Problem::all(problems))
    }
}
