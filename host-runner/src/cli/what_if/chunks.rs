//! A long stream of lines, in pieces that end with a line.

use std::io::{self, BufRead as _, BufReader, Read};

use cae_core::json::Limits;

/// Some whole lines.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// The number of the first line, from 1.
    pub(super) first_line: u64,
}

/// The chunks of a stream.
pub(super) struct Chunks<R> {
    from: BufReader<R>,
    /// The number of the next line.
    next_line: u64,
    /// Most lines of one chunk.
    lines: usize,
}

/// A chunk has at least this many bytes, if there are as many.
const ENOUGH: usize = 64 << 10;
/// Longer lines are cut: enough is left for the engine to see that they are too long.
const LONGEST: usize = Limits::EVENT.bytes + 2;

impl<R: Read> Chunks<R> {
    pub(super) fn new(from: R, lines: usize) -> Self {
        Self {
            from: BufReader::with_capacity(ENOUGH, from),
            next_line: 1,
            lines,
        }
    }

    /// The next chunk; none at the end. What has arrived is not kept waiting for what has not.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk {
            first_line: self.next_line,
            ..Chunk::default()
        };
        for _ in 0..self.lines {
            if !self.read_line(&mut chunk.bytes)? {
                break;
            }
            self.next_line = self.next_line.saturating_add(1);
            if chunk.bytes.len() >= ENOUGH || self.from.buffer().is_empty() {
                break;
            }
        }
        Ok((!chunk.bytes.is_empty()).then_some(chunk))
    }

    fn read_line(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let read = self.from.by_ref().take(most).read_until(b'\n', into)?;
        if read == LONGEST && into.last() != Some(&b'\n') {
            self.from.skip_until(b'\n')?;
            into.push(b'\n');
        }
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_whole_lines_and_cut_those_that_are_too_long() {
        let mut text = b"one\n\ntwo\n".to_vec();
        text.extend(vec![b'x'; LONGEST * 2]);
        text.extend(b"\nlast");
        let mut chunks = Chunks::new(text.as_slice(), 2);
        let mut seen = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            seen.push((chunk.first_line, chunk.bytes));
        }
        assert_eq!(seen[0], (1, b"one\n\n".to_vec()));
        assert_eq!((seen[1].0, seen[1].1.len()), (3, LONGEST + 5));
        assert_eq!(seen[2], (5, b"last".to_vec()));
        assert_eq!(seen.len(), 3);
    }
}
