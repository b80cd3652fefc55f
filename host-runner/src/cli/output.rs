//! Standard output: colours for terminals, and quiet when the reader goes away.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use anstream::AutoStream;

use super::problem::Problem;

/// Where answers go.
pub(super) struct Output {
    to: BufWriter<AutoStream<io::Stdout>>,
    /// Why nothing more can be written, if so.
    closed: Option<io::Error>,
    json: bool,
    terminal: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        // `AutoStream` drops styles where the output is no terminal or `NO_COLOR` is set.
        Self {
            to: BufWriter::new(AutoStream::auto(io::stdout())),
            closed: None,
            json,
            terminal: io::stdout().is_terminal(),
        }
    }

    /// Whether answers are JSON lines.
    pub(super) const fn json(&self) -> bool {
        self.json
    }

    /// Whether a person looks on.
    pub(super) const fn terminal(&self) -> bool {
        self.terminal
    }

    /// Whether anybody still reads; if not, a command may stop.
    pub(super) const fn open(&self) -> bool {
        self.closed.is_none()
    }

    /// Columns for people: what the environment or the terminal says, else what fits a common window.
    pub(super) fn width(&self) -> usize {
        let columns = std::env::var("COLUMNS").ok();
        let columns = columns.and_then(|columns| columns.parse().ok());
        let terminal = || {
            let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
            Some(usize::from(width.0))
        };
        let columns = columns.or_else(terminal);
        columns.unwrap_or(100_usize).clamp(60, 160)
    }

    /// Writes one line.
    pub(super) fn line(&mut self, text: impl Display) {
        if self.open() {
            self.closed = writeln!(self.to, "{text}").err();
        }
    }

    /// Writes lines that end with a line break each.
    pub(super) fn text(&mut self, lines: &str) {
        if self.open() {
            self.closed = self.to.write_all(lines.as_bytes()).err();
        }
    }

    /// Hands over what was written so far.
    pub(super) fn flush(&mut self) {
        if self.open() {
            self.closed = self.to.flush().err();
        }
    }

    /// Ends the output. That the reader went away is its own affair (`| head`); a full disk is not.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        self.flush();
        match self.closed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Problem::new(
                format_args!("standard output: {error}; what was written is not complete"),
            )),
            _ => Ok(()),
        }
    }
}
