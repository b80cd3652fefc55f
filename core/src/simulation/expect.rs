//! What a step is expected to come to, and whether it did.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};

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
    /// What the issuer answers: `grant`, `interactionRequired`, `block`, `error`, or `notAsked` by a client that
    /// does not handle challenges or has none.
    Issuer = "issuer",
    /// Entra's error number in the issuer's refusal, such as `AADSTS50057`; `null` for none.
    IssuerCode = "issuerCode",
    /// What the issuer misses, sorted: Graph's names of controls, `signIn`, `signInFrequency` …
    Unmet = "unmet",
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
    /// What policies come to, in Graph's words by their id: each one given must be equal, `null` means not mentioned.
    Policies = "policies",
    /// Session controls of the policies that apply: the issuer's merged ones, or the names that the resource passes on.
    SessionControls = "sessionControls",
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
    /// How many tokens that the resource knows a new configuration may turn away.
    OutdatedTokens = "outdatedTokens",
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

/// What was found, by key.
pub(super) type Findings = Vec<(ExpectationKey, Value)>;

/// Holds every expectation against what was found.
pub(super) fn check(expect: &[(ExpectationKey, Value)], findings: &Findings) -> Vec<Expectation> {
    expect
        .iter()
        .map(|(key, expected)| {
            let found = findings.iter().find(|(found, _)| found == key);
            let found = found.map_or(&Value::Null, |(_, value)| value);
            let (found, holds) = compare(*key, expected, found);
            Expectation {
                key: key.as_str(),
                expected: expected.clone(),
                found,
                holds,
            }
        })
        .collect()
}

/// What to show as found, and whether it is what was expected.
fn compare(key: ExpectationKey, expected: &Value, found: &Value) -> (Value, bool) {
    match (key, expected) {
        (ExpectationKey::Lifetime, Value::Object(bounds)) => {
            let bound = |name| bounds.get(name).and_then(Value::as_u64);
            let within = |seconds: u64| {
                bound("min").is_some_and(|min| min <= seconds)
                    && bound("max").is_some_and(|max| seconds <= max)
            };
            (found.clone(), found.as_u64().is_some_and(within))
        }
        (
            ExpectationKey::TokenClaims | ExpectationKey::Parameters | ExpectationKey::Policies,
            Value::Object(expected),
        ) => {
            let found: Map<String, Value> = expected
                .keys()
                .map(|name| {
                    let value = found.get(name).cloned().unwrap_or_default();
                    (name.clone(), value)
                })
                .collect();
            let holds = found == *expected;
            (found.into(), holds)
        }
        _ => (found.clone(), found == expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_member_given_must_hold() {
        use ExpectationKey as Key;
        let claims = json!({"sub": "x", "aud": ["a"]});
        for (key, expected, found, holds) in [
            (Key::Status, json!(401), json!(401), true),
            (Key::Status, json!("401"), json!(401), false),
            (Key::Status, json!(401), Value::Null, false),
            (Key::Reasons, json!(["a", "b"]), json!(["b", "a"]), false),
            (Key::Lifetime, json!(3600), json!(3600), true),
            (
                Key::Lifetime,
                json!({"min": 10, "max": 20}),
                json!(20),
                true,
            ),
            (
                Key::Lifetime,
                json!({"min": 10, "max": 20}),
                json!(21),
                false,
            ),
            (Key::Lifetime, json!({"min": 10}), json!(15), false),
            (Key::TokenClaims, json!({"sub": "x"}), claims.clone(), true),
            (Key::TokenClaims, json!({"sub": "y"}), claims.clone(), false),
            (Key::TokenClaims, json!({"nbf": null}), claims.clone(), true),
            (Key::TokenClaims, json!({"sub": null}), claims, false),
            (Key::Claims, Value::Null, Value::Null, true),
        ] {
            let checked = check(&[(key, expected.clone())], &alloc::vec![(key, found)]);
            assert_eq!(checked[0].holds, holds, "{} {expected}", key.as_str());
        }
    }

    #[test]
    fn what_was_not_found_does_not_hold() {
        let expected = [(ExpectationKey::Decision, json!("allow"))];
        assert!(!check(&expected, &Findings::new())[0].holds);
    }
}
