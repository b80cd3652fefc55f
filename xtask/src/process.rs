//! Running other programs, and saying what is going on while they run.

use std::fmt;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What went wrong and how to mend it, in one line.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Says what is done and why, does it, and says how long it took.
pub(crate) fn step<T>(
    what: &str,
    why: &str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    say(&format!("==> {what}: {why}"));
    let started = Instant::now();
    let result = work();
    let took = seconds(started.elapsed());
    match &result {
        Ok(_) => say(&format!("    {what}: done in {took}")),
        Err(_) => say(&format!("    {what}: failed after {took}")),
    }
    result
}

/// Progress goes to standard error, like cargo's own.
pub(crate) fn say(line: &str) {
    if std::io::stderr().is_terminal() && line.starts_with("==>") {
        eprintln!("\x1b[1;36m{line}\x1b[0m");
    } else {
        eprintln!("{line}");
    }
}

/// A duration for people.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() {
        short @ 0..60 => format!("{short}.{} s", duration.subsec_millis() / 100),
        long => format!("{} min {} s", long / 60, long % 60),
    }
}

/// Runs a command whose output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` ended with {status}",
        line_of(command)
    )))
}

/// Runs a command and shows each line of its standard output as it comes, after `on_line` has seen it.
pub(crate) fn run_watching(
    command: &mut Command,
    mut on_line: impl FnMut(&str),
) -> Result<(), Failure> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            on_line(&line);
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` ended with {status}",
        line_of(command)
    )))
}

/// What a command prints on standard output; `None` if it is not there or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether a program is there and answers `--version`.
pub(crate) fn has(program: &str) -> bool {
    output(Command::new(program).arg("--version")).is_some()
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start `{}`: {error}", line_of(command)))
}

fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
