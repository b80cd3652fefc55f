//! The rule language of device filters, read by recursive descent (row 15).
//!
//! ```text
//! rule       = term { ["-"] "or" term }
//! term       = factor { ["-"] "and" factor }
//! factor     = ["-"] "not" factor | "(" rule ")" | comparison
//! comparison = "device." property ["-"] operator literal
//! literal    = "…" | '…' | True | False | null | "[" text { "," text } "]"
//! ```

/// A rule that was understood as a whole.
pub(super) enum Rule {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Comparison),
}

/// One comparison: a positive operator, and whether its result is to be negated.
pub(super) struct Comparison {
    /// In lower case.
    pub(super) property: String,
    pub(super) operator: Operator,
    pub(super) negative: bool,
    pub(super) literal: Literal,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Operator {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
    In,
}

#[derive(Eq, PartialEq)]
pub(super) enum Literal {
    Text(String),
    List(Vec<String>),
    Null,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    /// Letters, digits and dots, in lower case; the hyphen of an operator is dropped.
    Word(String),
    Quoted(String),
    Mark(char),
}

/// The rule, if every part of it is understood.
pub(super) fn parse(text: &str) -> Option<Rule> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens };
    let rule = reader.rule()?;
    reader.tokens.is_empty().then_some(rule)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            space if space.is_whitespace() => {}
            mark @ ('(' | ')' | '[' | ']' | ',') => tokens.push(Token::Mark(mark)),
            quote @ ('"' | '\'') => tokens.push(Token::Quoted(quoted(quote, &mut rest)?)),
            '-' => {
                // The hyphen belongs to the operator that follows at once.
                rest.peek().filter(|next| next.is_ascii_alphabetic())?;
            }
            first if first.is_ascii_alphanumeric() => {
                let mut word = first.to_lowercase().to_string();
                while let Some(next) =
                    rest.next_if(|next| next.is_ascii_alphanumeric() || *next == '.')
                {
                    word.extend(next.to_lowercase());
                }
                tokens.push(Token::Word(word));
            }
            _ => return None,
        }
    }
    Some(tokens)
}

/// A text up to its closing quote: a backtick escapes in `"…"`, a doubled quote in `'…'`.
fn quoted(quote: char, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '`' if quote == '"' => text.push(rest.next()?),
            end if end == quote => {
                if quote == '\'' && rest.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                } else {
                    return Some(text);
                }
            }
            other => text.push(other),
        }
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.first() == Some(wanted);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn rule(&mut self) -> Option<Rule> {
        let mut rule = self.term()?;
        while self.take_word("or") {
            rule = Rule::Or(Box::new(rule), Box::new(self.term()?));
        }
        Some(rule)
    }

    fn term(&mut self) -> Option<Rule> {
        let mut term = self.factor()?;
        while self.take_word("and") {
            term = Rule::And(Box::new(term), Box::new(self.factor()?));
        }
        Some(term)
    }

    fn factor(&mut self) -> Option<Rule> {
        if self.take_word("not") {
            return Some(Rule::Not(Box::new(self.factor()?)));
        }
        if self.take(&Token::Mark('(')) {
            let rule = self.rule()?;
            return self.take(&Token::Mark(')')).then_some(rule);
        }
        self.comparison().map(Rule::Compare)
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let (Token::Word(property), Token::Word(operator)) = (self.next()?, self.next()?) else {
            return None;
        };
        let property = property.strip_prefix("device.")?.to_owned();
        let (operator, negative) = named_operator(&operator)?;
        let literal = self.literal()?;
        let comparison = Comparison {
            property,
            operator,
            negative,
            literal,
        };
        is_allowed(&comparison).then_some(comparison)
    }

    fn literal(&mut self) -> Option<Literal> {
        match self.next()? {
            Token::Quoted(text) => Some(Literal::Text(text)),
            Token::Word(word) if word == "null" => Some(Literal::Null),
            Token::Word(word) if word == "true" || word == "false" => Some(Literal::Text(word)),
            Token::Mark('[') => {
                let mut texts = Vec::new();
                loop {
                    let Token::Quoted(text) = self.next()? else {
                        return None;
                    };
                    texts.push(text);
                    if self.take(&Token::Mark(']')) {
                        return Some(Literal::List(texts));
                    }
                    if !self.take(&Token::Mark(',')) {
                        return None;
                    }
                }
            }
            _ => None,
        }
    }
}

/// The operators of the reference: the positive one, and whether it is negated. `match` is none of them.
fn named_operator(word: &str) -> Option<(Operator, bool)> {
    Some(match word {
        "eq" | "equals" => (Operator::Equals, false),
        "ne" | "notequals" => (Operator::Equals, true),
        "startswith" => (Operator::StartsWith, false),
        "notstartswith" => (Operator::StartsWith, true),
        "endswith" => (Operator::EndsWith, false),
        "notendswith" => (Operator::EndsWith, true),
        "contains" => (Operator::Contains, false),
        "notcontains" => (Operator::Contains, true),
        "in" => (Operator::In, false),
        "notin" => (Operator::In, true),
        _ => return None,
    })
}

/// The table of the reference: which operators a property has, and what may stand behind them.
fn is_allowed(comparison: &Comparison) -> bool {
    use Operator::{Contains, EndsWith, Equals, In, StartsWith};
    let operators: &[Operator] = match comparison.property.as_str() {
        "deviceid" | "mdmappid" => &[Equals, In],
        "displayname"
        | "enrollmentprofilename"
        | "manufacturer"
        | "model"
        | "operatingsystem"
        | "operatingsystemversion" => &[Equals, StartsWith, EndsWith, Contains, In],
        "deviceownership" | "iscompliant" | "profiletype" | "trusttype" => &[Equals],
        "physicalids" | "systemlabels" => &[Contains],
        property if is_extension_attribute(property) => {
            &[Equals, StartsWith, EndsWith, Contains, In]
        }
        _ => &[],
    };
    let fits = match comparison.literal {
        Literal::Null => comparison.operator == Equals,
        Literal::List(_) => comparison.operator == In,
        Literal::Text(_) => comparison.operator != In,
    };
    fits && operators.contains(&comparison.operator)
}

fn is_extension_attribute(property: &str) -> bool {
    (1..=15).any(|number| property == format!("extensionattribute{number}"))
}
