//! The lanes of the picture and the arrows between them.

use std::fmt::Write as _;

use anstyle::Style;
use cae_core::simulation::Lane;

use crate::text::{FAINT, STRONG};

/// A lane of the picture, from left to right.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Place {
    Client,
    Issuer,
    Resource,
    Transmitter,
}

impl Place {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Client, "client"),
        (Self::Issuer, "issuer"),
        (Self::Resource, "resource server"),
        (Self::Transmitter, "transmitter"),
    ];

    /// The lane of a party; a user is where the clients are, an administrator stands outside the picture.
    pub(super) const fn of(lane: &Lane) -> Option<Self> {
        match lane {
            Lane::Administrator => None,
            Lane::User(_) | Lane::Client(_) => Some(Self::Client),
            Lane::Issuer(_) => Some(Self::Issuer),
            Lane::Resource => Some(Self::Resource),
            Lane::Transmitter(_) => Some(Self::Transmitter),
        }
    }

    /// 0 for the leftmost.
    const fn position(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Issuer => 1,
            Self::Resource => 2,
            Self::Transmitter => 3,
        }
    }
}

/// One message.
pub(super) struct Arrow {
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) words: String,
    pub(super) style: Style,
}

/// The lanes, as wide as the picture allows.
#[derive(Debug)]
pub(super) struct Lanes {
    glyphs: &'static Glyphs,
    /// Columns from one lane to the next.
    distance: usize,
}

#[derive(Debug)]
struct Glyphs {
    lane: char,
    line: char,
    leaves_right: char,
    leaves_left: char,
    right: char,
    left: char,
    mark: char,
    tick: char,
    cross: char,
    ellipsis: char,
}

const UNICODE: Glyphs = Glyphs {
    lane: '│',
    line: '─',
    leaves_right: '├',
    leaves_left: '┤',
    right: '▶',
    left: '◀',
    mark: '◆',
    tick: '✓',
    cross: '✗',
    ellipsis: '…',
};

const ASCII: Glyphs = Glyphs {
    lane: '|',
    line: '-',
    leaves_right: '|',
    leaves_left: '|',
    right: '>',
    left: '<',
    mark: '*',
    tick: '+',
    cross: 'x',
    ellipsis: '~',
};

/// Columns before the first lane.
const MARGIN: usize = 6;

impl Lanes {
    pub(super) fn new(width: usize, unicode: bool) -> Self {
        // Half a head of the last lane stands to its right.
        let room = width.saturating_sub(MARGIN).saturating_sub(8);
        Self {
            glyphs: if unicode { &UNICODE } else { &ASCII },
            distance: (room / 3).clamp(12, 36),
        }
    }

    pub(super) const fn tick(&self) -> char {
        self.glyphs.tick
    }

    pub(super) const fn cross(&self) -> char {
        self.glyphs.cross
    }

    /// An arrow, for the legend.
    pub(super) fn message(&self) -> String {
        let Glyphs { line, right, .. } = self.glyphs;
        format!("{line}{line}{right}")
    }

    /// The mark of a change, for the legend.
    pub(super) const fn change(&self) -> char {
        self.glyphs.mark
    }

    /// The names of the lanes, each centred on its lane.
    pub(super) fn heads(&self) -> String {
        let mut line = String::new();
        let mut column = 0_usize;
        for (place, name) in Place::ALL {
            let start = self.column(place).saturating_sub(name.len() / 2);
            let pad = start.saturating_sub(column);
            let _ = write!(line, "{:pad$}{STRONG}{name}{STRONG:#}", "");
            column = start.saturating_add(name.len());
        }
        line
    }

    /// The lanes and nothing between them.
    pub(super) fn blank(&self) -> String {
        self.row(|_| (self.glyphs.lane, FAINT), |_| (' ', FAINT), &[])
    }

    /// Something happens in one lane.
    pub(super) fn mark(&self, at: Place) -> String {
        let lane = |place| {
            if place == at {
                (self.glyphs.mark, STRONG)
            } else {
                (self.glyphs.lane, FAINT)
            }
        };
        self.row(lane, |_| (' ', FAINT), &[])
    }

    /// A message, with its words in the middle of the line.
    pub(super) fn arrow(&self, arrow: &Arrow) -> String {
        let Arrow {
            from, to, style, ..
        } = *arrow;
        let (first, last) = (from.min(to), from.max(to));
        let (start, end) = (self.column(first), self.column(last));
        let room = end.saturating_sub(start).saturating_sub(6);
        let words = self.fit(&arrow.words, room);
        // The arrow head takes the column beside the lane that it points to.
        let head = if to > from {
            end.saturating_sub(1)
        } else {
            start.saturating_add(1)
        };
        let words_at =
            start.saturating_add(end.saturating_sub(start).saturating_sub(words.len()) / 2);
        let lane = |place: Place| match () {
            () if place == from && to > from => (self.glyphs.leaves_right, style),
            () if place == from => (self.glyphs.leaves_left, style),
            () if first < place && place < last => (self.glyphs.line, style),
            () => (self.glyphs.lane, FAINT),
        };
        let between = |column: usize| match () {
            () if column == head && to > from => (self.glyphs.right, style),
            () if column == head => (self.glyphs.left, style),
            () if (start..end).contains(&column) => (self.glyphs.line, style),
            () => (' ', FAINT),
        };
        let words: Vec<_> = words
            .into_iter()
            .enumerate()
            .map(|(n, letter)| (words_at.saturating_add(n), letter))
            .collect();
        let words: Vec<_> = words
            .into_iter()
            .map(|(column, letter)| (column, letter, style))
            .collect();
        self.row(lane, between, &words)
    }

    /// One row: lanes, what is between them, and letters over both.
    fn row(
        &self,
        lane: impl Fn(Place) -> (char, Style),
        between: impl Fn(usize) -> (char, Style),
        over: &[(usize, char, Style)],
    ) -> String {
        let mut line = String::new();
        let mut current = Style::new();
        for column in 0..=self.column(Place::Transmitter) {
            let written = over
                .iter()
                .find(|(at, ..)| *at == column)
                .map(|(_, letter, style)| (*letter, *style));
            let place = Place::ALL
                .iter()
                .find(|(place, _)| self.column(*place) == column);
            let (glyph, style) = written.unwrap_or_else(|| {
                place.map_or_else(|| between(column), |(place, _)| lane(*place))
            });
            if style != current {
                let _ = write!(line, "{current:#}{style}");
                current = style;
            }
            line.push(glyph);
        }
        let _ = write!(line, "{current:#}");
        line
    }

    /// At most `room` letters with a space on both sides; nothing if there are none.
    fn fit(&self, words: &str, room: usize) -> Vec<char> {
        if words.is_empty() {
            return Vec::new();
        }
        let mut letters: Vec<char> = words.chars().collect();
        if letters.len() > room {
            letters.truncate(room.saturating_sub(1));
            letters.push(self.glyphs.ellipsis);
        }
        letters.insert(0, ' ');
        letters.push(' ');
        letters
    }

    const fn column(&self, place: Place) -> usize {
        MARGIN.saturating_add(self.distance.saturating_mul(place.position()))
    }
}
