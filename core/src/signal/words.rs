//! What an event will do, and to whom, in sentences: for people who read `cae event decode`.
//!
//! The sentences are made of the effects themselves, so they cannot promise what merging does not do. Times are UTC;
//! the date is said where it is another day than that of the reception.

mod notes;
mod subjects;

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use self::subjects::Subjects;
use super::event::Event;
use super::filing::Directory;
use super::interpret::{Interpretation, KeyEffect};
use crate::configuration::{Configuration, Issuer, Transmitter};
use crate::decision::{counts_unseen, reason_of};
use crate::policy::{CompiledPolicy, Condition, GrantControl, PolicyState};
use crate::state::StateKey;
use crate::state::key::SubjectKind;
use crate::state::names::Named as _;
use crate::state::record::{
    AccountStatus, Cause, DeviceCompliance, Entry, Member, MultiFactor, OptOut, Record, RiskLevel,
    UnseenMember,
};
use crate::state::retention::{RetentionLimits, acts_for_issuer, outlived_at, standing_lapses_at};
use crate::time::UnixTime;
use crate::token::claims::Part;

/// Who left the group that the event is about.
fn left<'a>(interpretation: &'a Interpretation<'_>) -> &'a [String] {
    let mut events = interpretation.set.events.iter();
    let left = events.find_map(|event| match event {
        Event::MembershipEnd(members) => Some(members.as_slice()),
        _ => None,
    });
    left.unwrap_or_default()
}

/// One reading, and what is needed to word it.
pub(super) struct Words<'a> {
    interpretation: &'a Interpretation<'a>,
    directory: Directory<'a>,
    received_at: UnixTime,
    subjects: Subjects,
    sentences: Vec<String>,
}

impl<'a> Words<'a> {
    pub(super) fn new(
        interpretation: &'a Interpretation<'a>,
        directory: Directory<'a>,
        received_at: UnixTime,
    ) -> Self {
        Self {
            interpretation,
            directory,
            received_at,
            subjects: Subjects::of(
                interpretation.set.subject.as_ref(),
                left(interpretation),
                directory,
            ),
            sentences: Vec::new(),
        }
    }

    /// What the event will do, in sentences, the most decisive first.
    pub(super) fn explain(mut self) -> Vec<String> {
        self.cut_offs();
        self.scoped_cut_offs();
        self.mfa_enabled();
        self.claims();
        self.assurance();
        self.account();
        self.risk();
        self.compliance();
        self.opt_out();
        self.nothing();
        self.brake();
        self.sentences
    }

    /// Whoever is one of these, by name.
    pub(super) fn any_of(&self, keys: impl Iterator<Item = (StateKey, SubjectKind)>) -> String {
        self.subjects.any_of(keys)
    }

    /// A time of day in UTC, with its date unless it is that of the reception.
    pub(super) fn time(&self, at: UnixTime) -> String {
        let utc = at.utc();
        match utc.same_day(self.received_at.utc()) {
            true => format!("{} UTC", utc.clock()),
            false => format!("{utc}").replace('Z', " UTC"),
        }
    }

    fn say(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    /// The first value that `pick` finds in a record, and whose records have it.
    fn field<T>(&self, pick: impl Fn(&Record) -> Option<T>) -> Option<(T, String)> {
        let effects = self.interpretation.effects.iter();
        let found: Vec<(T, &StateKey, &KeyEffect)> = effects
            .filter_map(|(key, effect)| Some((pick(&effect.record)?, key, effect)))
            .collect();
        let whose = self
            .subjects
            .any_of(found.iter().map(|(_, key, effect)| (**key, effect.kind)));
        let (value, ..) = found.into_iter().next()?;
        Some((value, whose))
    }

    fn configuration(&self) -> Option<(&Configuration, &Transmitter)> {
        match self.directory {
            Directory::Configured(configuration, transmitter) => Some((configuration, transmitter)),
            Directory::Unconfigured(_) => None,
        }
    }

    /// The issuers whose tokens can be hit.
    fn issuers(&self) -> Vec<&Issuer> {
        let Some((configuration, transmitter)) = self.configuration() else {
            return Vec::new();
        };
        let spoken_for = transmitter.speaks_for.iter();
        spoken_for
            .filter_map(|index| configuration.issuers.get(*index))
            .collect()
    }

    fn cut_offs(&mut self) {
        let Some((entry, whose)) = self.field(|record| record.cut_off) else {
            return;
        };
        let Some(code) = reason_of(entry.value) else {
            return self.say(format!(
                "What was revoked of {whose} before {} is cleared.",
                self.time(entry.at.next_second())
            ));
        };
        let before = self.time(entry.at.next_second());
        let kept = self.kept(&entry);
        let left = match left(self.interpretation) {
            [] => String::new(),
            _ => format!(", no longer in the group {},", self.subjects.whole()),
        };
        self.say(format!(
            "Tokens of {whose}{left} issued before {before} will be challenged ({}){kept}.",
            code.as_str()
        ));
    }

    /// Until when a cut-off matters.
    fn kept(&self, entry: &Entry<Cause>) -> String {
        let Some((configuration, _)) = self.configuration() else {
            return String::new();
        };
        let limits = RetentionLimits::of(configuration);
        let lapse = outlived_at(entry.at, limits.longest_token_age, limits.skew);
        let lapse = self.time(lapse);
        format!("; after {lapse} no acceptable token is that old")
    }

    fn scoped_cut_offs(&mut self) {
        let first = |record: &Record| record.scoped.first().cloned();
        let Some(((scope, entry), _)) = self.field(first) else {
            return;
        };
        let Some(code) = reason_of(entry.value) else {
            return;
        };
        let hides =
            |member: &Member| member.keys.is_empty() && !counts_unseen(member, scope.unseen);
        if scope.members.iter().any(hides) {
            self.say(
                "Nothing is cut off: no token can show all of the subject (`precise`).".to_string(),
            );
            return;
        }
        let effects = self.interpretation.effects.iter();
        let own = effects
            .filter(|(_, effect)| !effect.record.scoped.is_empty())
            .map(|(key, effect)| (*key, effect.kind));
        let rest = scope.members.iter().flat_map(|member| {
            let keys = member.keys.iter();
            keys.map(|(_, key)| (*key, member.kind))
        });
        let whose = self.subjects.all_of(own.chain(rest));
        let before = self.time(entry.at.next_second());
        let kept = self.kept(&entry);
        self.say(format!(
            "Tokens that show {whose}, issued before {before}, will be challenged ({}){kept}.",
            code.as_str()
        ));
        let has_session = scope
            .members
            .iter()
            .any(|member| member.kind == SubjectKind::Session);
        let unseen = match scope.unseen {
            UnseenMember::FailSafe => {
                "Of these, what a token does not show at all counts as matching (`failSafe`)."
            }
            UnseenMember::FailSafeSession if has_session => {
                "A token that shows no session at all counts as one of that session; any other of these it has to show."
            }
            UnseenMember::Precise | UnseenMember::FailSafeSession => {
                "A token that does not show all of them is not hit (`precise`)."
            }
        };
        self.say(unseen.to_string());
    }

    fn mfa_enabled(&mut self) {
        let Some((entry, whose)) = self.field(|record| record.mfa_enabled) else {
            return;
        };
        if entry.value == MultiFactor::Cleared {
            return;
        }
        let before = self.time(entry.at.next_second());
        self.say(format!(
            "Tokens of {whose} issued before {before} that do not show multi-factor authentication will be \
             challenged (mfa_enabled)."
        ));
        let silent: Vec<String> = (self.issuers().iter())
            .filter(|issuer| {
                let shows = |part| issuer.claims.name(part).is_some();
                !shows(Part::Amr) && !issuer.acr_values.contains_key("mfa")
            })
            .map(|issuer| format!("No token of {} can show it.", issuer.issuer))
            .collect();
        self.sentences.extend(silent);
    }

    fn claims(&mut self) {
        let Some((claims, whose)) =
            self.field(|record| (!record.claims.is_empty()).then(|| record.claims.clone()))
        else {
            return;
        };
        let named: Vec<String> = claims
            .iter()
            .map(|(name, entry)| format!("`{}` as {}", name.as_str(), short(entry.value.as_str())))
            .collect();
        let Some((_, entry)) = claims.first() else {
            return;
        };
        let before = self.time(entry.at.next_second());
        self.say(format!(
            "Tokens of {whose} issued before {before} that do not show {} will be challenged (claims_changed).",
            named.join(" and ")
        ));
    }

    fn assurance(&mut self) {
        let first = |record: &Record| record.assurance.first().map(|(_, entry)| entry.clone());
        let Some((entry, whose)) = self.field(first) else {
            return;
        };
        let (level, before) = (entry.value.as_str(), self.time(entry.at.next_second()));
        self.say(format!(
            "Tokens of {whose} issued before {before} whose level is not known to be {} or lower will be challenged \
             (assurance_decreased).",
            short(level)
        ));
        let silent: Vec<String> = (self.issuers().iter())
            .filter(|issuer| issuer.assurance_levels.is_empty())
            .map(|issuer| {
                format!(
                    "{} has no `assuranceLevels`, so the level of none of its tokens is known.",
                    issuer.issuer
                )
            })
            .collect();
        self.sentences.extend(silent);
    }

    /// SPEC: RISC 1.0 §2.8: what silence about an account is worth.
    fn opt_out(&mut self) {
        let Some((entry, whose)) = self.field(|record| record.opt_out.first().map(|(_, it)| *it))
        else {
            return;
        };
        let transmitter = self.transmitter();
        self.say(match entry.value {
            OptOut::OptedIn => {
                format!("No token of {whose} is touched: {transmitter} sends events about it.")
            }
            OptOut::Initiated => {
                format!("No token of {whose} is touched: {transmitter} will soon send no more events about it.")
            }
            OptOut::OptedOut => {
                format!("No token of {whose} is touched: {transmitter} sends no more events about it, and its silence says nothing.")
            }
        });
    }

    fn account(&mut self) {
        let Some((entry, whose)) = self.field(|record| record.status.first().map(|(_, it)| *it))
        else {
            return;
        };
        let transmitter = self.transmitter();
        // Its own word for every issuer that it speaks for, or for some only.
        let own = self.configuration().map(|(configuration, transmitter)| {
            let mut spoken_for = transmitter.speaks_for.iter();
            spoken_for.all(|issuer| acts_for_issuer(configuration, transmitter, *issuer))
        });
        let what = match entry.value {
            AccountStatus::Enabled => {
                let said = match own {
                    Some(true) => "anybody",
                    Some(false) | None => transmitter.as_str(),
                };
                return self.say(format!(
                    "What {said} said before about {whose} being disabled or deleted is lifted; cut-offs of older \
                     tokens stay."
                ));
            }
            AccountStatus::Disabled => "disabled",
            AccountStatus::Purged => "deleted",
        };
        let lapse = self.configuration().filter(|_| own == Some(true)).map(|(configuration, _)| {
            let limits = RetentionLimits::of(configuration);
            let lapse = outlived_at(entry.at, limits.longest_token_age, limits.skew);
            format!(
                ", at most until {}: an issuer issues nothing to an account that it {what} itself",
                self.time(lapse)
            )
        });
        self.say(format!(
            "Tokens of {whose} issued later are refused (403) while the account counts as {what}: until {transmitter}, \
             or a transmitter that acts for the issuer, reports it enabled{}.",
            lapse.unwrap_or_default()
        ));
    }

    fn transmitter(&self) -> String {
        match self.directory {
            Directory::Configured(_, transmitter) => transmitter.issuer.clone(),
            Directory::Unconfigured(issuer) => issuer.to_string(),
        }
    }

    fn risk(&mut self) {
        let effects = self.interpretation.effects.values();
        let kind = effects
            .filter(|effect| !effect.record.risk.is_empty())
            .map(|effect| effect.kind)
            .next();
        let Some((entry, whose)) = self.field(|record| record.risk.first().map(|(_, it)| *it))
        else {
            return;
        };
        let level = entry.value.name();
        let lapse = self.lapse(&entry);
        let asks = |policy: &CompiledPolicy| policy.reads.contains(Condition::UserRisk);
        let follows = match self.asking(asks) {
            // Policies ask for the risk of users only.
            Some(_) if kind != Some(SubjectKind::User) => {
                "nothing at the resource asks for it".to_string()
            }
            Some(policies) if policies.is_empty() => "no policy asks for it".to_string(),
            Some(policies) => format!("{} for it", ask(&policies)),
            None => "a policy that asks for it judges by it".to_string(),
        };
        let said = match entry.value {
            RiskLevel::None => format!("The risk of {whose} is lifted; {follows}."),
            _ => format!("The risk level of {whose} is {level} from now on{lapse}; {follows}."),
        };
        self.say(said);
    }

    fn compliance(&mut self) {
        let Some((entry, whose)) =
            self.field(|record| record.compliance.first().map(|(_, it)| *it))
        else {
            return;
        };
        let asks = |policy: &CompiledPolicy| {
            policy
                .grant
                .controls
                .contains(&GrantControl::CompliantDevice)
        };
        let policies = self.asking(asks);
        let lapse = self.lapse(&entry);
        let said = match (entry.value, policies) {
            (_, Some(policies)) if policies.is_empty() => match entry.value {
                DeviceCompliance::Compliant => {
                    format!("Nothing for {whose}: no policy asks for a compliant device.")
                }
                DeviceCompliance::NotCompliant => format!(
                    "Nothing more for {whose}: no policy asks for a compliant device, so newer tokens pass."
                ),
            },
            (DeviceCompliance::Compliant, _) => format!(
                "{} counts as compliant: policies that ask for a compliant device are met again by what its tokens show.",
                capitalised(&whose)
            ),
            (DeviceCompliance::NotCompliant, Some(policies)) => format!(
                "{} counts as not compliant{lapse}, or until it is reported compliant: {} for a compliant device, and \
                 no new token can show one.",
                capitalised(&whose),
                ask(&policies)
            ),
            (DeviceCompliance::NotCompliant, None) => format!(
                "{} counts as not compliant until it is reported compliant, for policies that ask for a compliant \
                 device.",
                capitalised(&whose)
            ),
        };
        self.say(said);
    }

    /// Until when a standing value holds, if nobody replaces it.
    fn lapse<T: Default + PartialEq>(&self, entry: &Entry<T>) -> String {
        let Some((_, transmitter)) = self.configuration() else {
            return String::new();
        };
        let age = Duration::from_secs(transmitter.standing_state_max_age);
        format!(", until {}", self.time(standing_lapses_at(entry, age)))
    }

    /// The policies in force that ask for something; `None` where there is no configuration.
    fn asking(&self, asks: impl Fn(&CompiledPolicy) -> bool) -> Option<Vec<String>> {
        self.configuration()?;
        let mut names: Vec<String> = Vec::new();
        for issuer in self.issuers() {
            for policy in issuer
                .policies
                .policies()
                .iter()
                .filter(|policy| asks(policy))
            {
                let name = policy
                    .display_name
                    .clone()
                    .unwrap_or_else(|| policy.label());
                let name = match policy.state {
                    PolicyState::Enabled => format!("`{name}`"),
                    PolicyState::ReportOnly => format!("`{name}` (report-only)"),
                    PolicyState::Disabled | PolicyState::NotUnderstood => continue,
                };
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Some(names)
    }

    /// What the notes of the reading mean; something is always said.
    fn nothing(&mut self) {
        let whom = self.subjects.whole();
        let said: Vec<String> = (self.interpretation.notes.iter())
            .filter_map(|note| notes::sentence(note, &whom, self.interpretation, self.directory))
            .collect();
        self.sentences.extend(said);
        if self.sentences.is_empty() {
            self.say(format!(
                "Nothing for {whom}: this event has no effect on tokens."
            ));
        }
    }

    /// SPEC: enforcement §4, "Brake": account events are never held.
    fn brake(&mut self) {
        let account = |effect: &KeyEffect| !effect.record.status.is_empty();
        let effects = &self.interpretation.effects;
        if effects.is_empty() || effects.values().any(account) {
            return;
        }
        let Some(brake) = self
            .configuration()
            .and_then(|(_, transmitter)| transmitter.brake)
        else {
            return;
        };
        if brake.hold {
            self.say(format!(
                "Held until an operator releases it, should this transmitter name more than {} subjects within a minute.",
                brake.subjects_per_minute
            ));
        }
    }
}

/// A value that may be long, for a sentence.
fn short(value: &str) -> String {
    let mut text: String = value.chars().take(80).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("`{text}`")
}

fn ask(policies: &[String]) -> String {
    match policies {
        [one] => format!("policy {one} asks"),
        several => format!("policies {} ask", several.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let mut capitalised = String::new();
    if let Some(first) = letters.next() {
        capitalised.extend(first.to_uppercase());
    }
    capitalised.push_str(letters.as_str());
    capitalised
}

#[cfg(test)]
mod tests;
