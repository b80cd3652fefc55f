//! Kleene's three truth values, as `policy-semantics.md` writes them: T, F, U.

/// True, false or unknown. Value by value: U and not U is U, even if both come from the same fact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truth {
    /// T
    True,
    /// F
    False,
    /// U
    Unknown,
}

use Truth::{False, True, Unknown};

impl Truth {
    /// T or F.
    #[must_use]
    pub fn of(known: bool) -> Self {
        if known { True } else { False }
    }

    /// `F and x = F`
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (False, _) | (_, False) => False,
            (True, True) => True,
            _ => Unknown,
        }
    }

    /// `T or x = T`
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (True, _) | (_, True) => True,
            (False, False) => False,
            _ => Unknown,
        }
    }

    /// `not U = U`
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            True => False,
            False => True,
            Unknown => Unknown,
        }
    }

    /// The disjunction; F of nothing.
    pub fn any(values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(False, Self::or)
    }

    /// Row 14: T if all agree on T, F if all agree on F, otherwise U.
    pub fn unanimous(values: impl IntoIterator<Item = Self>) -> Self {
        values
            .into_iter()
            .reduce(|one, next| if one == next { one } else { Unknown })
            .unwrap_or(Unknown)
    }
}
