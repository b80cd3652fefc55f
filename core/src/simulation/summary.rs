//! One line for people about each exchange.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::host::Received;
use super::keys::KeyRing;
use super::model::{AccountChange, Authentication, Mover, Network, Party};
use crate::engine::Verdict;
use crate::json::Value;

pub(super) fn sign_in(party: &Party, authentication: &Authentication, answer: &Value) -> String {
    let text = |name| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let how = match &party.user {
        Some(user) if !authentication.interactive => &format!("asks the issuer, without {user}"),
        Some(user) => &format!("signs {user} in"),
        None => "signs itself in",
    };
    let outcome = match answer.get("lifetimeSeconds").and_then(Value::as_u64) {
        Some(seconds) => format!("a token for {}", span(seconds)),
        None => match text("result") {
            "interactionRequired" => "the user has to sign in".to_string(),
            "block" => "blocked".to_string(),
            _ => "the question cannot be read".to_string(),
        },
    };
    let code = match text("code") {
        "" => String::new(),
        code => format!(" ({code})"),
    };
    format!("{} {how}: {outcome}{code}", party.client)
}

pub(super) fn not_asked(party: &Party) -> String {
    format!("{} has no challenge that it could answer", party.client)
}

pub(super) fn request(party: &Party, address: Option<&str>, verdict: &Verdict) -> String {
    let whom = match &party.user {
        Some(user) => format!(" for {user}"),
        None => String::new(),
    };
    let reasons = if verdict.reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", verdict.reasons.join(", "))
    };
    format!(
        "{} calls the resource{whom} from {}: {} {}{reasons}",
        party.client,
        address.unwrap_or("nowhere"),
        verdict.status,
        verdict.outcome.as_str(),
    )
}

pub(super) fn event_signed(claims: &Value) -> String {
    format!("a security event is signed: {}", event_types(claims))
}

pub(super) fn event_received(claims: &Value, received: &Received) -> String {
    let outcome = match received {
        Received::Accepted { changes: 0, .. } => "accepted, nothing to remember".to_string(),
        Received::Accepted { changes: 1, .. } => "accepted, remembered in 1 record".to_string(),
        Received::Accepted { changes, .. } => format!("accepted, remembered in {changes} records"),
        Received::Duplicate { .. } => "received before, dropped".to_string(),
        Received::Rejected { code, .. } => format!("rejected ({code})"),
    };
    format!("{} arrives: {outcome}", event_types(claims))
}

/// The last parts of the event type URIs.
fn event_types(claims: &Value) -> String {
    let events = claims.get("events").and_then(Value::as_object);
    let types: Vec<_> = events
        .into_iter()
        .flat_map(|events| events.keys())
        .map(|uri| uri.rsplit('/').next().unwrap_or(uri))
        .collect();
    if types.is_empty() {
        "a SET without events".to_string()
    } else {
        types.join(", ")
    }
}

pub(super) fn account_change(user: &str, change: &AccountChange) -> String {
    match change {
        AccountChange::Disabled => format!("the account of {user} is disabled"),
        AccountChange::Enabled => format!("the account of {user} is enabled"),
        AccountChange::SessionsRevoked => format!("all sessions of {user} are revoked"),
        AccountChange::SessionEvent("passwordChangedByUser") => {
            format!("the password of {user} changes")
        }
        AccountChange::SessionEvent(event) => format!("the issuer notes for {user}: {event}"),
        AccountChange::MfaEnabled => {
            format!("multi-factor authentication is enabled for {user}")
        }
        AccountChange::RiskLevel(level) => format!("the risk of {user} is now {level}"),
    }
}

pub(super) fn policy_change(faults: Option<usize>, outdated: u32) -> String {
    match faults {
        Some(0) if outdated > 0 => {
            format!("the configuration changes, which may hit {outdated} known token(s)")
        }
        Some(0) => "the configuration changes".to_string(),
        Some(faults) => format!("the new configuration has {faults} fault(s): the old one stays"),
        None => "the engine's answer cannot be read".to_string(),
    }
}

pub(super) fn state_clear(subject: &str, cleared: Result<usize, &str>) -> String {
    match cleared {
        Ok(records) => {
            format!("an operator clears {subject}: {records} record(s) with neutral values")
        }
        Err(error) => format!("nothing is cleared: {error}"),
    }
}

pub(super) fn network_change(who: &Mover, network: &Network) -> String {
    let (Mover::User(name) | Mover::Client(name)) = who;
    let seen = match (&network.issuer_sees, &network.resource_sees) {
        (Some(one), Some(other)) if one == other => format!("is now seen at {one}"),
        (Some(issuer), Some(resource)) => {
            format!("is now seen at {issuer} by the issuer, at {resource} by the resource")
        }
        (Some(issuer), None) => format!("is now seen at {issuer} by the issuer"),
        (None, Some(resource)) => format!("is now seen at {resource} by the resource"),
        (None, None) => "stays".to_string(),
    };
    format!("{name} {seen}")
}

pub(super) fn key_rotation(ring: &KeyRing<'_>, fetched: bool) -> String {
    format!(
        "keys change: signs with {}, publishes {}{}",
        ring.signing,
        ring.published.join(", "),
        if fetched {
            "; the host fetches the keys"
        } else {
            ""
        },
    )
}

/// `26 h 15 min`; seconds only where they say something.
pub(super) fn span(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let parts: Vec<_> = [(hours, "h"), (minutes, "min"), (rest, "s")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() {
        "0 s".to_string()
    } else {
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_have_at_most_two_parts() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (3_600, "1 h"),
            (3_661, "1 h 1 min"),
            (94_500, "26 h 15 min"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
