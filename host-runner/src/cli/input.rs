//! Bounded input: files, standard input, and long streams of lines.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use cae_core::json::Limits;

use super::problem::Problem;

/// Longest line of a stream: the largest SET, its base64 and some members around it.
const MAX_LINE: usize = 2 << 20;

/// The name that stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// Reads a document of the operator: configuration, policies, a scenario; `-` is standard input.
pub(super) fn document(file: &Path) -> Result<String, Problem> {
    let limit = Limits::DOCUMENT.bytes;
    let bytes = bytes(file, limit)?;
    if bytes.len() > limit {
        let limit = limit >> 20;
        return Err(Problem::file(
            file,
            format_args!("larger than the limit of {limit} MiB: split it"),
        ));
    }
    let text = decode(bytes).map_err(|at| {
        Problem::file(
            file,
            format_args!("byte {at} is not UTF-8: save the file as UTF-8"),
        )
    })?;
    if text.trim().is_empty() {
        return Err(Problem::file(file, "the file is empty: JSON belongs here"));
    }
    Ok(text)
}

/// Reads whatever is in a file, for a reader that refuses what is too long or no text: at most one byte more than
/// `limit`, and where the bytes stop being text a replacement character stands for the rest.
pub(super) fn any_text(file: &Path, limit: usize) -> Result<String, Problem> {
    let bytes = bytes(file, limit)?;
    Ok(decode(bytes.clone()).unwrap_or_else(|valid| {
        let valid = bytes.get(..valid).unwrap_or_default();
        format!("{}\u{FFFD}", String::from_utf8_lossy(valid))
    }))
}

/// Reads a small file of any kind, such as a key.
pub(super) fn raw(file: &Path, limit: usize) -> Result<Vec<u8>, Problem> {
    let bytes = bytes(file, limit)?;
    if bytes.len() > limit {
        return Err(Problem::file(
            file,
            format_args!("larger than the limit of {limit} bytes"),
        ));
    }
    Ok(bytes)
}

/// UTF-8; or what a byte order mark says, since PowerShell writes exports with one, in UTF-8 or in UTF-16.
///
/// The error is the position of the first byte that is no text.
fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let mut text =
                String::from_utf8(bytes).map_err(|error| error.utf8_error().valid_up_to())?;
            if text.starts_with('\u{FEFF}') {
                text.remove(0);
            }
            Ok(text)
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, usize> {
    let (units, rest) = bytes.as_chunks();
    let mut text = String::with_capacity(units.len());
    let mut at = 2_usize;
    for letter in char::decode_utf16(units.iter().copied().map(unit)) {
        let letter = letter.map_err(|_| at)?;
        at = at.saturating_add(letter.len_utf16().saturating_mul(2));
        text.push(letter);
    }
    if rest.is_empty() { Ok(text) } else { Err(at) }
}

fn bytes(file: &Path, limit: usize) -> Result<Vec<u8>, Problem> {
    let read = if file == Path::new(STANDARD_INPUT) {
        bounded(io::stdin().lock(), limit)
    } else {
        File::open(file).and_then(|open| bounded(open, limit))
    };
    read.map_err(|error| Problem::file(file, error))
}

fn bounded(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The lines of a stream, numbered from 1; empty ones are left out.
pub(super) struct Lines<R> {
    from: BufReader<R>,
    number: usize,
}

/// One line.
pub(super) struct Line {
    pub(super) number: usize,
    /// Without white space around it; what is wrong if it cannot be used.
    pub(super) text: Result<String, String>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        let from = BufReader::new(from);
        Self { from, number: 0 }
    }

    /// Whether the next line has not arrived yet, as far as can be told.
    pub(super) fn waits(&self) -> bool {
        self.from.buffer().is_empty()
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let Some(bytes) = self.read_line()? else {
                return Ok(None);
            };
            self.number = self.number.saturating_add(1);
            let text = match bytes {
                Ok(bytes) => String::from_utf8(bytes)
                    .map_err(|error| {
                        let at = error.utf8_error().valid_up_to();
                        format!("byte {at} is not UTF-8: save the lines as UTF-8")
                    })
                    .map(|text| text.trim_start_matches('\u{FEFF}').trim().to_owned()),
                Err(TooLong) => Err(format!("longer than the limit of {MAX_LINE} bytes")),
            };
            if text.as_deref() != Ok("") {
                let number = self.number;
                return Ok(Some(Line { number, text }));
            }
        }
    }

    /// The bytes of one line; the rest of a line that is too long is skipped.
    fn read_line(&mut self) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
        let most = u64::try_from(MAX_LINE)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let mut bytes = Vec::new();
        if self
            .from
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut bytes)?
            == 0
        {
            return Ok(None);
        }
        if bytes.len() <= MAX_LINE {
            return Ok(Some(Ok(bytes)));
        }
        if bytes.last() != Some(&b'\n') {
            self.from.skip_until(b'\n')?;
        }
        Ok(Some(Err(TooLong)))
    }
}

struct TooLong;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_say_the_encoding() {
        let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| {
            let units = [mark].into_iter().chain("{\"ü𝄞\":1}".encode_utf16());
            units.flat_map(bytes).collect::<Vec<u8>>()
        };
        for bytes in [
            "{\"ü𝄞\":1}".as_bytes().to_vec(),
            "\u{FEFF}{\"ü𝄞\":1}".as_bytes().to_vec(),
            utf16(0xFEFF, u16::to_le_bytes),
            utf16(0xFEFF, u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok("{\"ü𝄞\":1}"));
        }
        assert_eq!(decode(b"\xff\xfea\0\0\xd8b\0".to_vec()), Err(4));
        assert_eq!(decode(b"\xff\xfea\0b".to_vec()), Err(4));
        assert_eq!(decode(b"ab\xff".to_vec()), Err(2));
    }

    #[test]
    fn lines_are_numbered_bounded_and_checked() {
        let mut text = b"one\n\n  two \n".to_vec();
        text.extend(vec![b'x'; MAX_LINE + 1]);
        text.extend(b"\n\xff\nlast");
        let mut lines = Lines::new(text.as_slice());
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push((line.number, line.text));
        }
        assert_eq!(seen.len(), 5);
        assert_eq!(seen[0], (1, Ok("one".to_owned())));
        assert_eq!(seen[1], (3, Ok("two".to_owned())));
        assert!(
            seen[2].0 == 4
                && seen[2]
                    .1
                    .as_ref()
                    .is_err_and(|error| error.contains("limit"))
        );
        assert!(
            seen[3].0 == 5
                && seen[3]
                    .1
                    .as_ref()
                    .is_err_and(|error| error.contains("UTF-8"))
        );
        assert_eq!(seen[4], (6, Ok("last".to_owned())));
    }
}
