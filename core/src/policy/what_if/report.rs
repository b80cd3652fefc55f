//! Whose access changes between two states of a tenant, for people: what is said about it, and a page that shows it.

mod charts;
mod labels;
mod page;
pub mod words;

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use labels::Labels;
use words::{count, percent, several, sign_ins, word};

use super::{Change, ChangeGroup, Counts, Description};

/// What there is to report about two states of a tenant.
#[derive(Debug)]
pub struct Report<'a> {
    /// What the earlier state and the later one are called.
    pub states: [String; 2],
    /// Where the sign-ins come from, in words.
    pub origin: String,
    /// Whether the sign-ins were made from the policies.
    pub made: bool,
    /// What things are called.
    pub labels: &'a Labels,
    /// The policies of both states.
    pub description: &'a Description,
    /// What the sign-ins came to.
    pub counts: &'a Counts,
}

/// How many sign-ins a group names.
const NAMED: usize = 3;

impl<'a> Report<'a> {
    /// The report as a page that stands alone.
    #[must_use]
    pub fn page(&self) -> String {
        page::page(self)
    }

    /// The groups of one kind of change, the largest first.
    #[must_use]
    pub fn groups(&self, change: Change) -> Vec<&'a ChangeGroup> {
        let groups = self.counts.changes.groups.iter();
        let mut groups: Vec<&ChangeGroup> = groups.filter(|group| group.change == change).collect();
        groups.sort_by_key(|group| core::cmp::Reverse(group.sign_ins));
        groups
    }

    /// How many sign-ins change.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.counts.changes.totals.values().sum()
    }

    /// How many sign-ins were compared.
    #[must_use]
    pub fn sign_ins(&self) -> u64 {
        self.counts.summary.sign_ins
    }

    /// How many people, exact or not.
    #[must_use]
    pub fn people(&self, group: &ChangeGroup) -> String {
        let about = if group.people.is_exact() {
            ""
        } else {
            "about "
        };
        format!("{about}{}", count(group.people.count()))
    }

    /// The first sentence: how many sign-ins, how many change.
    #[must_use]
    pub fn headline(&self) -> String {
        let changed = self.changed();
        let [old, new] = &self.states;
        if changed == 0 {
            return format!(
                "From {old} to {new}, nothing changes for any of {}.",
                sign_ins(self.sign_ins())
            );
        }
        format!(
            "From {old} to {new}, {} of {} change ({}%).",
            count(changed),
            sign_ins(self.sign_ins()),
            percent(changed, self.sign_ins())
        )
    }

    /// What a list of groups leaves out, in words; nothing if it leaves out none.
    #[must_use]
    pub fn rest(groups: &[&ChangeGroup], told: usize) -> Option<String> {
        let rest = groups.get(told..).filter(|rest| !rest.is_empty())?;
        let number = rest
            .iter()
            .map(|group| group.sign_ins)
            .fold(0, u64::saturating_add);
        Some(format!(
            "{} more because of other policies, in {}",
            sign_ins(number),
            several(rest.len(), "group", "groups")
        ))
    }

    /// The policies that cause a group, with what became of them.
    #[must_use]
    pub fn causes(&self, group: &ChangeGroup) -> String {
        let cause = |position: &usize| {
            let name = self.labels.compared(*position);
            match self.description.compared.get(*position) {
                Some(pair) => format!("{name} ({})", word(pair.change)),
                None => name.to_owned(),
            }
        };
        let causes: Vec<String> = group.policies.iter().map(cause).collect();
        if causes.is_empty() {
            "no policy alone".to_owned()
        } else {
            causes.join(" · ")
        }
    }

    /// What the sign-ins of a group came to, and what they come to.
    #[must_use]
    pub fn demands(&self, group: &ChangeGroup) -> [String; 2] {
        [&group.unmet_before, &group.unmet_after].map(|unmet| {
            let controls = unmet.iter().filter(|name| *name != "block");
            let controls: Vec<String> = controls.map(|name| self.labels.control(name)).collect();
            let asked = format!("asked for {}", controls.join(", "));
            match (unmet.contains("block"), controls.is_empty()) {
                (true, true) => "blocked".to_owned(),
                (true, false) => format!("blocked, or {asked}"),
                (false, true) => "granted".to_owned(),
                (false, false) => asked,
            }
        })
    }

    /// The first sign-ins of a group, in words.
    #[must_use]
    pub fn examples(&self, group: &ChangeGroup) -> Vec<String> {
        group
            .examples
            .iter()
            .take(NAMED)
            .map(|id| match id.as_str() {
                Some(id) => self.labels.told(id),
                None => id.to_string(),
            })
            .collect()
    }
}
