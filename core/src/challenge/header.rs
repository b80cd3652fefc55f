//! The `WWW-Authenticate` value of a refusal, in the one form that every known client reads.
//!
//! One line, one `Bearer` challenge, lower-case names, double-quoted values, `, ` between parameters, ASCII only,
//! no escapes: clients split this text with regular expressions rather than parse it.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ClaimsRequest;
use crate::configuration::{Dialect, Resource};

/// A refusal that the client may answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// No token was presented: how to get one, and no `error` (RFC 6750 §3.1).
    NoToken,
    /// `invalid_request`: two tokens, or a malformed request (RFC 6750 §3.1).
    InvalidRequest,
    /// `invalid_token`: get another one (RFC 6750 §3.1).
    InvalidToken {
        /// Why, as far as the client may know.
        description: Option<Description>,
    },
    /// `insufficient_scope` (RFC 6750 §3.1).
    InsufficientScope {
        /// The scopes that the request needs.
        scopes: Vec<String>,
    },
    /// `insufficient_user_authentication` (RFC 9470 §3).
    InsufficientUserAuthentication {
        /// Why, as far as the client may know.
        description: Option<Description>,
        /// Authentication context classes, in order of preference; one of them is needed.
        acr_values: Vec<String>,
        /// Oldest acceptable authentication, in seconds.
        max_age: Option<u64>,
    },
    /// `insufficient_claims`: the Entra claims challenge, only for clients with `cp1`.
    InsufficientClaims {
        /// Why, as far as the client may know.
        description: Option<Description>,
        /// What the next token must show.
        claims: ClaimsRequest,
    },
}

impl Challenge {
    /// Value of the parameter `error`.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        match self {
            Self::NoToken => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken { .. } => Some("invalid_token"),
            Self::InsufficientScope { .. } => Some("insufficient_scope"),
            Self::InsufficientUserAuthentication { .. } => Some("insufficient_user_authentication"),
            Self::InsufficientClaims { .. } => Some("insufficient_claims"),
        }
    }

    const fn description(&self) -> Option<Description> {
        match self {
            Self::NoToken | Self::InvalidRequest | Self::InsufficientScope { .. } => None,
            Self::InvalidToken { description }
            | Self::InsufficientUserAuthentication { description, .. }
            | Self::InsufficientClaims { description, .. } => *description,
        }
    }
}

/// What the client is told about the cause. Risk, devices and policy names stay in the decision log
/// (`enforcement.md` §5).
///
/// Ordered: of several causes the smallest is told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Description {
    /// Microsoft's code for a revocation after the token was issued.
    TokenIssuedBeforeRevocationTimestamp,
    /// Microsoft's code for a location policy that matched the address seen by the resource.
    LocationConditionEvaluationSatisfied,
    /// Microsoft's code for a policy that changed after the token was issued.
    TokenCreatedWithOutdatedPolicies,
    /// A revocation, in the `oauth` dialect.
    Revoked,
    /// The network location, in the `oauth` dialect.
    Location,
    /// A stronger or more recent sign-in, in the `oauth` dialect.
    StrongerSignInNeeded,
}

impl Description {
    /// An event cut the token off.
    #[must_use]
    pub const fn revocation(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Entra => Self::TokenIssuedBeforeRevocationTimestamp,
            Dialect::OAuth => Self::Revoked,
        }
    }

    /// A policy refuses the network location.
    #[must_use]
    pub const fn location(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Entra => Self::LocationConditionEvaluationSatisfied,
            Dialect::OAuth => Self::Location,
        }
    }

    /// A policy changed after the token was issued; `oauth` has no word for it.
    #[must_use]
    pub const fn outdated_policies(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Entra => Some(Self::TokenCreatedWithOutdatedPolicies),
            Dialect::OAuth => None,
        }
    }

    /// A control needs a stronger or more recent sign-in; Entra's step-up challenge has no code for it.
    #[must_use]
    pub const fn authentication(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Entra => None,
            Dialect::OAuth => Some(Self::StrongerSignInNeeded),
        }
    }

    /// The text of `error_description`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenIssuedBeforeRevocationTimestamp => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
            }
            Self::LocationConditionEvaluationSatisfied => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: LocationConditionEvaluationSatisfied"
            }
            Self::TokenCreatedWithOutdatedPolicies => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies"
            }
            Self::Revoked => "revoked",
            Self::Location => "location",
            Self::StrongerSignInNeeded => "stronger sign-in needed",
        }
    }
}

/// The value of the `WWW-Authenticate` field for `challenge`.
///
/// ```
/// use cae_core::challenge::{Challenge, www_authenticate};
/// use cae_core::configuration::Resource;
///
/// let resource = Resource { realm: Some("".into()), ..Resource::default() };
/// let challenge = Challenge::InvalidToken { description: None };
/// assert_eq!(www_authenticate(&resource, &challenge), r#"Bearer realm="", error="invalid_token""#);
/// assert_eq!(www_authenticate(&Resource::default(), &Challenge::NoToken), "Bearer");
/// ```
#[must_use]
pub fn www_authenticate(resource: &Resource, challenge: &Challenge) -> String {
    let mut header = Header::default();
    if let Some(realm) = &resource.realm {
        header.parameter("realm", realm);
    }
    if let Some(uri) = &resource.authorization_uri {
        header.parameter("authorization_uri", uri);
    }
    if let Some(error) = challenge.error() {
        header.parameter("error", error);
    }
    if let Some(description) = challenge.description() {
        header.parameter("error_description", description.as_str());
    }
    match challenge {
        Challenge::NoToken | Challenge::InvalidRequest | Challenge::InvalidToken { .. } => {}
        Challenge::InsufficientScope { scopes } => header.list("scope", scopes),
        Challenge::InsufficientUserAuthentication {
            acr_values,
            max_age,
            ..
        } => {
            header.list("acr_values", acr_values);
            if let Some(seconds) = max_age {
                header.parameter("max_age", &seconds.to_string());
            }
        }
        Challenge::InsufficientClaims { claims, .. } => {
            header.parameter("claims", &STANDARD.encode(claims.to_json()));
        }
    }
    header.0
}

/// A `Bearer` challenge in the making.
struct Header(String);

impl Default for Header {
    fn default() -> Self {
        Self("Bearer".into())
    }
}

impl Header {
    fn parameter(&mut self, name: &str, value: &str) {
        let separator = if self.0.len() == "Bearer".len() {
            " "
        } else {
            ", "
        };
        self.0.extend([separator, name, "=\""]);
        self.0.extend(value.chars().filter(|c| is_writable(*c)));
        self.0.push('"');
    }

    /// Values separated by spaces; the parameter is left out if there are none.
    fn list(&mut self, name: &str, values: &[String]) {
        let words: Vec<String> = values
            .iter()
            .map(|value| {
                value
                    .chars()
                    .filter(|c| is_writable(*c) && *c != ' ')
                    .collect()
            })
            .filter(|word: &String| !word.is_empty())
            .collect();
        if !words.is_empty() {
            self.parameter(name, &words.join(" "));
        }
    }
}

// SPEC: RFC 6750 §3, characters of `error_description`: printable ASCII without the quote and the backslash. It
// keeps line breaks out of the header, and escapes away from clients that stop at them.
fn is_writable(character: char) -> bool {
    matches!(character, ' '..='~') && !matches!(character, '"' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    fn resource() -> Resource {
        Resource {
            authorization_uri: Some("https://login.example/common/oauth2/authorize".into()),
            realm: Some(String::new()),
            ..Resource::default()
        }
    }

    #[test]
    fn each_refusal_has_its_text() {
        let claims = ClaimsRequest {
            nbf: Some(UnixTime::from_secs(1_604_106_651)),
            ..ClaimsRequest::default()
        };
        for (challenge, rest) in [
            (Challenge::NoToken, ""),
            (Challenge::InvalidRequest, r#", error="invalid_request""#),
            (
                Challenge::InvalidToken {
                    description: Some(Description::revocation(Dialect::OAuth)),
                },
                r#", error="invalid_token", error_description="revoked""#,
            ),
            (
                Challenge::InsufficientScope {
                    scopes: alloc::vec!["orders.read".into(), "orders.write".into()],
                },
                r#", error="insufficient_scope", scope="orders.read orders.write""#,
            ),
            (
                Challenge::InsufficientUserAuthentication {
                    description: Description::authentication(Dialect::OAuth),
                    acr_values: alloc::vec!["myACR".into()],
                    max_age: Some(5),
                },
                r#", error="insufficient_user_authentication", error_description="stronger sign-in needed", acr_values="myACR", max_age="5""#,
            ),
            (
                Challenge::InsufficientClaims {
                    description: Some(Description::revocation(Dialect::Entra)),
                    claims,
                },
                r#", error="insufficient_claims", error_description="Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19fQ==""#,
            ),
        ] {
            let head = r#"Bearer realm="", authorization_uri="https://login.example/common/oauth2/authorize""#;
            assert_eq!(
                www_authenticate(&resource(), &challenge),
                alloc::format!("{head}{rest}")
            );
        }
    }

    #[test]
    fn nothing_configured_or_asked_for_can_leave_its_quotes() {
        let hostile = "a\"b\\c\r\nSet-Cookie: d\u{e9}\u{7f}";
        let resource = Resource {
            realm: Some(hostile.into()),
            ..Resource::default()
        };
        let challenge = Challenge::InsufficientScope {
            scopes: alloc::vec![hostile.into(), "\"".into()],
        };
        assert_eq!(
            www_authenticate(&resource, &challenge),
            r#"Bearer realm="abcSet-Cookie: d", error="insufficient_scope", scope="abcSet-Cookie:d""#
        );
    }
}
