//! The grammar of device filter rules: `device.NAME -OPERATOR VALUE`, `-and`, `-or`, `-not`, parentheses.
//!
//! SPEC: conditional-access.md §2.5: the hyphen of operators is optional, text and operators compare without case,
//! a backtick escapes in `"…"`, `''` is one quote in `'…'`; precedence, high to low: comparison, `-not`, `-and`, `-or`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

use super::rule::{Expression, Rule, Subject, Test, TextSource, TextTest, joined};
use super::{ListProperty, TextProperty};

/// How deep parentheses and `-not` may nest.
const DEPTH: usize = 64;

/// Why a rule cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct RuleError {
    /// Column of the fault, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

pub(super) fn parse(text: &str) -> Result<Rule, RuleError> {
    let tokens = tokens(text)?;
    let end = text.chars().count().saturating_add(1);
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        end,
        depth: 0,
    };
    let rule = parser.or()?;
    match parser.tokens.next() {
        None => Ok(Rule(rule)),
        Some(token) => Err(token.fault("`-and`, `-or` or the end")),
    }
}

/// A piece of a rule, with its column.
#[derive(Debug)]
struct Token {
    column: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A word with or without hyphen: property, operator, `true`, `null`.
    Word(String),
    /// Quoted text without its quotes and escapes.
    Text(String),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

impl Token {
    fn fault(&self, expected: &str) -> RuleError {
        let found = match &self.kind {
            Kind::Word(word) => word,
            Kind::Text(_) => "a text",
            Kind::Open => "(",
            Kind::Close => ")",
            Kind::OpenList => "[",
            Kind::CloseList => "]",
            Kind::Comma => ",",
        };
        fault(self.column, format!("expected {expected}, found `{found}`"))
    }
}

fn fault(column: usize, message: impl Into<String>) -> RuleError {
    RuleError {
        column,
        message: message.into(),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, RuleError> {
    let mut tokens = Vec::new();
    let mut reader = Reader {
        chars: text.chars().peekable(),
        column: 0,
    };
    while let Some(next) = reader.next() {
        let column = reader.column;
        let kind = match next {
            c if c.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '[' => Kind::OpenList,
            ']' => Kind::CloseList,
            ',' => Kind::Comma,
            '"' => Kind::Text(reader.double_quoted()?),
            '\'' => Kind::Text(reader.single_quoted()?),
            c if c == '-' || is_word(c) => Kind::Word(reader.word(c)),
            c => return Err(fault(column, format!("`{c}` has no place in a rule"))),
        };
        tokens.push(Token { column, kind });
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '.' || c == '_'
}

struct Reader<'t> {
    chars: Peekable<Chars<'t>>,
    column: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        self.column = self.column.saturating_add(1);
        Some(next)
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while self.chars.peek().is_some_and(|c| is_word(*c)) {
            word.extend(self.next());
        }
        word
    }

    fn double_quoted(&mut self) -> Result<String, RuleError> {
        let opened = self.column;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('`') => text.extend(self.next()),
                Some(c) => text.push(c),
                None => return Err(fault(opened, "the quote is never closed")),
            }
        }
    }

    fn single_quoted(&mut self) -> Result<String, RuleError> {
        let opened = self.column;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\'') if self.chars.peek() == Some(&'\'') => text.extend(self.next()),
                Some('\'') => return Ok(text),
                Some(c) => text.push(c),
                None => return Err(fault(opened, "the quote is never closed")),
            }
        }
    }
}

/// What may be asked of a property.
#[derive(Clone, Copy, Debug)]
enum Property {
    /// Every operator for texts.
    Text(TextSource),
    /// `-eq`, `-ne`, `-in`, `-notIn`.
    Id(TextProperty),
    /// `-eq`, `-ne`.
    Choice(TextProperty),
    /// `-eq`, `-ne` with `True`, `False` or `null`.
    Compliant,
    /// `-contains`, `-notContains`.
    List(ListProperty),
}

impl Property {
    fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if let Some(number) = name.strip_prefix("extensionattribute") {
            let number = number.parse::<u8>().ok()?;
            return ((1..=15).contains(&number)
                && name.ends_with(&format!("extensionattribute{number}")))
            .then_some(Self::Text(TextSource::Extension(number)));
        }
        match name.as_str() {
            "iscompliant" => return Some(Self::Compliant),
            "physicalids" => return Some(Self::List(ListProperty::PhysicalIds)),
            "systemlabels" => return Some(Self::List(ListProperty::SystemLabels)),
            _ => {}
        }
        let (_, property) = TextProperty::NAMED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))?;
        Some(match property {
            TextProperty::DeviceId | TextProperty::MdmAppId => Self::Id(*property),
            TextProperty::DeviceOwnership | TextProperty::ProfileType | TextProperty::TrustType => {
                Self::Choice(*property)
            }
            _ => Self::Text(TextSource::Named(*property)),
        })
    }

    const fn allows(self, operator: Operator) -> bool {
        use Operator::{Contains, EndsWith, Equals, In, StartsWith};
        match self {
            Self::Text(_) => matches!(operator, Equals | StartsWith | EndsWith | Contains | In),
            Self::Id(_) => matches!(operator, Equals | In),
            Self::Choice(_) | Self::Compliant => matches!(operator, Equals),
            Self::List(_) => matches!(operator, Contains),
        }
    }
}

/// The positive operator of a pair.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
    In,
}

impl Operator {
    /// The operator, and whether it is negated.
    fn named(name: &str) -> Option<(Self, bool)> {
        let (operator, negated) = match name.to_ascii_lowercase().as_str() {
            "eq" | "equals" => (Self::Equals, false),
            "ne" | "notequals" => (Self::Equals, true),
            "startswith" => (Self::StartsWith, false),
            "notstartswith" => (Self::StartsWith, true),
            "endswith" => (Self::EndsWith, false),
            "notendswith" => (Self::EndsWith, true),
            "contains" => (Self::Contains, false),
            "notcontains" => (Self::Contains, true),
            "in" => (Self::In, false),
            "notin" => (Self::In, true),
            _ => return None,
        };
        Some((operator, negated))
    }
}

/// What a property is compared with.
enum Operand {
    Text(String),
    Truth(bool),
    Null,
    List(Vec<String>),
}

struct Parser<I: Iterator<Item = Token>> {
    tokens: Peekable<I>,
    /// The column after the last one.
    end: usize,
    depth: usize,
}

impl<I: Iterator<Item = Token>> Parser<I> {
    fn or(&mut self) -> Result<Expression, RuleError> {
        let mut parts = Vec::from([self.and()?]);
        while self.take_keyword("or") {
            parts.push(self.and()?);
        }
        Ok(joined(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, RuleError> {
        let mut parts = Vec::from([self.not()?]);
        while self.take_keyword("and") {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Expression::And))
    }

    fn not(&mut self) -> Result<Expression, RuleError> {
        if self.take_keyword("not") {
            self.deeper()?;
            let inner = self.not()?;
            self.depth = self.depth.saturating_sub(1);
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self
            .tokens
            .next_if(|token| matches!(token.kind, Kind::Open))
            .is_some()
        {
            self.deeper()?;
            let inner = self.or()?;
            self.depth = self.depth.saturating_sub(1);
            let close = self.next("`)`")?;
            return match close.kind {
                Kind::Close => Ok(inner),
                _ => Err(close.fault("`-and`, `-or` or `)`")),
            };
        }
        self.comparison()
    }

    fn deeper(&mut self) -> Result<(), RuleError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH {
            let column = self.tokens.peek().map_or(self.end, |token| token.column);
            return Err(fault(column, "the rule nests too deeply"));
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<Expression, RuleError> {
        const PROPERTY: &str = "a property such as `device.trustType`";
        let token = self.next(PROPERTY)?;
        let Kind::Word(word) = &token.kind else {
            return Err(token.fault(PROPERTY));
        };
        let name = match word.split_once('.') {
            Some((device, name)) if device.eq_ignore_ascii_case("device") => name,
            _ => return Err(token.fault(PROPERTY)),
        };
        let property = Property::named(name).ok_or_else(|| {
            fault(
                token.column,
                format!("`{word}` is no property of device filters"),
            )
        })?;

        let token = self.next("an operator such as `-eq`")?;
        let Kind::Word(written) = &token.kind else {
            return Err(token.fault("an operator such as `-eq`"));
        };
        let unhyphenated = written.strip_prefix('-').unwrap_or(written);
        let (operator, negated) = Operator::named(unhyphenated).ok_or_else(|| {
            fault(
                token.column,
                format!("`{written}` is no operator of device filters"),
            )
        })?;
        if !property.allows(operator) {
            return Err(fault(
                token.column,
                format!("`{written}` cannot be used with `{word}`"),
            ));
        }

        let column = self.tokens.peek().map_or(self.end, |token| token.column);
        let operand = self.operand()?;
        let subject = subject(property, operator, operand)
            .ok_or_else(|| fault(column, format!("`{word} {written}` cannot take this value")))?;
        Ok(Expression::Test(Test { subject, negated }))
    }

    fn operand(&mut self) -> Result<Operand, RuleError> {
        const VALUE: &str = "a value: quoted text, `True`, `False`, `null` or a list";
        let token = self.next(VALUE)?;
        match &token.kind {
            Kind::Text(text) => Ok(Operand::Text(text.to_lowercase())),
            Kind::Word(word) if word.eq_ignore_ascii_case("true") => Ok(Operand::Truth(true)),
            Kind::Word(word) if word.eq_ignore_ascii_case("false") => Ok(Operand::Truth(false)),
            Kind::Word(word) if word.eq_ignore_ascii_case("null") => Ok(Operand::Null),
            Kind::OpenList => self.list().map(Operand::List),
            _ => Err(token.fault(VALUE)),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, RuleError> {
        let mut list = Vec::new();
        loop {
            let token = self.next("a quoted text")?;
            match &token.kind {
                Kind::Text(text) => list.push(text.to_lowercase()),
                _ => return Err(token.fault("a quoted text")),
            }
            let token = self.next("`,` or `]`")?;
            match token.kind {
                Kind::Comma => {}
                Kind::CloseList => return Ok(list),
                _ => return Err(token.fault("`,` or `]`")),
            }
        }
    }

    /// Takes `-and`, `-or` or `-not`, with or without hyphen.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        self.tokens
            .next_if(|token| match &token.kind {
                Kind::Word(word) => word
                    .strip_prefix('-')
                    .unwrap_or(word)
                    .eq_ignore_ascii_case(keyword),
                _ => false,
            })
            .is_some()
    }

    fn next(&mut self, expected: &str) -> Result<Token, RuleError> {
        self.tokens
            .next()
            .ok_or_else(|| fault(self.end, format!("the rule ends where {expected} is due")))
    }
}

/// A comparison that makes sense; `None` if the value does not fit.
fn subject(property: Property, operator: Operator, operand: Operand) -> Option<Subject> {
    let text = |source, operand| {
        // `True` without quotes is a text where no truth is due.
        let operand = match operand {
            Operand::Truth(truth) => Operand::Text(if truth { "true" } else { "false" }.into()),
            other => other,
        };
        let test = match (operator, operand) {
            (Operator::Equals, Operand::Null) => TextTest::IsNull,
            (Operator::Equals, Operand::Text(text)) => TextTest::Equals(text),
            (Operator::StartsWith, Operand::Text(text)) => TextTest::StartsWith(text),
            (Operator::EndsWith, Operand::Text(text)) => TextTest::EndsWith(text),
            (Operator::Contains, Operand::Text(text)) => TextTest::Contains(text),
            (Operator::In, Operand::List(list)) => TextTest::In(list.into_boxed_slice()),
            _ => return None,
        };
        Some(Subject::Text(source, test))
    };
    match (property, operand) {
        (Property::Text(source), operand) => text(source, operand),
        (Property::Id(property) | Property::Choice(property), operand) => {
            text(TextSource::Named(property), operand)
        }
        (Property::Compliant, Operand::Truth(compliant)) => {
            Some(Subject::Compliant(Some(compliant)))
        }
        (Property::Compliant, Operand::Null) => Some(Subject::Compliant(None)),
        (Property::Compliant, Operand::Text(text)) => match text.as_str() {
            "true" => Some(Subject::Compliant(Some(true))),
            "false" => Some(Subject::Compliant(Some(false))),
            _ => None,
        },
        (Property::List(property), Operand::Text(text)) => Some(Subject::List(property, text)),
        (Property::List(property), Operand::Truth(truth)) => Some(Subject::List(
            property,
            if truth { "true" } else { "false" }.into(),
        )),
        _ => None,
    }
}
