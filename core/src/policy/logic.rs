//! Kleene's three-valued logic (`policy-semantics.md`, "Semantics").

use core::ops::{BitAnd, BitOr, Not};

/// True, false or unknown.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Truth {
    /// Known to be false.
    False,
    /// Cannot be told from the facts given.
    Unknown,
    /// Known to be true.
    True,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl BitAnd for Truth {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }
}

impl BitOr for Truth {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        !(!self & !other)
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};

    #[test]
    fn kleene_tables() {
        let values = [False, Unknown, True];
        for (a, row) in values.iter().zip([
            [False, False, False],
            [False, Unknown, Unknown],
            [False, Unknown, True],
        ]) {
            for (b, and) in values.iter().zip(row) {
                assert_eq!(*a & *b, and);
                assert_eq!(!*a | !*b, !and, "De Morgan");
            }
        }
    }
}
