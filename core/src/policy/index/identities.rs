//! Tables for who is asking.

use alloc::borrow::Cow;

use super::Mentions;
use crate::policy::bits::{Bits, Verdicts};
use crate::policy::compile::CompiledPolicy;
use crate::policy::conditions::guests::Tenants;
use crate::policy::conditions::identity::UserSide;
use crate::policy::conditions::ids::IdList;
use crate::policy::facts::{Facts, Identity};
use crate::policy::logic::Truth;

/// A tenant that no policy enumerates.
const STRANGER: &str = "";

/// One list of ids: users, groups or roles of one side.
#[derive(Clone, Debug, Default)]
struct Ids {
    listed: Mentions,
    /// Policies that list anything: unknown for an unknown fact.
    any: Bits,
    /// Policies that list something that is no id: unknown for every fact.
    odd: Bits,
}

impl Ids {
    fn new(policies: &[CompiledPolicy], list: impl Fn(&CompiledPolicy) -> &IdList) -> Self {
        let which = |is: fn(&IdList) -> bool| {
            let mut bits = Bits::new(policies.len());
            for policy in policies.iter().filter(|policy| is(list(policy))) {
                bits.insert(policy.index);
            }
            bits
        };
        Self {
            any: which(|list| !list.is_empty()),
            odd: which(|list| list.odd),
            listed: Mentions::new(policies, |policy| &list(policy).ids),
        }
    }

    /// Row 10, for all policies at once.
    fn add(&self, facts: Option<&[impl AsRef<str>]>, verdicts: &mut Verdicts) {
        match facts {
            None => verdicts.may.unite(&self.any),
            Some(facts) => {
                if !facts.is_empty() {
                    verdicts.may.unite(&self.odd);
                }
                for fact in facts {
                    for index in self.listed.of(fact.as_ref()) {
                        verdicts.insert(*index, Truth::True);
                    }
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
    guests: Guests,
}

impl Side {
    fn new(policies: &[CompiledPolicy], side: fn(&CompiledPolicy) -> &UserSide) -> Self {
        Self {
            all: Verdicts::of(policies, |policy| Truth::from(side(policy).all)),
            users: Ids::new(policies, |policy| &side(policy).users),
            groups: Ids::new(policies, |policy| &side(policy).groups),
            roles: Ids::new(policies, |policy| &side(policy).roles),
            guests: Guests::new(policies, side),
        }
    }

    fn verdicts(
        &self,
        policies: &[CompiledPolicy],
        side: fn(&CompiledPolicy) -> &UserSide,
        id: Option<&str>,
        facts: &Facts<'_>,
    ) -> Verdicts {
        let mut verdicts = self.guests.verdicts(policies, side, facts);
        verdicts.unite(&self.all);
        self.users
            .add(id.as_ref().map(core::slice::from_ref), &mut verdicts);
        self.groups.add(facts.member_of, &mut verdicts);
        self.roles.add(facts.roles, &mut verdicts);
        verdicts
    }
}

/// Guests by kind, for a home tenant that is unknown, and for one that no policy enumerates.
#[derive(Clone, Debug, Default)]
struct Guests {
    unknown_tenant: [Verdicts; 7],
    other_tenant: [Verdicts; 7],
    /// Policies by the tenants that they enumerate.
    enumerated: Mentions,
}

impl Guests {
    fn new(policies: &[CompiledPolicy], side: fn(&CompiledPolicy) -> &UserSide) -> Self {
        let of = |tenant: Option<&str>| {
            let mut kinds = 0_u8..;
            core::array::from_fn(|_| {
                let kind = kinds.next().unwrap_or_default();
                Verdicts::of(policies, |policy| side(policy).kind_truth(kind, tenant))
            })
        };
        Self {
            unknown_tenant: of(None),
            other_tenant: of(Some(STRANGER)),
            enumerated: Mentions::new(policies, |policy| {
                let object = side(policy).guest_object.as_ref();
                match object.map(|guests| &guests.tenants) {
                    Some(Tenants::Enumerated(members)) => members.ids.as_slice(),
                    _ => &[],
                }
            }),
        }
    }

    /// Row 14: true where every kind is that the user may be of, not false where one is.
    fn verdicts(
        &self,
        policies: &[CompiledPolicy],
        side: fn(&CompiledPolicy) -> &UserSide,
        facts: &Facts<'_>,
    ) -> Verdicts {
        let by_kind = match facts.external_tenant {
            None => &self.unknown_tenant,
            Some(_) => &self.other_tenant,
        };
        let mut verdicts: Option<Verdicts> = None;
        for kind in facts.user_kinds().positions() {
            let Some(of_kind) = by_kind.get(usize::from(kind)) else {
                continue;
            };
            match &mut verdicts {
                None => verdicts = Some(of_kind.clone()),
                Some(verdicts) => {
                    verdicts.yes.intersect(&of_kind.yes);
                    verdicts.may.unite(&of_kind.may);
                }
            }
        }
        let mut verdicts = verdicts.unwrap_or_default();
        let tenant = facts.external_tenant.unwrap_or(STRANGER);
        for policy in self
            .enumerated
            .of(tenant)
            .iter()
            .filter_map(|index| policies.get(*index))
        {
            verdicts.set(policy.index, side(policy).guests_truth(facts));
        }
        verdicts
    }
}

/// Users, service principals and those of whom neither is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Identities {
    include: Side,
    exclude: Side,
    /// Policies whose users cannot be read.
    opaque: Bits,
    /// Policies by the service principals that they name.
    workloads: Mentions,
    /// A service principal that no policy names.
    other_workload: Verdicts,
    unknown_workload: Verdicts,
    unknown: Verdicts,
}

const fn include(policy: &CompiledPolicy) -> &UserSide {
    &policy.conditions.identities.include
}

const fn exclude(policy: &CompiledPolicy) -> &UserSide {
    &policy.conditions.identities.exclude
}

impl Identities {
    pub(super) fn new(policies: &[CompiledPolicy]) -> Self {
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
            include: Side::new(policies, include),
            exclude: Side::new(policies, exclude),
            opaque,
            workloads: Mentions::new(policies, |policy| {
                let identities = &policy.conditions.identities;
                identities
                    .workloads
                    .ids
                    .ids
                    .iter()
                    .chain(&identities.workloads_excluded.ids.ids)
            }),
            other_workload: of(Identity::ServicePrincipal(Some(STRANGER))),
            unknown_workload: of(Identity::ServicePrincipal(None)),
            unknown: of(Identity::Unknown),
        }
    }

    pub(super) fn verdicts<'a>(
        &'a self,
        policies: &[CompiledPolicy],
        facts: &Facts<'_>,
    ) -> Cow<'a, Verdicts> {
        match facts.identity {
            Identity::User(id) => {
                let mut verdicts = self.include.verdicts(policies, include, id, facts);
                verdicts.exclude(&self.exclude.verdicts(policies, exclude, id, facts));
                verdicts.yes.subtract(&self.opaque);
                verdicts.may.unite(&self.opaque);
                Cow::Owned(verdicts)
            }
            Identity::ServicePrincipal(Some(id)) => {
                self.workloads
                    .verdicts(&self.other_workload, id, policies, |policy| {
                        policy.conditions.identities.truth(facts)
                    })
            }
            Identity::ServicePrincipal(None) => Cow::Borrowed(&self.unknown_workload),
            Identity::Unknown => Cow::Borrowed(&self.unknown),
        }
    }
}
