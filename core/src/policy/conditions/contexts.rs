//! Authentication contexts: `c1` to `c99`.

use alloc::format;

use crate::json::Value;
use crate::policy::document::{Notes, entries};
use crate::policy::logic::Truth;

/// How many contexts there are.
pub(crate) const CONTEXTS: u8 = 99;

/// The number of a context, in any case; `None` for anything but `c1` to `c99`.
pub(crate) fn context_number(name: &str) -> Option<u8> {
    let digits = name.strip_prefix(['c', 'C'])?;
    let number = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse::<u8>().ok())??;
    ((1..=CONTEXTS).contains(&number) && !digits.starts_with('0')).then_some(number)
}

/// The contexts that a policy is for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Contexts {
    /// A bit for each number.
    listed: u128,
    /// An entry that is no context: it may mean any (row 11).
    odd: bool,
}

impl Contexts {
    pub(crate) fn read(value: Option<&Value>, path: &str, notes: &mut Notes) -> Self {
        let mut contexts = Self::default();
        for entry in entries(value) {
            match entry.map(|text| (text, context_number(text))) {
                Ok((_, Some(number))) => contexts.listed |= bit(number),
                Ok((text, None)) => {
                    contexts.odd = true;
                    notes.not_understood(format!("{path}[{text}]"));
                }
                Err(_) => {
                    contexts.odd = true;
                    notes.not_understood(path);
                }
            }
        }
        contexts
    }

    /// Whether a context is named.
    pub(crate) fn lists(self, number: u8) -> bool {
        self.listed & bit(number) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.listed == 0 && !self.odd
    }

    pub(crate) fn truth(self, context: Option<u8>) -> Truth {
        match context {
            Some(number) if self.listed & bit(number) != 0 => Truth::True,
            Some(_) if !self.odd => Truth::False,
            None if self.is_empty() => Truth::False,
            _ => Truth::Unknown,
        }
    }
}

fn bit(number: u8) -> u128 {
    1_u128.wrapping_shl(u32::from(number))
}

#[cfg(test)]
mod tests {
    use super::context_number;

    #[test]
    fn contexts_are_c1_to_c99() {
        for (name, expected) in [
            ("c1", Some(1)),
            ("C25", Some(25)),
            ("c99", Some(99)),
            ("c0", None),
            ("c100", None),
            ("c01", None),
            ("c+1", None),
            ("c", None),
            ("1", None),
        ] {
            assert_eq!(context_number(name), expected, "{name}");
        }
    }
}
