//! Text for people: colours, JSON that can be read, tables, and nothing that a terminal would obey.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use anstyle::{AnsiColor, Style};
use cae_core::json::Value;

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
    fn write(&self, f: &mut fmt::Formatter<'_>, value: &Value, column: usize, indent: usize) -> fmt::Result {
        let inline = column.saturating_add(columns(value)) <= self.width;
        let inner = indent.saturating_add(2);
        match value {
            Value::Array(elements) if !elements.is_empty() => {
                write_list(f, "[]", inline, indent, elements.iter(), |f, element| self.write(f, element, inner, inner))
            }
            Value::Object(members) if !members.is_empty() => {
                write_list(f, "{}", inline, indent, members.iter(), |f, (name, value)| {
                    let name = quoted(name);
                    write!(f, "{NAME}{name}{NAME:#}: ")?;
                    let column = inner.saturating_add(name.chars().count()).saturating_add(2);
                    self.write(f, value, column, inner)
                })
            }
            Value::String(text) => f.write_str(&quoted(text)),
            other => write!(f, "{other}"),
        }
    }
}

/// Columns of a value on one line, and one for the comma behind it.
fn columns(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Array(elements) => elements.iter().map(|element| columns(element).saturating_add(1)).sum(),
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

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    brackets: &str,
    inline: bool,
    indent: usize,
    elements: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    let (open, close) = brackets.split_at(1);
    let inner = indent.saturating_add(2);
    f.write_str(open)?;
    for (n, element) in elements.enumerate() {
        if n > 0 {
            f.write_char(',')?;
        }
        match (inline, n) {
            (false, _) => write!(f, "\n{:inner$}", "")?,
            (true, 0) => {}
            (true, _) => f.write_char(' ')?,
        }
        write(f, element)?;
    }
    if !inline {
        write!(f, "\n{:indent$}", "")?;
    }
    f.write_str(close)
}

/// Rows with aligned columns; the last column takes what is left.
pub(crate) struct Table {
    pub(crate) headings: &'static [&'static str],
    pub(crate) rows: Vec<Vec<(String, Style)>>,
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = self.headings.iter().map(|heading| ((*heading).to_owned(), STRONG)).collect();
        let rows: Vec<&Vec<(String, Style)>> = std::iter::once(&heading).chain(&self.rows).collect();
        let last = self.headings.len().saturating_sub(1);
        let widths: Vec<usize> = (0..self.headings.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|(text, _)| text.chars().count()).max().unwrap_or_default().min(48)
            })
            .collect();
        for (n, row) in rows.iter().enumerate() {
            if n > 0 {
                f.write_char('\n')?;
            }
            for (column, ((text, style), width)) in row.iter().zip(&widths).enumerate() {
                let text = one_line(text);
                if column == last {
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
        assert_eq!(one_line("a\nb\u{1b}[2J\u{9b}31m"), "a b\\u{1b}[2J\\u{9b}31m");
        let value = Value::from("\u{9b}31m");
        assert_eq!(plain(Pretty { value: &value, width: 80, indent: 0 }), "\"\\u{9b}31m\"");
    }

    #[test]
    fn json_is_broken_where_it_does_not_fit() {
        let value: Value = serde_json::from_str(r#"{"a":[1,2],"b":{}}"#).unwrap();
        assert_eq!(plain(Pretty { value: &value, width: 80, indent: 0 }), r#"{"a": [1, 2], "b": {}}"#);
        assert_eq!(
            plain(Pretty { value: &value, width: 17, indent: 2 }),
            "{\n    \"a\": [1, 2],\n    \"b\": {}\n  }"
        );
    }

    #[test]
    fn columns_are_aligned() {
        let cell = |text: &str| (text.to_owned(), GOOD);
        let rows = vec![vec![cell("long cell"), cell("x")], vec![cell("y"), cell("z")]];
        let table = Table { headings: &["a", "b"], rows };
        assert_eq!(plain(table), "a          b\nlong cell  x\ny          z");
    }
}
