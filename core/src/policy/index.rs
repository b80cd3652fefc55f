//! The bitmap index: for each fact, the sets of policies whose condition is true, and whose condition may be.
//!
//! Every table is filled by asking the policies themselves, so that the index cannot know better than they do. Tables
//! are dense over policies and sparse over keys: an id that few policies name costs those few.

mod identities;
mod targets;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::bits::{Bits, Verdicts};
use super::compile::CompiledPolicy;
use super::conditions::levels::{
    CLIENT_APP_TYPES, Enumeration, INSIDER_RISK_LEVELS, PLATFORMS, RISK_LEVELS, TRANSFER_METHODS,
    risk_position,
};
use super::conditions::{
    Condition, Conditions, client_app_type_of, platform_of, transfer_method_of,
};
use super::facts::{Facts, InsiderRisk};
use super::logic::Truth;
use identities::Identities;
use targets::Targets;

/// All tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Policies that are looked at: neither disabled nor empty.
    live: Bits,
    identities: Identities,
    targets: Targets,
    platforms: Levels,
    client_apps: Levels,
    sign_in_risk: Levels,
    user_risk: Levels,
    insider_risk: Levels,
    authentication_flows: Levels,
    service_principal_risk: Levels,
}

/// What each indexed condition comes to.
pub(crate) type Resolved<'a> = [(Condition, Cow<'a, Verdicts>); 9];

impl Index {
    pub(crate) fn new(policies: &[CompiledPolicy]) -> Self {
        let mut live = Bits::new(policies.len());
        for policy in policies.iter().filter(|policy| policy.skipped.is_none()) {
            live.insert(policy.index);
        }
        let levels =
            |enumeration: Enumeration, condition, truth: fn(&Conditions, Option<u8>) -> Truth| {
                Levels::new(policies, enumeration, condition, truth)
            };
        Self {
            live,
            identities: Identities::new(policies),
            targets: Targets::new(policies),
            platforms: levels(PLATFORMS, Condition::DevicePlatform, |c, fact| {
                c.platforms.truth(fact)
            }),
            client_apps: levels(CLIENT_APP_TYPES, Condition::ClientApps, |c, fact| {
                c.client_apps.truth(fact)
            }),
            sign_in_risk: levels(RISK_LEVELS, Condition::SignInRisk, |c, fact| {
                c.sign_in_risk.truth(fact)
            }),
            user_risk: levels(RISK_LEVELS, Condition::UserRisk, |c, fact| {
                c.user_risk.truth(fact)
            }),
            insider_risk: levels(INSIDER_RISK_LEVELS, Condition::InsiderRisk, |c, fact| {
                c.insider_risk.truth(fact)
            }),
            authentication_flows: levels(
                TRANSFER_METHODS,
                Condition::AuthenticationFlow,
                |c, fact| c.authentication_flows.truth(fact),
            ),
            service_principal_risk: levels(
                RISK_LEVELS,
                Condition::ServicePrincipalRisk,
                |c, fact| c.service_principal_risk.truth(fact),
            ),
        }
    }

    /// The policies that no indexed condition rules out, and what each indexed condition comes to.
    ///
    /// A new condition joins here if few facts decide it; otherwise it is asked of the candidates alone.
    pub(crate) fn resolve<'a>(
        &'a self,
        policies: &[CompiledPolicy],
        facts: &Facts<'_>,
    ) -> (Bits, Resolved<'a>) {
        let level = |levels: &'a Levels, fact| Cow::Borrowed(levels.verdicts(fact));
        let verdicts = [
            (Condition::Users, self.identities.verdicts(policies, facts)),
            (
                Condition::Application,
                self.targets.verdicts(policies, facts),
            ),
            (
                Condition::DevicePlatform,
                level(&self.platforms, platform_of(facts)),
            ),
            (
                Condition::ClientApps,
                level(&self.client_apps, client_app_type_of(facts)),
            ),
            (
                Condition::SignInRisk,
                level(&self.sign_in_risk, facts.sign_in_risk.map(risk_position)),
            ),
            (
                Condition::UserRisk,
                level(&self.user_risk, facts.user_risk.map(risk_position)),
            ),
            (
                Condition::InsiderRisk,
                level(
                    &self.insider_risk,
                    facts.insider_risk.map(InsiderRisk::position),
                ),
            ),
            (
                Condition::AuthenticationFlow,
                level(&self.authentication_flows, transfer_method_of(facts)),
            ),
            (
                Condition::ServicePrincipalRisk,
                level(
                    &self.service_principal_risk,
                    facts.service_principal_risk.map(risk_position),
                ),
            ),
        ];
        let mut live = self.live.clone();
        for (_, verdicts) in &verdicts {
            live.intersect(&verdicts.may);
        }
        (live, verdicts)
    }
}

/// Which policies name an id.
///
/// Ids come from the operator's documents and are only looked up afterwards: a fixed seed suffices.
#[derive(Clone, Debug, Default)]
struct Mentions(HashMap<Box<str>, Vec<usize>, FixedState>);

impl Mentions {
    /// Gathers the ids that each policy names.
    fn new<'p, I: IntoIterator<Item = &'p Box<str>>>(
        policies: &'p [CompiledPolicy],
        ids: impl Fn(&'p CompiledPolicy) -> I,
    ) -> Self {
        let mut mentions = Self::default();
        for policy in policies {
            for id in ids(policy) {
                let naming = mentions.0.entry(id.clone()).or_default();
                if naming.last() != Some(&policy.index) {
                    naming.push(policy.index);
                }
            }
        }
        mentions
    }

    /// The policies that name `id`.
    fn of(&self, id: &str) -> &[usize] {
        self.0.get(id).map_or(&[], Vec::as_slice)
    }

    /// The verdicts on an id: those on a stranger, but for the policies that name it.
    fn verdicts<'a>(
        &self,
        stranger: &'a Verdicts,
        id: &str,
        policies: &[CompiledPolicy],
        truth: impl Fn(&CompiledPolicy) -> Truth,
    ) -> Cow<'a, Verdicts> {
        let mut verdicts = Cow::Borrowed(stranger);
        for policy in self.of(id).iter().filter_map(|index| policies.get(*index)) {
            verdicts.to_mut().set(policy.index, truth(policy));
        }
        verdicts
    }
}

/// A closed enumeration: one table for each fact.
#[derive(Clone, Debug, Default)]
struct Levels {
    known: Vec<Verdicts>,
    unknown: Verdicts,
}

impl Levels {
    fn new(
        policies: &[CompiledPolicy],
        enumeration: Enumeration,
        condition: Condition,
        truth: fn(&Conditions, Option<u8>) -> Truth,
    ) -> Self {
        let of = |fact| {
            Verdicts::of(policies, |policy| {
                if policy.conditions.undecided.contains(condition) {
                    Truth::Unknown
                } else {
                    truth(&policy.conditions, fact)
                }
            })
        };
        Self {
            known: enumeration
                .facts()
                .flatten()
                .map(|fact| of(Some(fact)))
                .collect(),
            unknown: of(None),
        }
    }

    fn verdicts(&self, fact: Option<u8>) -> &Verdicts {
        fact.and_then(|fact| self.known.get(usize::from(fact)))
            .unwrap_or(&self.unknown)
    }
}
