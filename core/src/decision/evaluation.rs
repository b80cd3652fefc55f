//! A decision with everything it rests on.

/// What the resource server does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Serve the request.
    Allow,
    /// 401: a token issued later could pass; the header says what to ask for.
    Challenge,
    /// Refuse.
    Deny,
}

impl Outcome {
    /// The name of the outcome in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Challenge => "challenge",
            Self::Deny => "deny",
        }
    }
}

/// A decision with its reasons.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// What to do.
    pub outcome: Outcome,
}

/// What one policy came to.
#[derive(Clone, Debug)]
pub struct PolicyOutcome {}
