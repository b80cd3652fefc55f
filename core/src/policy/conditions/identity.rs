//! Who a policy is for: users, groups, roles, guests; or workloads.

use alloc::format;
use alloc::string::String;

use super::guests::GuestObject;
use super::ids::IdList;
use crate::json::{Map, Value};
use crate::policy::document::{Notes, configured, entries, is_configured, text};
use crate::policy::facts::{Facts, Identity};
use crate::policy::logic::Truth;

/// One side of the users condition: everybody it names, as a union.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserSide {
    pub(crate) all: bool,
    pub(crate) users: IdList,
    pub(crate) groups: IdList,
    pub(crate) roles: IdList,
    /// `GuestsOrExternalUsers`: any type but ordinary member.
    guests: bool,
    /// `..GuestsOrExternalUsers` object: some types of some tenants.
    pub(crate) guest_object: Option<GuestObject>,
}

impl UserSide {
    fn read(users: &Map<String, Value>, side: &str, opaque: &mut bool, notes: &mut Notes) -> Self {
        let mut read = Self::default();
        let path = format!("conditions.users.{side}Users");
        for entry in entries(users.get(&format!("{side}Users"))) {
            match entry {
                Ok(text) if text.eq_ignore_ascii_case("All") => read.all = true,
                Ok(text) if text.eq_ignore_ascii_case("GuestsOrExternalUsers") => {
                    read.guests = true
                }
                // Agents match neither users nor service principals (row 13).
                Ok(text)
                    if text.eq_ignore_ascii_case("None")
                        || text.eq_ignore_ascii_case("AllAgentIdUsers") => {}
                Ok(text) => read.users.push(text, &path, notes),
                Err(_) => read.users.push_odd(&path, notes),
            }
        }
        for (list, kind) in [(&mut read.groups, "Groups"), (&mut read.roles, "Roles")] {
            let path = format!("conditions.users.{side}{kind}");
            for entry in entries(users.get(&format!("{side}{kind}"))) {
                match entry {
                    Ok(text) => list.push(text, &path, notes),
                    Err(_) => list.push_odd(&path, notes),
                }
            }
        }
        let name = format!("{side}GuestsOrExternalUsers");
        let path = format!("conditions.users.{name}");
        match users.get(&name).filter(|value| is_configured(value)) {
            None => {}
            Some(Value::Object(guests)) => {
                read.guest_object = Some(GuestObject::read(guests, &path, opaque, notes));
            }
            Some(_) => {
                *opaque = true;
                notes.not_understood(path);
            }
        }
        read
    }

    fn truth(&self, id: Option<&str>, facts: &Facts<'_>) -> Truth {
        if self.all {
            return Truth::True;
        }
        self.users.truth(id.as_ref().map(core::slice::from_ref))
            | self.groups.truth(facts.member_of)
            | self.roles.truth(facts.roles)
            | self.guests_truth(facts)
    }

    /// The part that the kind of the user decides: true if it holds for all kinds that the user may be of, false if
    /// for none (row 14).
    pub(crate) fn guests_truth(&self, facts: &Facts<'_>) -> Truth {
        let (mut all, mut some) = (Truth::True, Truth::False);
        for kind in facts.user_kinds().positions() {
            let truth = self.kind_truth(kind, facts.external_tenant);
            all = all & truth;
            some = some | truth;
        }
        match (all, some) {
            (Truth::True, _) => Truth::True,
            (_, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Whether a user of exactly this kind is named as a guest.
    pub(crate) fn kind_truth(&self, kind: u8, tenant: Option<&str>) -> Truth {
        let object = self.guest_object.as_ref();
        Truth::from(self.guests && kind != 0)
            | object.map_or(Truth::False, |guests| guests.truth(kind, tenant))
    }

    /// Whether the kind of the user matters.
    pub(crate) const fn names_guests(&self) -> bool {
        self.guests || self.guest_object.is_some()
    }

    fn can_be_true(&self) -> bool {
        self.all
            || self.guests
            || self
                .guest_object
                .as_ref()
                .is_some_and(GuestObject::can_be_true)
            || [&self.users, &self.groups, &self.roles]
                .into_iter()
                .any(IdList::can_be_true)
    }
}

/// One side of the workload condition.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkloadSide {
    /// `ServicePrincipalsInMyTenant`.
    pub(crate) all: bool,
    pub(crate) ids: IdList,
    /// A filter over attributes that nobody tells this engine (row 18).
    pub(crate) filtered: bool,
}

impl WorkloadSide {
    fn read(value: Option<&Value>, path: &str, notes: &mut Notes) -> Self {
        let mut side = Self::default();
        for entry in entries(value) {
            match entry {
                // Single-tenant and managed identity cannot be seen (row 13).
                Ok(text) if text.eq_ignore_ascii_case("ServicePrincipalsInMyTenant") => {
                    side.all = true;
                }
                Ok(text) => side.ids.push(text, path, notes),
                Err(_) => side.ids.push_odd(path, notes),
            }
        }
        side
    }

    fn truth(&self, id: Option<&str>) -> Truth {
        if self.all {
            return Truth::True;
        }
        let filtered = if self.filtered {
            Truth::Unknown
        } else {
            Truth::False
        };
        self.ids.truth(id.as_ref().map(core::slice::from_ref)) | filtered
    }

    fn is_named(&self) -> bool {
        self.all || self.filtered || !self.ids.is_empty()
    }
}

/// Users, or the workload identities of the same policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    pub(crate) include: UserSide,
    pub(crate) exclude: UserSide,
    pub(crate) workloads: WorkloadSide,
    pub(crate) workloads_excluded: WorkloadSide,
    /// `users` holds something not understood: unknown for every user (row 9).
    pub(crate) users_opaque: bool,
    /// `clientApplications` does: unknown for every service principal.
    pub(crate) workloads_opaque: bool,
    /// The policy names some user.
    pub(crate) users_named: bool,
    /// The policy names some service principal.
    pub(crate) workloads_named: bool,
    /// The policy names some agent.
    agents_named: bool,
}

impl Identities {
    pub(crate) fn read(conditions: &Map<String, Value>, notes: &mut Notes) -> Self {
        let mut read = Self::default();
        read.read_users(conditions, notes);
        read.read_workloads(conditions, notes);
        read.agents_named |= match conditions.get("agents") {
            Some(Value::Object(agents)) => {
                configured(agents).any(|(name, _)| !name.starts_with("exclude"))
            }
            other => other.is_some_and(is_configured),
        };
        if read.agents_named {
            notes.warnings.push(
                "conditions: agents are neither users nor service principals here; what names them matches nobody"
                    .into(),
            );
        }
        read
    }

    fn read_users(&mut self, conditions: &Map<String, Value>, notes: &mut Notes) {
        match conditions.get("users").filter(|value| is_configured(value)) {
            None => {}
            Some(Value::Object(users)) => {
                let opaque = &mut self.users_opaque;
                self.include = UserSide::read(users, "include", opaque, notes);
                self.exclude = UserSide::read(users, "exclude", opaque, notes);
                *opaque |= notes.unknown_members("conditions.users", users, &USERS);
                let side = &self.include;
                self.users_named = side.all
                    || side.names_guests()
                    || [&side.users, &side.groups, &side.roles]
                        .into_iter()
                        .any(|list| !list.is_empty());
                self.agents_named = entries(users.get("includeUsers")).any(
                    |entry| matches!(entry, Ok(text) if text.eq_ignore_ascii_case("AllAgentIdUsers")),
                );
            }
            Some(_) => {
                self.users_opaque = true;
                notes.not_understood("conditions.users");
            }
        }
    }

    fn read_workloads(&mut self, conditions: &Map<String, Value>, notes: &mut Notes) {
        let path = "conditions.clientApplications";
        let members = match conditions
            .get("clientApplications")
            .filter(|value| is_configured(value))
        {
            None => return,
            Some(Value::Object(members)) => members,
            Some(_) => {
                self.workloads_opaque = true;
                notes.not_understood(path);
                return;
            }
        };
        let mut side =
            |name: &str| WorkloadSide::read(members.get(name), &format!("{path}.{name}"), notes);
        self.workloads = side("includeServicePrincipals");
        self.workloads_excluded = side("excludeServicePrincipals");
        if let Some(filter) = members
            .get("servicePrincipalFilter")
            .filter(|value| is_configured(value))
        {
            let (include, exclude) = filtered_sides(filter);
            self.workloads.filtered = include;
            self.workloads_excluded.filtered = exclude;
            notes.not_understood(format!("{path}.servicePrincipalFilter"));
        }
        self.workloads_opaque = notes.unknown_members(path, members, &WORKLOADS);
        self.workloads_named = self.workloads.is_named();
        let filter = members
            .get("agentIdServicePrincipalFilter")
            .filter(|value| is_configured(value));
        self.agents_named |= members
            .get("includeAgentIdServicePrincipals")
            .is_some_and(is_configured)
            || filter.is_some_and(|filter| filtered_sides(filter).0);
    }

    /// The condition `users` or `workloadIdentities`, whichever the sign-in is of.
    pub(crate) fn truth(&self, facts: &Facts<'_>) -> Truth {
        match facts.identity {
            Identity::User(_) if self.users_opaque => Truth::Unknown,
            Identity::User(id) => self.include.truth(id, facts) & !self.exclude.truth(id, facts),
            Identity::ServicePrincipal(_) if self.workloads_opaque => Truth::Unknown,
            Identity::ServicePrincipal(id) => {
                self.workloads.truth(id) & !self.workloads_excluded.truth(id)
            }
            Identity::Unknown if self.names_somebody() => Truth::Unknown,
            Identity::Unknown => Truth::False,
        }
    }

    /// Row 13: any target counts, agents too.
    const fn names_somebody(&self) -> bool {
        self.users_named
            || self.workloads_named
            || self.agents_named
            || self.users_opaque
            || self.workloads_opaque
    }

    /// Whether some user or service principal makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        let users = !self.users_opaque && self.include.can_be_true() && !self.exclude.all;
        let (include, exclude) = (&self.workloads, &self.workloads_excluded);
        let workloads = !self.workloads_opaque
            && (include.all || include.ids.can_be_true())
            && !exclude.all
            && !exclude.filtered;
        users || workloads
    }
}

/// Row 18: to which sides a filter adds doubt, include and exclude: by its mode, or both.
pub(super) fn filtered_sides(filter: &Value) -> (bool, bool) {
    let mode = filter
        .as_object()
        .and_then(|filter| text(filter, "mode"))
        .unwrap_or_default();
    (
        !mode.eq_ignore_ascii_case("exclude"),
        !mode.eq_ignore_ascii_case("include"),
    )
}

const USERS: [&str; 8] = [
    "includeUsers",
    "excludeUsers",
    "includeGroups",
    "excludeGroups",
    "includeRoles",
    "excludeRoles",
    "includeGuestsOrExternalUsers",
    "excludeGuestsOrExternalUsers",
];

const WORKLOADS: [&str; 6] = [
    "includeServicePrincipals",
    "excludeServicePrincipals",
    "servicePrincipalFilter",
    "includeAgentIdServicePrincipals",
    "excludeAgentIdServicePrincipals",
    "agentIdServicePrincipalFilter",
];
