//! What a step is expected to come to, and whether it did.

use crate::json::Value;

macro_rules! expectation_keys {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// What can be expected of a step.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub enum ExpectationKey {
            $($(#[doc = $doc])+ $variant),+
        }

        impl ExpectationKey {
            /// All keys.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The key as written in scenario files and reports.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

expectation_keys! {
    /// What the issuer answers: `granted`, `interactionRequired`, `blocked`, `refused`, or `notAsked` by a client
    /// that does not handle challenges or has none.
    Issuer = "issuer",
    /// Lifetime of the token in seconds: a number, or `{"min", "max"}`, both included.
    Lifetime = "lifetime",
    /// Claims of the token: each one given must be equal, `null` means absent.
    TokenClaims = "tokenClaims",
    /// `allow`, `challenge` or `deny`.
    Decision = "decision",
    /// HTTP status.
    Status = "status",
    /// Reason codes, in order.
    Reasons = "reasons",
    /// Parameters of `WWW-Authenticate`: each one given must be equal, `null` means absent.
    Parameters = "parameters",
    /// The decoded claims request of the challenge, `null` for none.
    Claims = "claims",
    /// Policies that applied and refused, or could not be told: the ids in the answer's `undetermined`.
    Undetermined = "undetermined",
    /// Whether the SET was accepted.
    Accepted = "accepted",
    /// The RFC 8935 or SSF code of a rejected SET.
    Err = "err",
    /// Whether the SET was dropped as a repetition.
    Duplicate = "duplicate",
    /// How many records the SET changed, repeated ones included.
    Changes = "changes",
    /// How many faults the engine found in the new configuration or keys.
    Faults = "faults",
    /// Whether the account's refresh tokens are still good: `valid` or `revoked`.
    RefreshTokens = "refreshTokens",
}

/// One expectation and what was found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Expectation {
    /// What was expected something of.
    pub key: &'static str,
    /// The expected value, as in the file.
    pub expected: Value,
    /// The value found; `null` if there was none.
    pub found: Value,
    /// Whether it holds.
    pub holds: bool,
}
