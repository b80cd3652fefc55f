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
    /// Columns available, without the indentation of the first line.
    pub(crate) width: usize,
    /// Columns by which every further line is indented.
    pub(crate) indent: usize,
}

impl Display for Pretty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(f, self.value, self.width, self.indent)
    }
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &Value, width: usize, indent: usize) -> fmt::Result {
    let inner = indent.saturating_add(2);
    let fits = value.to_string().chars().count() <= width.saturating_sub(indent);
    match value {
        Value::Array(elements) if !elements.is_empty() => {
            write_list(f, "[]", fits, indent, elements.iter(), |f, element| write_value(f, element, width, inner))
        }
        Value::Object(members) if !members.is_empty() => {
            write_list(f, "{}", fits, indent, members.iter(), |f, (name, value)| {
                write!(f, "{NAME}{}{NAME:#}: ", one_line(&Value::from(name.as_str()).to_string()))?;
                write_value(f, value, width, inner)
            })
        }
        other => f.write_str(&one_line(&other.to_string())),
    }
}

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    brackets: &str,
    on_one_line: bool,
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
        match (on_one_line, n) {
            (false, _) => write!(f, "\n{:inner$}", "")?,
            (true, 0) => {}
            (true, _) => f.write_char(' ')?,
        }
        write(f, element)?;
    }
    if !on_one_line {
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
            plain(Pretty { value: &value, width: 12, indent: 2 }),
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
