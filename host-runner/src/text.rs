//! Text for people: colours, JSON that can be read, tables, and nothing that a terminal would obey.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use anstyle::{AnsiColor, Style};
use cae_core::json::Value;
use cae_core::time::UnixTime;

/// Good: allowed, granted, an expectation that holds.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Asks for more: a challenge, something undetermined.
pub(crate) const ASKS: Style = AnsiColor::Yellow.on_default();
/// Bad: refused, rejected, an expectation that fails.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// Names and headings.
pub(crate) const STRONG: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const FAINT: Style = AnsiColor::BrightBlack.on_default();
/// Member names of JSON.
const NAME: Style = AnsiColor::Cyan.on_default();

/// `text` on one line, without anything that a terminal would obey.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => line.push(' '),
            control if control.is_control() => line.extend(control.escape_default()),
            other => line.push(other),
        }
    }
    Cow::Owned(line)
}

/// Words in lines of at most `width` columns; longer words are broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    let mut lines = vec![];
    let mut line = String::new();
    let mut columns = 0_usize;
    for word in one_line(text).split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for (n, piece) in letters.chunks(width).enumerate() {
            let space = usize::from(columns > 0 && n == 0);
            if columns.saturating_add(space).saturating_add(piece.len()) > width {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            } else if space == 1 {
                line.push(' ');
                columns = columns.saturating_add(1);
            }
            line.extend(piece);
            columns = columns.saturating_add(piece.len());
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Seconds since 1970 as a date in UTC.
pub(crate) fn date(seconds: u64) -> String {
    UnixTime::from_secs(seconds).utc().to_string()
}

/// A member of an answer of the engine; `null` if there is none.
pub(crate) fn member<'v>(answer: &'v Value, name: &str) -> &'v Value {
    answer.get(name).unwrap_or(&Value::Null)
}

/// A member that is a string.
pub(crate) fn word<'v>(answer: &'v Value, name: &str) -> Option<&'v str> {
    member(answer, name).as_str()
}

/// The elements of a member that is a list.
pub(crate) fn elements<'v>(
    answer: &'v Value,
    name: &str,
) -> impl Iterator<Item = &'v Value> + use<'v> {
    member(answer, name).as_array().into_iter().flatten()
}

/// JSON for people: indented, short lists and objects on one line, member names in colour.
pub(crate) struct Pretty<'a> {
    pub(crate) value: &'a Value,
    /// Columns of the page.
    pub(crate) width: usize,
    /// The column at which the text starts, by which further lines are indented.
    pub(crate) indent: usize,
}

impl Display for Pretty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.value, self.indent, self.indent)
    }
}

impl Pretty<'_> {
    /// Writes `value` from `column` on; further lines are indented by `indent`.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        value: &Value,
        column: usize,
        indent: usize,
    ) -> fmt::Result {
        let inline = column.saturating_add(columns(value)) <= self.width;
        match value {
            Value::Array(elements) if !elements.is_empty() => {
                let elements = elements.iter().map(|element| (None, element));
                self.write_members(f, ['[', ']'], elements, inline, indent)
            }
            Value::Object(members) if !members.is_empty() => {
                let members = members
                    .iter()
                    .map(|(name, value)| (Some(quoted(name)), value));
                self.write_members(f, ['{', '}'], members, inline, indent)
            }
            Value::String(text) => f.write_str(&quoted(text)),
            other => write!(f, "{other}"),
        }
    }

    /// All on one line if `inline`, else as many on each line as fit.
    fn write_members<'v>(
        &self,
        f: &mut fmt::Formatter<'_>,
        [open, close]: [char; 2],
        members: impl Iterator<Item = (Option<String>, &'v Value)>,
        inline: bool,
        indent: usize,
    ) -> fmt::Result {
        let inner = indent.saturating_add(2);
        // Where the next member starts; past the page at first, so that it starts a line.
        let mut column = if inline { 0 } else { usize::MAX };
        f.write_char(open)?;
        for (n, (name, value)) in members.enumerate() {
            let label = name
                .as_ref()
                .map_or(0, |name| name.chars().count().saturating_add(2));
            let length = label.saturating_add(columns(value));
            if n > 0 {
                f.write_char(',')?;
            }
            if inline || column.saturating_add(length) < self.width {
                f.write_str(if n > 0 { " " } else { "" })?;
                column = column.saturating_add(1);
            } else {
                write!(f, "\n{:inner$}", "")?;
                column = inner;
            }
            if let Some(name) = name {
                write!(f, "{NAME}{name}{NAME:#}: ")?;
            }
            self.write(f, value, column.saturating_add(label), inner)?;
            // A value of several lines leaves no room behind it.
            column = column.saturating_add(length);
            if !inline && column > self.width {
                column = usize::MAX;
            }
        }
        if !inline {
            write!(f, "\n{:indent$}", "")?;
        }
        f.write_char(close)
    }
}

/// Columns of a value on one line, and one for the comma behind it.
fn columns(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Array(elements) => elements
            .iter()
            .map(|element| columns(element).saturating_add(1))
            .sum(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let name = quoted(name).chars().count();
                name.saturating_add(columns(value)).saturating_add(3)
            };
            members.iter().map(member).sum()
        }
        Value::String(text) => return quoted(text).chars().count().saturating_add(1),
        other => return other.to_string().len().saturating_add(1),
    };
    // The last element has no space behind it, but there are two brackets.
    inside.saturating_add(2)
}

/// A string as JSON, with nothing in it that a terminal would obey.
fn quoted(text: &str) -> String {
    one_line(&Value::from(text).to_string()).into_owned()
}

/// Rows with aligned columns; the last column takes what is left.
pub(crate) struct Table {
    pub(crate) headings: &'static [&'static str],
    pub(crate) rows: Vec<Vec<(String, Style)>>,
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = self
            .headings
            .iter()
            .map(|heading| ((*heading).to_owned(), STRONG))
            .collect();
        let rows: Vec<&Vec<(String, Style)>> =
            std::iter::once(&heading).chain(&self.rows).collect();
        let last = self.headings.len().saturating_sub(1);
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|(text, _)| text.chars().count())
                    .max()
                    .unwrap_or_default()
                    .min(48)
            })
            .collect();
        for (n, row) in rows.iter().enumerate() {
            if n > 0 {
                f.write_char('\n')?;
            }
            for (column, ((text, style), width)) in row.iter().zip(&widths).enumerate() {
                let text = one_line(text);
                if column == last || column.saturating_add(1) == row.len() {
                    write!(f, "{style}{text}{style:#}")?;
                } else {
                    let pad = width.saturating_sub(text.chars().count()).saturating_add(2);
                    write!(f, "{style}{text}{style:#}{:pad$}", "")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: impl Display) -> String {
        anstream::adapter::strip_str(&text.to_string()).to_string()
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(
            one_line("a\nb\u{1b}[2J\u{9b}31m"),
            "a b\\u{1b}[2J\\u{9b}31m"
        );
        let value = Value::from("\u{9b}31m");
        assert_eq!(
            plain(Pretty {
                value: &value,
                width: 80,
                indent: 0
            }),
            "\"\\u{9b}31m\""
        );
    }

    #[test]
    fn json_is_broken_where_it_does_not_fit() {
        let value: Value =
            serde_json::from_str(r#"{"a":[1,2],"b":{},"c":[3,4,5,6],"d":7}"#).unwrap();
        for (width, indent, text) in [
            (
                80,
                0,
                r#"{"a": [1, 2], "b": {}, "c": [3, 4, 5, 6], "d": 7}"#,
            ),
            (
                40,
                2,
                "{\n    \"a\": [1, 2], \"b\": {},\n    \"c\": [3, 4, 5, 6], \"d\": 7\n  }",
            ),
            (
                16,
                0,
                "{\n  \"a\": [1, 2],\n  \"b\": {},\n  \"c\": [\n    3, 4, 5, 6\n  ],\n  \"d\": 7\n}",
            ),
        ] {
            assert_eq!(
                plain(Pretty {
                    value: &value,
                    width,
                    indent
                }),
                text
            );
        }
    }

    #[test]
    fn digits_stand_in_groups() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let cell = |text: &str| (text.to_owned(), GOOD);
        let rows = vec![
            vec![cell("long cell"), cell("x")],
            vec![cell("y"), cell("z")],
        ];
        let table = Table {
            headings: &["a", "b"],
            rows,
        };
        assert_eq!(plain(table), "a          b\nlong cell  x\ny          z");
    }
}
