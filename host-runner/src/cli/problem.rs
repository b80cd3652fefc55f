//! Input that cannot be used.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::Write as _;
use std::path::Path;

use anstyle::Style;
use cae_core::configuration::Faults;
use serde::Deserialize;

use super::input::STANDARD_INPUT;
use crate::component::EngineError;
use crate::text::{ASKS, BAD, FAINT, one_line};

/// Why a command did nothing: one line per fault, each saying what, where and how to mend it.
#[derive(Debug)]
pub(super) struct Problem(Vec<String>);

/// A fault as the engine writes it.
#[derive(Deserialize)]
struct Fault {
    at: String,
    code: String,
    message: String,
}

/// A fault in one of several files.
#[derive(Deserialize)]
pub(super) struct FileFault {
    file: String,
    #[serde(flatten)]
    fault: Fault,
}

/// The files beside the policies: the engine does not know their names.
#[derive(Default)]
pub(super) struct Beside<'a> {
    pub(super) named_locations: Option<&'a Path>,
    pub(super) application_groups: Option<&'a Path>,
}

impl FileFault {
    /// The line for people.
    pub(super) fn named(&self, beside: &Beside<'_>) -> String {
        let file = match self.file.as_str() {
            "namedLocations" => beside.named_locations,
            "applicationGroups" => beside.application_groups,
            _ => None,
        };
        let file = file.map_or_else(|| self.file.as_str().into(), name);
        format!("{file}: {}", self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "/" } else { &self.at };
        write!(f, "{at}: {} [{}]", self.message, self.code)
    }
}

impl Problem {
    pub(super) fn new(what: impl Display) -> Self {
        Self(vec![what.to_string()])
    }

    /// Several problems, each on its own lines.
    pub(super) fn all(problems: Vec<Self>) -> Self {
        Self(problems.into_iter().flat_map(|problem| problem.0).collect())
    }

    /// Several lines.
    pub(super) const fn lines(lines: Vec<String>) -> Self {
        Self(lines)
    }

    /// Something is wrong with `file`.
    pub(super) fn file(file: &Path, what: impl Display) -> Self {
        Self::new(format_args!("{}: {what}", name(file)))
    }

    /// Everything that is wrong with `file`, as a list of faults in JSON.
    pub(super) fn faults(file: &Path, faults: &str) -> Self {
        let Ok(faults) = serde_json::from_str::<Vec<Fault>>(faults) else {
            return Self::file(file, faults);
        };
        let line = |fault: &Fault| format!("{}: {fault}", name(file));
        Self(faults.iter().map(line).collect())
    }

    /// Everything that is wrong with several files, as a list of faults in JSON.
    pub(super) fn file_faults(faults: &str, beside: &Beside<'_>) -> Self {
        match serde_json::from_str::<Vec<FileFault>>(faults) {
            Ok(faults) => Self(faults.iter().map(|fault| fault.named(beside)).collect()),
            Err(_) => Self::new(faults),
        }
    }

    /// Everything that the core found wrong with `file`.
    pub(super) fn core_faults(file: &Path, faults: &Faults) -> Self {
        let line = |fault| format!("{}: {fault}", name(file));
        Self(faults.0.iter().map(line).collect())
    }

    /// The engine did not take the configuration in `file`, or failed.
    pub(super) fn engine(file: &Path, error: &EngineError) -> Self {
        match error {
            EngineError::Configuration(faults) => Self::faults(file, faults),
            other => Self::new(other),
        }
    }

    /// Prints the lines on standard error.
    pub(super) fn print(&self) {
        self.0.iter().for_each(complain);
    }
}

/// The name of a file for people.
pub(super) fn name(file: &Path) -> Cow<'_, str> {
    if file == Path::new(STANDARD_INPUT) {
        Cow::Borrowed("standard input")
    } else {
        file.to_string_lossy()
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::new(error)
    }
}

/// One line on standard error, about something that was refused.
pub(super) fn complain(what: impl Display) {
    say("error", BAD, what);
}

/// One line on standard error, about something that should be looked at.
pub(super) fn warn(what: impl Display) {
    say("warning", ASKS, what);
}

/// One line on standard error that goes with an answer, or is the record of what an operator did.
pub(super) fn note(what: impl Display) {
    say("note", FAINT, what);
}

fn say(word: &str, style: Style, what: impl Display) {
    let line = format!("{style}{word}:{style:#} {}", one_line(&what.to_string()));
    // That nobody reads standard error is no reason to stop.
    drop(writeln!(anstream::stderr(), "{line}"));
}
