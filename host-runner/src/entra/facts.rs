//! What is learned from Graph, as security event tokens (RFC 8417): the effects are those of any transmitter's events.

use cae_core::json::{Map, Value};
use cae_core::state::record::RiskLevel;
use cae_core::time::{EventTime, UnixTime};
use serde_json::json;

use crate::digest::sha256;
use crate::encoding::hexadecimal_of;

/// Whom a fact is about, by the ids of Graph.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum About {
    User(String),
    /// A service principal, by its object id and by the id of its application if that is known.
    Application {
        object: String,
        application: Option<String>,
    },
}

/// What happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    Disabled,
    /// Deleted for good.
    Purged,
    Enabled,
    SessionsRevoked,
    PasswordChanged,
    /// A second factor was registered.
    SecondFactor,
    /// Risk; `None` is none.
    Risk(RiskLevel),
}

/// One thing that was learned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fact {
    pub(crate) about: About,
    pub(crate) what: What,
    pub(crate) at: EventTime,
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

impl Fact {
    pub(crate) const fn new(about: About, what: What, at: EventTime) -> Self {
        Self { about, what, at }
    }

    /// The claims of its SET. The same fact has the same `jti`, however often it is learned. `None` for the absence of
    /// risk, which CAEP has no word for.
    pub(crate) fn claims(&self, transmitter: &str, issuer: &str, now: UnixTime) -> Option<Value> {
        let (uri, body) = self.event()?;
        let mut body = body;
        // More than 10^11 is read as milliseconds.
        let millis = self.at.as_micros().checked_div(1_000).unwrap_or_default();
        body.insert("event_timestamp".to_owned(), millis.into());
        let mut events = Map::new();
        events.insert(uri, Value::Object(body));
        Some(json!({
            "iss": transmitter,
            "aud": transmitter,
            "iat": now.as_secs(),
            "jti": self.jti(),
            "sub_id": self.about.identifier(issuer),
            "events": events,
        }))
    }

    fn event(&self) -> Option<(String, Map<String, Value>)> {
        let caep = |name: &str| format!("{CAEP}{name}");
        let risc = |name: &str| format!("{RISC}{name}");
        let body = match &self.what {
            What::Disabled => (risc("account-disabled"), json!({})),
            What::Purged => (risc("account-purged"), json!({})),
            What::Enabled => (risc("account-enabled"), json!({})),
            What::SessionsRevoked => (
                caep("session-revoked"),
                json!({"initiating_entity": "system"}),
            ),
            What::PasswordChanged => (
                caep("credential-change"),
                json!({"credential_type": "password", "change_type": "update"}),
            ),
            What::SecondFactor => (
                caep("credential-change"),
                json!({"credential_type": "app", "change_type": "create"}),
            ),
            What::Risk(level) => {
                let principal = match self.about {
                    About::User(_) => "USER",
                    About::Application { .. } => "SERVICE_PRINCIPAL",
                };
                let mut body = Map::new();
                body.insert("principal".to_owned(), principal.into());
                body.insert("current_level".to_owned(), level_name(*level)?.into());
                (caep("risk-level-change"), Value::Object(body))
            }
        };
        match body {
            (uri, Value::Object(members)) => Some((uri, members)),
            _ => None,
        }
    }

    fn jti(&self) -> String {
        let what = match self.what {
            What::Disabled => "disabled",
            What::Purged => "purged",
            What::Enabled => "enabled",
            What::SessionsRevoked => "sessionsRevoked",
            What::PasswordChanged => "passwordChanged",
            What::SecondFactor => "secondFactor",
            What::Risk(level) => level_name(level).unwrap_or("none"),
        };
        let whom = match &self.about {
            About::User(id) => format!("user:{id}"),
            About::Application { object, .. } => format!("application:{object}"),
        };
        let at = self.at.as_micros().to_be_bytes();
        let digest = sha256(&[what.as_bytes(), whom.to_lowercase().as_bytes(), &at]);
        let half = digest.first_chunk::<16>().copied().unwrap_or_default();
        hexadecimal_of(&half)
    }
}

impl About {
    /// The subject identifier (RFC 9493), in the words of the issuer whose tokens name it.
    pub(crate) fn identifier(&self, issuer: &str) -> Value {
        let one = |id: &str| json!({"format": "iss_sub", "iss": issuer, "sub": id});
        match self {
            Self::User(id) => one(id),
            Self::Application {
                object,
                application: None,
            } => json!({"format": "complex", "application": one(object)}),
            Self::Application {
                object,
                application: Some(application),
            } => json!({"format": "complex", "application": {
                "format": "aliases", "identifiers": [one(application), one(object)],
            }}),
        }
    }
}

fn level_name(level: RiskLevel) -> Option<&'static str> {
    match level {
        RiskLevel::None => None,
        RiskLevel::Low => Some("LOW"),
        RiskLevel::Medium => Some("MEDIUM"),
        RiskLevel::High => Some("HIGH"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(what: What) -> Fact {
        let about = About::User("11111111-1111-1111-1111-11111111111A".to_owned());
        Fact::new(about, what, EventTime::from_micros(1_764_000_000_500_000))
    }

    #[test]
    fn the_same_fact_has_the_same_name() {
        assert_eq!(fact(What::Disabled).jti(), fact(What::Disabled).jti());
        assert_ne!(fact(What::Disabled).jti(), fact(What::Enabled).jti());
        let mut lower = fact(What::Disabled);
        lower.about = About::User("11111111-1111-1111-1111-11111111111a".to_owned());
        assert_eq!(lower.jti(), fact(What::Disabled).jti());
    }

    #[test]
    fn what_caep_has_no_word_for_is_no_set() {
        let risk = |level| fact(What::Risk(level)).claims("t", "i", UnixTime::from_secs(1));
        assert_eq!(risk(RiskLevel::None), None);
        let set = risk(RiskLevel::Low).unwrap();
        let event =
            &set["events"]["https://schemas.openid.net/secevent/caep/event-type/risk-level-change"];
        assert_eq!(event.get("previous_level"), None, "nobody knows");
        assert_eq!(event["event_timestamp"], 1_764_000_000_500_u64);
    }
}
