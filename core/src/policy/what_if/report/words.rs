//! What the changes between two states of a tenant are called, for people: on the terminal and in the report.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::policy::what_if::{Change, DocumentChange, DocumentPair, Representatives};

/// What a change is called in a table.
#[must_use]
pub const fn title(change: Change) -> &'static str {
    match change {
        Change::NewBlocks => "newly blocked",
        Change::NewGrants => "newly granted",
        Change::LiftedBlocks => "block lifted",
        Change::NewChallenges => "newly challenged",
        Change::ChangedRequirements => "other requirements",
        Change::ChangedSession => "other session controls",
        Change::ChangedCertainty => "other undetermined policies",
    }
}

/// What a change means, in one sentence.
#[must_use]
pub const fn meaning(change: Change) -> &'static str {
    match change {
        Change::NewBlocks => {
            "These sign-ins went through, or could have, and are blocked from now on."
        }
        Change::NewGrants => {
            "These sign-ins were blocked or asked for more, and go through without more from now on."
        }
        Change::LiftedBlocks => {
            "These sign-ins were blocked, and go through from now on if something more is done."
        }
        Change::NewChallenges => {
            "These sign-ins went through without more, and are asked for more from now on."
        }
        Change::ChangedRequirements => "These sign-ins are asked for something else than before.",
        Change::ChangedSession => {
            "These sign-ins go through as before, into a session with other controls."
        }
        Change::ChangedCertainty => {
            "These sign-ins come to the same as far as can be told, but other policies cannot be told."
        }
    }
}

/// What became of a document.
#[must_use]
pub const fn word(change: DocumentChange) -> &'static str {
    match change {
        DocumentChange::Added => "added",
        DocumentChange::Removed => "removed",
        DocumentChange::Changed => "changed",
        DocumentChange::Unchanged => "unchanged",
    }
}

/// The members of a document that differ; of its state what it was and what it is.
#[must_use]
pub fn what_differs(pair: &DocumentPair) -> String {
    let unset = || "not set".to_owned();
    let state = |state: &Option<String>| state.clone().unwrap_or_else(unset);
    let members = pair.members.iter().map(|member| match member.as_str() {
        "state" => format!(
            "state {} → {}",
            state(&pair.state_before),
            state(&pair.state_after)
        ),
        other => other.to_owned(),
    });
    let members: Vec<String> = members.collect();
    match pair.change {
        DocumentChange::Added => pair.state_after.clone().unwrap_or_default(),
        DocumentChange::Removed => format!("was {}", state(&pair.state_before)),
        DocumentChange::Changed | DocumentChange::Unchanged => members.join(", "),
    }
}

/// With a capital letter.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A policy or named location of both states.
#[must_use]
pub fn pair_name(pair: &DocumentPair) -> String {
    let name = pair.display_name.clone().or_else(|| pair.id.clone());
    let position = || pair.index.unwrap_or_default().saturating_add(1);
    name.unwrap_or_else(|| format!("number {}", position()))
}

/// How sign-ins were made that nobody gave.
#[must_use]
pub fn made(made: &Representatives) -> String {
    let thinned = if made.thinned {
        ", of policies with very many an even sample"
    } else {
        ""
    };
    format!(
        "no sign-ins were given, so these are made from the policies: {}, {}, {} and {} of device, client and risk \
         that the policies name, everybody and everything else among them; tried are the combinations that a policy \
         names{thinned}",
        several(made.people, "kind of people", "kinds of people"),
        several(
            made.targets,
            "application or other target",
            "applications and other targets"
        ),
        several(made.places, "network", "networks"),
        several(made.circumstances, "combination", "combinations")
    )
}

/// A number of things, in words.
#[must_use]
pub fn several(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// A number of sign-ins, in words.
#[must_use]
pub fn sign_ins(number: u64) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} sign-in{ending}", count(number))
}

/// Tenths of a per cent, as people write them.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part)
        .saturating_mul(1_000)
        .saturating_add(u128::from(whole / 2))
        .checked_div(u128::from(whole))
        .unwrap_or_default();
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A number with commas between groups of three digits.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && digits.len().saturating_sub(n) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
