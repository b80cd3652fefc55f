//! Input that cannot be used.

use std::fmt::Display;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use cae_core::configuration::Faults;
use serde::Deserialize;

use crate::text::one_line;
use crate::component::EngineError;

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

impl Problem {
    pub(super) fn new(what: impl Display) -> Self {
        Self(vec![what.to_string()])
    }

    /// Something is wrong with `file`.
    pub(super) fn file(file: &Path, what: impl Display) -> Self {
        Self::new(format_args!("{}: {what}", file.display()))
    }

    /// Everything that is wrong with `file`, as a list of faults in JSON.
    pub(super) fn faults(file: &Path, faults: &str) -> Self {
        let Ok(faults) = serde_json::from_str::<Vec<Fault>>(faults) else {
            return Self::file(file, faults);
        };
        let line = |fault: &Fault| {
            let at = if fault.at.is_empty() { "/" } else { &fault.at };
            format!("{}: {at}: {} [{}]", file.display(), fault.message, fault.code)
        };
        Self(faults.iter().map(line).collect())
    }

    /// Everything that the core found wrong with `file`.
    pub(super) fn core_faults(file: &Path, faults: &Faults) -> Self {
        let line = |fault| format!("{}: {fault}", file.display());
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

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        Self::new(error)
    }
}

/// One line on standard error.
pub(super) fn complain(what: impl Display) {
    const RED: Style = AnsiColor::Red.on_default().bold();
    // Nobody reading standard error is no reason to stop.
    drop(std::io::Write::write_fmt(
        &mut anstream::stderr(),
        format_args!("{RED}error:{RED:#} {}\n", one_line(&what.to_string())),
    ));
}
