//! Standard output: colours for terminals, and quiet when the reader goes away.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use anstream::AutoStream;

/// Where answers go.
pub(super) struct Output {
    to: BufWriter<AutoStream<io::Stdout>>,
    /// Whether somebody still reads.
    open: bool,
    json: bool,
    terminal: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        // `AutoStream` drops styles where the output is no terminal or `NO_COLOR` is set.
        Self {
            to: BufWriter::new(AutoStream::auto(io::stdout())),
            open: true,
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
        self.open
    }

    /// Columns for people: what the shell exports, else what fits a common terminal.
    pub(super) fn width(&self) -> usize {
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        columns.unwrap_or(100_usize).clamp(60, 160)
    }

    /// Writes one line.
    pub(super) fn line(&mut self, text: impl Display) {
        if self.open {
            self.open = writeln!(self.to, "{text}").is_ok();
        }
    }

    /// Hands over what was written so far.
    pub(super) fn flush(&mut self) {
        if self.open {
            self.open = self.to.flush().is_ok();
        }
    }

    pub(super) fn finish(mut self) {
        self.flush();
    }
}
