//! The bitmap index: for each fact, the sets of policies whose condition is true, and whose condition may be.
//!
//! Every table is filled by asking the policies themselves, so that the index cannot know better than they do.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::bits::{Bits, Verdicts};
use super::compile::CompiledPolicy;
use super::conditions::identity::{IdList, UserSide};
use super::conditions::levels::{
    CLIENT_APP_TYPES, Enumeration, PLATFORMS, RISK_LEVELS, risk_position,
};
use super::conditions::{Condition, Conditions, client_app_type_of, platform_of};
use super::document::is_guid;
use super::facts::{Facts, Identity, Target};
use super::location::{NamedLocations, Place};
use super::logic::Truth;
use crate::token::UserType;

/// Keys come from the operator's documents and are only looked up afterwards: a fixed seed suffices.
type Map<V> = HashMap<Box<str>, V, FixedState>;

/// All tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Policies that are looked at: neither disabled nor empty.
    live: Bits,
    identities: Identities,
    applications: Applications,
    platforms: Levels,
    client_apps: Levels,
    sign_in_risk: Levels,
    user_risk: Levels,
    locations: Locations,
}

impl Index {
    pub(crate) fn new(policies: &[CompiledPolicy], locations: &NamedLocations) -> Self {
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
            applications: Applications::new(policies),
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
            locations: Locations::new(policies, locations),
        }
    }

    /// The policies that no indexed condition rules out, and what each indexed condition comes to.
    ///
    /// A new condition joins here if few facts decide it; otherwise it is asked of the candidates alone.
    pub(crate) fn resolve(&self, facts: &Facts<'_>) -> (Bits, [(Condition, Cow<'_, Verdicts>); 6]) {
        let verdicts = [
            (Condition::Users, self.identities.verdicts(facts)),
            (
                Condition::Application,
                Cow::Borrowed(self.applications.verdicts(facts)),
            ),
            (
                Condition::DevicePlatform,
                Cow::Borrowed(self.platforms.verdicts(platform_of(facts))),
            ),
            (
                Condition::ClientApps,
                Cow::Borrowed(self.client_apps.verdicts(client_app_type_of(facts))),
            ),
            (
                Condition::SignInRisk,
                Cow::Borrowed(
                    self.sign_in_risk
                        .verdicts(facts.sign_in_risk.map(risk_position)),
                ),
            ),
            (
                Condition::UserRisk,
                Cow::Borrowed(self.user_risk.verdicts(facts.user_risk.map(risk_position))),
            ),
        ];
        let mut live = self.live.clone();
        for (_, verdicts) in &verdicts {
            live.intersect(&verdicts.may);
        }
        (live, verdicts)
    }

    /// The location condition of every policy that reads no country.
    pub(crate) fn locations(&self, place: Place<'_>) -> Option<&Verdicts> {
        self.locations.verdicts(place)
    }
}

/// One list of ids: users, groups or roles of one side.
#[derive(Clone, Debug, Default)]
struct Ids {
    /// Policies that list an id.
    listed: Map<Bits>,
    /// Policies that list anything: unknown for an unknown fact.
    any: Bits,
    /// Policies that list something that is no id: unknown for every fact.
    odd: Bits,
}

impl Ids {
    fn new(policies: &[CompiledPolicy], list: impl Fn(&CompiledPolicy) -> &IdList) -> Self {
        let mut ids = Self {
            listed: Map::default(),
            any: Bits::new(policies.len()),
            odd: Bits::new(policies.len()),
        };
        for policy in policies {
            let list = list(policy);
            for id in &list.ids {
                ids.listed
                    .entry(id.clone())
                    .or_insert_with(|| Bits::new(policies.len()))
                    .insert(policy.index);
            }
            if !list.is_empty() {
                ids.any.insert(policy.index);
            }
            if list.odd {
                ids.odd.insert(policy.index);
            }
        }
        ids
    }

    /// Row 10, for all policies at once.
    fn add(&self, facts: Option<&[impl AsRef<str>]>, verdicts: &mut Verdicts) {
        match facts {
            None => verdicts.may.unite(&self.any),
            Some(facts) => {
                if !facts.is_empty() {
                    verdicts.may.unite(&self.odd);
                }
                for listed in facts
                    .iter()
                    .filter_map(|fact| self.listed.get(fact.as_ref()))
                {
                    verdicts.yes.unite(listed);
                    verdicts.may.unite(listed);
                }
            }
        }
    }
}

/// One side of the users condition.
#[derive(Clone, Debug, Default)]
struct Side {
    /// `All`.
    all: Verdicts,
    users: Ids,
    groups: Ids,
    roles: Ids,
    /// The part that the type of the user decides: member, guest, unknown.
    guests: [Verdicts; 3],
}

impl Side {
    fn new(policies: &[CompiledPolicy], side: fn(&CompiledPolicy) -> &UserSide) -> Self {
        let guests =
            |user_type| Verdicts::of(policies, |policy| side(policy).guests_truth(user_type));
        Self {
            all: Verdicts::of(policies, |policy| Truth::from(side(policy).all)),
            users: Ids::new(policies, |policy| &side(policy).users),
            groups: Ids::new(policies, |policy| &side(policy).groups),
            roles: Ids::new(policies, |policy| &side(policy).roles),
            guests: [
                guests(Some(UserType::Member)),
                guests(Some(UserType::Guest)),
                guests(None),
            ],
        }
    }

    fn verdicts(&self, id: Option<&str>, facts: &Facts<'_>) -> Verdicts {
        let [member, guest, unknown] = &self.guests;
        let mut verdicts = self.all.clone();
        verdicts.unite(match facts.user_type {
            Some(UserType::Member) => member,
            Some(UserType::Guest) => guest,
            None => unknown,
        });
        self.users
            .add(id.as_ref().map(core::slice::from_ref), &mut verdicts);
        self.groups.add(facts.member_of, &mut verdicts);
        self.roles.add(facts.roles, &mut verdicts);
        verdicts
    }
}

/// Users, service principals and those of whom neither is known.
#[derive(Clone, Debug, Default)]
struct Identities {
    include: Side,
    exclude: Side,
    /// Policies whose users cannot be read.
    opaque: Bits,
    service_principal: Verdicts,
    unknown: Verdicts,
}

impl Identities {
    fn new(policies: &[CompiledPolicy]) -> Self {
        let of = |identity| {
            let facts = Facts {
                identity,
                ..Facts::UNKNOWN
            };
            Verdicts::of(policies, |policy| {
                policy.conditions.identities.truth(&facts)
            })
        };
        let mut opaque = Bits::new(policies.len());
        for policy in policies
            .iter()
            .filter(|policy| policy.conditions.identities.users_opaque)
        {
            opaque.insert(policy.index);
        }
        Self {
            include: Side::new(policies, |policy| &policy.conditions.identities.include),
            exclude: Side::new(policies, |policy| &policy.conditions.identities.exclude),
            opaque,
            service_principal: of(Identity::ServicePrincipal(None)),
            unknown: of(Identity::Unknown),
        }
    }

    fn verdicts(&self, facts: &Facts<'_>) -> Cow<'_, Verdicts> {
        match facts.identity {
            Identity::User(id) => {
                let mut verdicts = self.include.verdicts(id, facts);
                verdicts.exclude(&self.exclude.verdicts(id, facts));
                verdicts.yes.subtract(&self.opaque);
                verdicts.may.unite(&self.opaque);
                Cow::Owned(verdicts)
            }
            Identity::ServicePrincipal(_) => Cow::Borrowed(&self.service_principal),
            Identity::Unknown => Cow::Borrowed(&self.unknown),
        }
    }
}

/// Applications: those that some policy names, one table each; the others differ only in being a GUID or not.
#[derive(Clone, Debug, Default)]
struct Applications {
    named: Map<Verdicts>,
    other_guid: Verdicts,
    other_text: Verdicts,
    unknown: Verdicts,
    unknown_target: Verdicts,
}

impl Applications {
    fn new(policies: &[CompiledPolicy]) -> Self {
        let of = |target| {
            let facts = Facts {
                target,
                ..Facts::UNKNOWN
            };
            Verdicts::of(policies, |policy| {
                policy.conditions.applications.truth(&facts)
            })
        };
        let mut named: Map<Verdicts> = Map::default();
        for policy in policies {
            let applications = &policy.conditions.applications;
            for side in [&applications.include, &applications.exclude] {
                for id in side.ids.ids.iter().chain(&side.members) {
                    named
                        .entry(id.clone())
                        .or_insert_with(|| of(Target::Application(Some(id))));
                }
            }
        }
        // Any GUID that no policy and no group names stands for all of them.
        let stranger = (0_u64..)
            .map(|number| alloc::format!("00000000-0000-0000-0000-{number:012x}"))
            .find(|id| !named.contains_key(id.as_str()))
            .unwrap_or_default();
        Self {
            other_guid: of(Target::Application(Some(&stranger))),
            other_text: of(Target::Application(Some(""))),
            unknown: of(Target::Application(None)),
            unknown_target: of(Target::Unknown),
            named,
        }
    }

    fn verdicts(&self, facts: &Facts<'_>) -> &Verdicts {
        match facts.target {
            Target::Application(Some(id)) => self.named.get(id).unwrap_or(if is_guid(id) {
                &self.other_guid
            } else {
                &self.other_text
            }),
            Target::Application(None) => &self.unknown,
            Target::Unknown => &self.unknown_target,
        }
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

/// Network locations: one table for each set of named locations that can hold an address.
#[derive(Clone, Debug, Default)]
struct Locations {
    sets: Vec<Verdicts>,
    unknown: Verdicts,
}

impl Locations {
    fn new(policies: &[CompiledPolicy], locations: &NamedLocations) -> Self {
        let of = |set| {
            let place = Place { set, country: None };
            Verdicts::of(policies, |policy| {
                policy.conditions.locations.truth(locations, place)
            })
        };
        Self {
            sets: (0..locations.sets()).map(|set| of(Some(set))).collect(),
            unknown: of(None),
        }
    }

    fn verdicts(&self, place: Place<'_>) -> Option<&Verdicts> {
        match place.set {
            Some(set) => self.sets.get(set),
            None => Some(&self.unknown),
        }
    }
}
