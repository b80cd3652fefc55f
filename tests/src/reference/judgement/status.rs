//! `enforcement.md` §4: whether an account counts as disabled or deleted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Entry, Finding, Weight, age_cap, backdated, first_whole_second_after, latest, of_names,
    standing, transmitters_of, user_names,
};
use crate::reference::effects::{Says, Status};
use crate::reference::facts::{self, Fact, Order};
use crate::reference::tokens::{Kind, Name, Token};

/// Status of the account, and of the application.
pub(super) fn status(
    configuration: &Value,
    token: &Token<'_>,
    facts: &[Fact],
    now: u64,
) -> Vec<Finding> {
    let value = |says: &Says| match says {
        Says::Status(status) => Some(*status),
        _ => None,
    };
    let applications = [Kind::Client, Kind::ServicePrincipal];
    let of_applications = applications
        .map(|kind| of_names(configuration, token, facts, &[kind], value))
        .to_vec();
    of_applications
        .into_iter()
        .chain([status_of_user(configuration, token, facts)])
        .filter_map(|entries| refusing_status(configuration, token, &entries, now))
        .collect()
}

/// "merge the stable ones first; a value from another key replaces the result only if it is later and stricter": of an
/// address counts what nobody lifted under that address itself, and never that it was lifted.
fn status_of_user<'f>(
    configuration: &'f Value,
    token: &Token<'_>,
    facts: &'f [Fact],
) -> Vec<Entry<'f, Status>> {
    let value = |says: &Says| match says {
        Says::Status(status) => Some(*status),
        _ => None,
    };
    let may_speak = transmitters_of(configuration, token);
    let (unstable, stable): (Vec<&Name>, Vec<&Name>) =
        user_names(token).partition(|name| facts::is_unstable(name.kind));
    let mut result: BTreeMap<&str, Entry<'_, Status>> = BTreeMap::new();
    for name in stable {
        for (transmitter, entry) in standing(facts, name, value) {
            let known = result.remove(transmitter);
            let merged = latest(known.into_iter().chain([entry]));
            result.extend(merged.map(|entry| (transmitter, entry)));
        }
    }
    for name in unstable {
        let entries: Vec<_> = standing(facts, name, value)
            .into_values()
            .filter(|(_, transmitter, _)| may_speak.contains(transmitter))
            .collect();
        let lifted = lifted(configuration, token, &entries);
        for entry in entries {
            let (order, transmitter, status) = entry;
            let replaces = match result.get(transmitter) {
                Some((known, _, known_status)) => order > *known && status > *known_status,
                None => status > Status::Enabled,
            };
            if replaces && lifted.is_none_or(|lifted| order >= lifted) {
                result.insert(transmitter, entry);
            }
        }
    }
    let mut entries: Vec<_> = result.into_values().collect();
    entries.retain(|(_, transmitter, _)| may_speak.contains(transmitter));
    entries
}

/// "a later `enabled` from an `actsForIssuer` transmitter lifts all"
fn lifted(
    configuration: &Value,
    token: &Token<'_>,
    entries: &[Entry<'_, Status>],
) -> Option<Order> {
    entries
        .iter()
        .filter(|(_, url, status)| {
            *status == Status::Enabled && facts::acts_for(configuration, url, &token.realm)
        })
        .map(|(order, _, _)| *order)
        .max()
}

fn refusing_status(
    configuration: &Value,
    token: &Token<'_>,
    entries: &[Entry<'_, Status>],
    now: u64,
) -> Option<Finding> {
    let acts = |url: &str| facts::acts_for(configuration, url, &token.realm);
    let lifted = lifted(configuration, token, entries);
    let setting = |name: &str, default| configuration["settings"][name].as_u64().unwrap_or(default);
    let longest = age_cap(configuration, true)
        .max(age_cap(configuration, false))
        .saturating_add(backdated(configuration, token))
        .saturating_add(setting("clockSkewSeconds", 60));
    // "lapses at event time + longest token age + skew (that issuer issues nothing to a disabled user), another's
    // stays until lifted"
    let has_lapsed = |order: &Order, url: &str| {
        let until = (order.0 / 1_000_000).saturating_add(longest);
        acts(url) && now >= until
    };
    let (order, _, status) = entries
        .iter()
        .filter(|(order, url, _)| !has_lapsed(order, url))
        .filter(|(order, _, _)| lifted.is_none_or(|lifted| *order >= lifted))
        .max_by_key(|(order, _, status)| (*status, *order))?;
    let reason = match status {
        Status::Enabled => return None,
        Status::Disabled => "account_disabled",
        Status::Purged => "account_purged",
    };
    let valid_from = first_whole_second_after(*order);
    // "token issued **after** the fact that refuses it: deny"
    let weight = match token.earliest < valid_from {
        true => Weight::Challenge(valid_from),
        false => Weight::Deny,
    };
    Some(Finding { reason, weight })
}
