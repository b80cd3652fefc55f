//! Who a policy is for: users, groups, roles, guests, workloads.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};
use crate::policy::document::{Notes, configured, entries, is_configured, is_guid};
use crate::policy::facts::{Facts, Identity};
use crate::policy::logic::Truth;
use crate::token::UserType;

/// A list of ids in a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdList {
    /// All entries in lower case, sorted; odd ones too, because a fact may equal one as text.
    pub(crate) ids: Vec<Box<str>>,
    /// An entry that is no id: a placeholder or a name, which may mean anybody (row 10).
    pub(crate) odd: bool,
    /// An entry that is an id.
    proper: bool,
}

impl IdList {
    /// Adds an entry of the list at `path`.
    pub(crate) fn push(&mut self, entry: &str, path: &str, notes: &mut Notes) {
        if is_guid(entry) {
            self.proper = true;
        } else {
            self.odd = true;
            notes.warnings.push(format!(
                "{path}: `{entry}` is a placeholder or a name, not an id; it may mean anybody"
            ));
        }
        let id = entry.to_ascii_lowercase().into_boxed_str();
        if let Err(position) = self.ids.binary_search(&id) {
            self.ids.insert(position, id);
        }
    }

    /// Adds an entry that is no text at all.
    pub(crate) fn push_odd(&mut self, path: &str, notes: &mut Notes) {
        self.odd = true;
        notes.not_understood(path);
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids
            .binary_search_by(|listed| (**listed).cmp(id))
            .is_ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.odd
    }

    /// Whether one of the facts is listed (row 10).
    pub(crate) fn truth(&self, facts: Option<&[impl AsRef<str>]>) -> Truth {
        match facts {
            _ if self.is_empty() => Truth::False,
            None => Truth::Unknown,
            Some(facts) if facts.iter().any(|fact| self.contains(fact.as_ref())) => Truth::True,
            Some(facts) if self.odd && !facts.is_empty() => Truth::Unknown,
            Some(_) => Truth::False,
        }
    }

    /// Whether some fact makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        self.proper
    }
}

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
    guest_object: bool,
}

impl UserSide {
    fn read(users: &Map<String, Value>, side: &str, notes: &mut Notes) -> Self {
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
        read.guest_object = users.get(&name).is_some_and(is_configured);
        if read.guest_object {
            notes.not_understood(format!("conditions.users.{name}"));
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
            | self.guests_truth(facts.user_type)
    }

    /// The part that depends on the type of the user.
    pub(crate) fn guests_truth(&self, user_type: Option<UserType>) -> Truth {
        match user_type {
            // Row 14: a member without external tenant is an ordinary member, in no guest type at all.
            Some(UserType::Member) => Truth::False,
            Some(UserType::Guest) if self.guests => Truth::True,
            _ if self.guests || self.guest_object => Truth::Unknown,
            _ => Truth::False,
        }
    }

    fn can_be_true(&self) -> bool {
        self.all
            || self.guests
            || [&self.users, &self.groups, &self.roles]
                .into_iter()
                .any(IdList::can_be_true)
    }
}

/// Users, or the workload identities of the same policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    pub(crate) include: UserSide,
    pub(crate) exclude: UserSide,
    /// `users` holds something not understood: unknown for every user (row 9).
    pub(crate) users_opaque: bool,
    /// `clientApplications` names service principals: unknown for each of them.
    workloads_opaque: bool,
    /// The policy names some identity, an agent perhaps.
    pub(crate) named: bool,
}

impl Identities {
    pub(crate) fn read(conditions: &Map<String, Value>, notes: &mut Notes) -> Self {
        let mut read = Self::default();
        match conditions.get("users").filter(|value| is_configured(value)) {
            None => {}
            Some(Value::Object(users)) => {
                read.include = UserSide::read(users, "include", notes);
                read.exclude = UserSide::read(users, "exclude", notes);
                read.users_opaque = notes.unknown_members("conditions.users", users, &USERS);
                read.named = configured(users).any(|(name, value)| {
                    name.starts_with("include")
                        && entries(Some(value)).any(
                            |entry| !matches!(entry, Ok(text) if text.eq_ignore_ascii_case("None")),
                        )
                });
            }
            Some(_) => {
                read.users_opaque = true;
                notes.not_understood("conditions.users");
            }
        }
        if let Some(workloads) = conditions
            .get("clientApplications")
            .filter(|value| is_configured(value))
        {
            let agents_only = workloads
                .as_object()
                .is_some_and(|members| configured(members).all(|(name, _)| AGENTS.contains(&name)));
            read.workloads_opaque = !agents_only;
            if read.workloads_opaque {
                notes.not_understood("conditions.clientApplications");
            }
            read.named = true;
        }
        read.named |= conditions.get("agents").is_some_and(is_configured);
        read
    }

    /// The condition `users` or `workloadIdentities`, whichever the sign-in is of.
    pub(crate) fn truth(&self, facts: &Facts<'_>) -> Truth {
        match facts.identity {
            Identity::User(_) if self.users_opaque => Truth::Unknown,
            Identity::User(id) => self.include.truth(id, facts) & !self.exclude.truth(id, facts),
            Identity::ServicePrincipal(_) if self.workloads_opaque => Truth::Unknown,
            Identity::ServicePrincipal(_) => Truth::False,
            Identity::Unknown if self.named || self.users_opaque => Truth::Unknown,
            Identity::Unknown => Truth::False,
        }
    }

    /// Whether some user makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        !self.users_opaque && self.include.can_be_true() && !self.exclude.all
    }
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

const AGENTS: [&str; 3] = [
    "includeAgentIdServicePrincipals",
    "excludeAgentIdServicePrincipals",
    "agentIdServicePrincipalFilter",
];
