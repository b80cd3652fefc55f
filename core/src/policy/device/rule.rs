//! Rules over devices, three-valued.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::parse;
use super::{Attribute, Device, ListProperty, RuleError, TextProperty};
use crate::policy::logic::Truth;

/// The `mdmAppId` of Intune (row 16).
const INTUNE: &str = "0000000a-0000-0000-c000-000000000000";

/// A device filter rule, parsed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rule(pub(super) Expression);

/// A rule or a part of one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Expression {
    Test(Test),
    Not(Box<Self>),
    And(Box<[Self]>),
    Or(Box<[Self]>),
}

/// One comparison.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Test {
    pub(super) subject: Subject,
    /// The operator is the negative one of its pair.
    pub(super) negated: bool,
}

/// What is compared, by which operator, with what; texts in lower case.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Subject {
    Text(TextSource, TextTest),
    /// `isCompliant -eq`; `None` is null.
    Compliant(Option<bool>),
    /// `-contains`: an element equals the text.
    List(ListProperty, String),
}

/// An attribute that is one text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum TextSource {
    Named(TextProperty),
    Extension(u8),
}

/// How a text is compared; the positive operator of each pair.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum TextTest {
    IsNull,
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    In(Box<[String]>),
}

impl Rule {
    /// Parses the text of a rule.
    ///
    /// # Errors
    /// The first fault, with its column.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse::parse(text)
    }

    /// Whether the rule matches; without a device nothing is known of it.
    #[must_use]
    pub fn truth(&self, device: Option<&Device>) -> Truth {
        device.map_or(Truth::Unknown, |device| self.0.truth(device))
    }

    /// Whether the rule asks for compliance, directly or to know whether extension attributes count.
    #[must_use]
    pub fn reads_compliance(&self) -> bool {
        self.0.any(&|subject| {
            matches!(
                subject,
                Subject::Compliant(_) | Subject::Text(TextSource::Extension(_), _)
            )
        })
    }
}

impl Expression {
    fn truth(&self, device: &Device) -> Truth {
        match self {
            Self::Test(test) => test.truth(device),
            Self::Not(inner) => !inner.truth(device),
            Self::And(all) => all
                .iter()
                .fold(Truth::True, |truth, inner| truth & inner.truth(device)),
            Self::Or(any) => any
                .iter()
                .fold(Truth::False, |truth, inner| truth | inner.truth(device)),
        }
    }

    fn any(&self, is: &impl Fn(&Subject) -> bool) -> bool {
        match self {
            Self::Test(test) => is(&test.subject),
            Self::Not(inner) => inner.any(is),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.any(is)),
        }
    }
}

impl Test {
    fn truth(&self, device: &Device) -> Truth {
        let truth = match &self.subject {
            Subject::Compliant(expected) => match (device.is_compliant(), expected) {
                (Attribute::Unknown, _) => Truth::Unknown,
                (Attribute::Absent, expected) => Truth::from(expected.is_none()),
                (Attribute::Is(compliant), expected) => Truth::from(*expected == Some(compliant)),
            },
            Subject::List(property, text) => match device.list(*property) {
                Attribute::Unknown => Truth::Unknown,
                Attribute::Absent => Truth::False,
                Attribute::Is(list) => Truth::from(list.contains(text)),
            },
            Subject::Text(TextSource::Named(property), test) => {
                test.truth(device.text(*property).as_ref())
            }
            Subject::Text(TextSource::Extension(number), test) => {
                let given = test.truth(device.extension(*number).as_ref());
                let absent = test.truth(Attribute::Absent);
                // Row 16: where the attribute is not usable it is null.
                match extensions_usable(device) {
                    Truth::True => given,
                    Truth::False => absent,
                    Truth::Unknown if given == absent => given,
                    Truth::Unknown => Truth::Unknown,
                }
            }
        };
        // A negative operator is exactly the negation of its positive one, unknown included.
        if self.negated { !truth } else { truth }
    }
}

impl TextTest {
    fn truth(&self, attribute: Attribute<&String>) -> Truth {
        let text = match attribute {
            Attribute::Unknown => return Truth::Unknown,
            Attribute::Absent => return Truth::from(*self == Self::IsNull),
            Attribute::Is(text) => text.as_str(),
        };
        Truth::from(match self {
            Self::IsNull => false,
            Self::Equals(value) => text == value,
            Self::StartsWith(value) => text.starts_with(value.as_str()),
            Self::EndsWith(value) => text.ends_with(value.as_str()),
            Self::Contains(value) => text.contains(value.as_str()),
            Self::In(values) => values.iter().any(|value| value == text),
        })
    }
}

/// Row 16: extension attributes count for devices that are compliant, hybrid-joined or managed by Intune.
fn extensions_usable(device: &Device) -> Truth {
    let is = |property, expected: &str| {
        TextTest::Equals(expected.into()).truth(device.text(property).as_ref())
    };
    let compliant = match device.is_compliant() {
        Attribute::Unknown => Truth::Unknown,
        Attribute::Absent => Truth::False,
        Attribute::Is(compliant) => Truth::from(compliant),
    };
    compliant | is(TextProperty::TrustType, "serverad") | is(TextProperty::MdmAppId, INTUNE)
}

/// The operands of one connective, flattened where there is only one.
pub(super) fn joined(
    mut parts: Vec<Expression>,
    join: fn(Box<[Expression]>) -> Expression,
) -> Expression {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts.into_boxed_slice())
        }
    }
}
