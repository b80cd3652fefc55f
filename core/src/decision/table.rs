//! The table of situations (`enforcement.md` §5): what each one comes to, in each dialect, in one `match`.

use core::net::IpAddr;

use alloc::string::String;

use crate::configuration::Dialect;
use crate::time::UnixTime;

/// How the client behind a token can be spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Voice {
    /// Entra dialect; the token declares `cp1`.
    EntraCapable,
    /// Entra dialect; the client would not understand a claims challenge.
    EntraIncapable,
    /// RFC 6750 and RFC 9470.
    OAuth,
}

impl Voice {
    pub(super) const fn of(dialect: Dialect, capable: bool) -> Self {
        match (dialect, capable) {
            (Dialect::Entra, true) => Self::EntraCapable,
            (Dialect::Entra, false) => Self::EntraIncapable,
            (Dialect::OAuth, _) => Self::OAuth,
        }
    }

    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::EntraCapable | Self::EntraIncapable => Dialect::Entra,
            Self::OAuth => Dialect::OAuth,
        }
    }
}

/// What stands against a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Situation {
    /// The token was issued before the fact that refuses it: an event, a policy change, stale signals.
    IssuedBefore { fact: UnixTime },
    /// A control that a new token can show. `fact` is set where the issuer evaluates the policy itself.
    UnmetControl {
        fact: Option<UnixTime>,
        acr_value: Option<String>,
    },
    /// The last authentication is too old. `fact` as above.
    SignInAge {
        fact: Option<UnixTime>,
        max_age: u64,
    },
    /// The route asks for an authentication context.
    AuthenticationContext {
        context: String,
        acr_value: Option<String>,
    },
    /// A location policy whose issuer will evaluate it again; `given` is when the challenge was first given.
    Location { given: UnixTime, address: IpAddr },
    /// No token issued later could pass.
    Refused,
    /// The token lacks scopes of the route.
    ScopeMissing,
    /// A host fact is missing.
    MissingFact,
}

/// What the client is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// A claims request: `insufficient_claims`.
    NotBefore(UnixTime),
    /// A claims request that also tells the address the resource saw.
    Location(UnixTime, IpAddr),
    /// A claims request for an authentication context.
    Context(String),
    /// Any newer token: `invalid_token`.
    NewToken,
    /// RFC 9470 `acr_values`.
    AcrValue(String),
    /// RFC 9470 `max_age`.
    MaxAge(u64),
}

/// How a refusal is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resolution {
    Challenge(Ask),
    /// 403.
    Forbidden,
    /// 403 with `insufficient_scope`.
    InsufficientScope,
    /// 503.
    Unavailable,
}

pub(super) fn resolve(situation: Situation, voice: Voice) -> Resolution {
    use Resolution::{Challenge, Forbidden, InsufficientScope, Unavailable};
    use Situation as S;
    use Voice::{EntraCapable, EntraIncapable, OAuth};

    match (situation, voice) {
        (S::IssuedBefore { fact }, EntraCapable) => Challenge(Ask::NotBefore(fact)),
        (S::IssuedBefore { .. }, EntraIncapable | OAuth) => Challenge(Ask::NewToken),

        (
            S::UnmetControl {
                fact: Some(fact), ..
            }
            | S::SignInAge {
                fact: Some(fact), ..
            },
            EntraCapable,
        ) => Challenge(Ask::NotBefore(fact)),
        // An Entra claims challenge cannot ask an issuer for a control of a policy that it does not know.
        (S::UnmetControl { fact: None, .. } | S::SignInAge { fact: None, .. }, EntraCapable) => {
            Forbidden
        }
        (S::UnmetControl { .. } | S::SignInAge { .. }, EntraIncapable) => Forbidden,
        (S::UnmetControl { acr_value, .. }, OAuth) => step_up(acr_value),
        (S::SignInAge { max_age, .. }, OAuth) => Challenge(Ask::MaxAge(max_age)),

        (S::AuthenticationContext { context, .. }, EntraCapable) => {
            Challenge(Ask::Context(context))
        }
        (S::AuthenticationContext { .. }, EntraIncapable) => Forbidden,
        (S::AuthenticationContext { acr_value, .. }, OAuth) => step_up(acr_value),

        (S::Location { given, address }, EntraCapable) => Challenge(Ask::Location(given, address)),
        (S::Location { .. }, EntraIncapable | OAuth) => Forbidden,

        (S::Refused, _) => Forbidden,
        (S::ScopeMissing, _) => InsufficientScope,
        (S::MissingFact, _) => Unavailable,
    }
}

/// Without a configured `acr` value there is nothing that the client could be told to ask for.
fn step_up(acr_value: Option<String>) -> Resolution {
    acr_value.map_or(Resolution::Forbidden, |value| {
        Resolution::Challenge(Ask::AcrValue(value))
    })
}
