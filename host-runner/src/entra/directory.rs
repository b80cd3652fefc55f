//! What decisions are told of users whose tokens name no groups, roles or kind: published as a whole, read without a lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use cae_core::decision::DirectoryFacts;
use cae_core::state::StateKey;
use cae_core::time::UnixTime;

use super::memberships::ByUser;
use super::roster::{Guid, Kind};

/// After so many seconds without a successful reading nothing is relied on: the time that Entra itself takes at most to let
/// a change of a membership take effect.
/// SPEC: <https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation>.
const OLDEST: u64 = 86_400;

/// What is wanted by the policies in force.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Wanted {
    /// The issuer by whose name the users are called.
    pub(crate) issuer: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) roles: BTreeSet<String>,
    /// The scope in which the users' keys are.
    pub(crate) scope: String,
}

/// One state of what is known. Users with the same facts share a row.
#[derive(Debug, Default)]
struct Table {
    generation: u64,
    users: HashMap<StateKey, u32>,
    rows: Vec<Row>,
    /// The groups and roles that rows are complete for; `None` if none are known.
    groups: Option<BTreeSet<String>>,
    roles: Option<BTreeSet<String>>,
    /// Whether members of groups are counted among the roles: those are as old as the groups then.
    roles_through_groups: bool,
}

#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Row {
    groups: Vec<String>,
    roles: Vec<String>,
    guest: Option<bool>,
}

/// What is known of the users of a tenant.
#[derive(Debug, Default)]
pub(crate) struct TenantDirectory {
    table: ArcSwap<Table>,
    users_read_at: AtomicU64,
    groups_read_at: AtomicU64,
    roles_read_at: AtomicU64,
}

/// When the last whole round of each ended, in seconds since 1970; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadAt {
    pub(crate) users: u64,
    pub(crate) groups: u64,
    pub(crate) roles: u64,
}

/// What is young enough to be relied on.
#[derive(Clone, Copy, Debug)]
struct Usable {
    users: bool,
    groups: bool,
    roles: bool,
}

/// What a new state is made of.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) groups: Option<ByUser>,
    pub(crate) roles: Option<ByUser>,
    /// Whether a role that is wanted is given to a group.
    pub(crate) roles_through_groups: bool,
}

impl TenantDirectory {
    /// Publishes another state for these users, each with the key of their record.
    pub(crate) fn publish(
        &self,
        known: &Known<'_>,
        users: impl Iterator<Item = (Guid, Option<Kind>, StateKey)>,
    ) {
        let mut rows: BTreeMap<Row, u32> = BTreeMap::new();
        let of = |by_user: &Option<ByUser>, guid: Guid| -> Vec<String> {
            let found = by_user.as_ref().and_then(|by_user| by_user.get(&guid));
            found.into_iter().flatten().cloned().collect()
        };
        let users = users
            .map(|(guid, kind, key)| {
                let row = Row {
                    groups: of(&known.groups, guid),
                    roles: of(&known.roles, guid),
                    guest: kind.map(|kind| kind == Kind::Guest),
                };
                let next = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                (key, *rows.entry(row).or_insert(next))
            })
            .collect();
        let mut numbered: Vec<(u32, Row)> = rows
            .into_iter()
            .map(|(row, number)| (number, row))
            .collect();
        numbered.sort_unstable_by_key(|(number, _)| *number);
        let generation = self.table.load().generation.wrapping_add(1);
        self.table.store(Arc::new(Table {
            generation,
            users,
            rows: numbered.into_iter().map(|(_, row)| row).collect(),
            groups: known.groups.as_ref().map(|_| known.wanted.groups.clone()),
            roles: known.roles.as_ref().map(|_| known.wanted.roles.clone()),
            roles_through_groups: known.roles_through_groups,
        }));
    }

    /// What is published was so at these times.
    pub(crate) fn is_read(&self, read_at: ReadAt) {
        self.users_read_at.store(read_at.users, Ordering::Relaxed);
        self.groups_read_at.store(read_at.groups, Ordering::Relaxed);
        self.roles_read_at.store(read_at.roles, Ordering::Relaxed);
    }

    /// Names the state that decisions are told of: another one is another name.
    pub(crate) fn generation(&self, now: UnixTime) -> u64 {
        let table = self.table.load();
        let usable = self.usable(&table, now);
        let bits = [usable.users, usable.groups, usable.roles];
        bits.into_iter().fold(table.generation, |name, bit| {
            name.wrapping_shl(1) | u64::from(bit)
        })
    }

    fn usable(&self, table: &Table, now: UnixTime) -> Usable {
        let is_young = |read_at: &AtomicU64| {
            let age = now
                .as_secs()
                .saturating_sub(read_at.load(Ordering::Relaxed));
            age <= OLDEST
        };
        // Without the users nobody knows whose groups and roles they are.
        let users = is_young(&self.users_read_at);
        let groups = users && is_young(&self.groups_read_at);
        let roles = users && is_young(&self.roles_read_at);
        Usable {
            users,
            groups,
            roles: roles && (groups || !table.roles_through_groups),
        }
    }
}

/// The same, as the engines of one configuration see it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) directory: Arc<TenantDirectory>,
    pub(crate) wanted: Wanted,
    /// The generation that was compared last with what is wanted, and in the two lowest bits what that came to.
    compared: AtomicU64,
}

impl View {
    pub(crate) const fn new(directory: Arc<TenantDirectory>, wanted: Wanted) -> Self {
        Self {
            directory,
            wanted,
            compared: AtomicU64::new(u64::MAX),
        }
    }

    /// Goes on with the facts of a request, and with what is known of the user that one of these keys stands for where those
    /// say nothing.
    pub(crate) fn complete<T>(
        &self,
        keys: &[StateKey],
        facts: DirectoryFacts<'_>,
        now: UnixTime,
        then: impl FnOnce(DirectoryFacts<'_>) -> T,
    ) -> T {
        let table = self.directory.table.load();
        let usable = self.directory.usable(&table, now);
        if !usable.users {
            return then(facts);
        }
        let number = keys.iter().find_map(|key| table.users.get(key));
        let row = number.and_then(|number| table.rows.get(usize::try_from(*number).ok()?));
        let Some(row) = row else {
            return then(facts);
        };
        let (groups_known, roles_known) = self.covers(&table);
        let groups: Vec<&str> = row.groups.iter().map(String::as_str).collect();
        let roles: Vec<&str> = row.roles.iter().map(String::as_str).collect();
        let typed = facts.user_type.is_some() || facts.external_user_type.is_some();
        let kind = row.guest.filter(|_| !typed);
        then(DirectoryFacts {
            member_of: facts
                .member_of
                .or((groups_known && usable.groups).then_some(groups.as_slice())),
            roles: facts
                .roles
                .or((roles_known && usable.roles).then_some(roles.as_slice())),
            user_type: facts
                .user_type
                .or_else(|| kind.map(|guest| if guest { "guest" } else { "member" })),
            ..facts
        })
    }

    /// Whether the rows are complete for all groups, and all roles, that are wanted.
    fn covers(&self, table: &Table) -> (bool, bool) {
        let compared = self.compared.load(Ordering::Relaxed);
        let name = table.generation.wrapping_shl(2);
        if compared & !3 == name {
            return (compared & 1 != 0, compared & 2 != 0);
        }
        let all = |known: &Option<BTreeSet<String>>, wanted: &BTreeSet<String>| {
            known.as_ref().is_some_and(|known| wanted.is_subset(known))
        };
        let groups = all(&table.groups, &self.wanted.groups);
        let roles = all(&table.roles, &self.wanted.roles);
        let bits = u64::from(groups) | (u64::from(roles) << 1);
        self.compared.store(name | bits, Ordering::Relaxed);
        (groups, roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> StateKey {
        format!("{byte:032x}").parse().unwrap()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn facts_are_told_once_all_that_is_wanted_is_known() {
        let guid = |byte| Guid([byte; 16]);
        let directory = Arc::new(TenantDirectory::default());
        let wanted = |groups: &[&str]| Wanted {
            groups: set(groups),
            ..Wanted::default()
        };
        let view = |groups: &[&str]| View::new(Arc::clone(&directory), wanted(groups));
        let now = UnixTime::from_secs(1_000_000);
        let told = |view: &View, byte: u8, now| {
            view.complete(&[key(byte)], DirectoryFacts::default(), now, |facts| {
                let list = facts.member_of.map(|list| list.join(","));
                (list, facts.user_type.map(str::to_owned))
            })
        };
        let before = view(&["g"]);
        assert_eq!(told(&before, 1, now), (None, None), "nothing is known");
        let known = Known {
            wanted: &wanted(&["g"]),
            groups: Some([(guid(1), set(&["g"]))].into()),
            roles: None,
            roles_through_groups: false,
        };
        let users = [
            (guid(1), Some(Kind::Guest), key(1)),
            (guid(2), Some(Kind::Member), key(2)),
        ];
        let generation = directory.generation(now);
        directory.publish(&known, users.into_iter());
        let read_at = |users: UnixTime, groups: UnixTime| ReadAt {
            users: users.as_secs(),
            groups: groups.as_secs(),
            roles: 0,
        };
        directory.is_read(read_at(now, now));
        assert_ne!(directory.generation(now), generation);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(told(&before, 1, now), (text("g"), text("guest")));
        assert_eq!(told(&before, 2, now), (text(""), text("member")));
        assert_eq!(
            told(&before, 3, now),
            (None, None),
            "nobody knows that user"
        );
        // A configuration that asks for more is told nothing of groups.
        let more = view(&["g", "h"]);
        assert_eq!(told(&more, 1, now), (None, text("guest")));
        assert_eq!(
            told(&more, 1, now),
            (None, text("guest")),
            "the second time too"
        );
        // What is too old is not relied on.
        let later = now.saturating_add(std::time::Duration::from_secs(OLDEST + 1));
        assert_eq!(told(&before, 1, later), (None, None));
        assert_ne!(directory.generation(later), directory.generation(now));
        // Each for itself, but nothing without the users.
        directory.is_read(read_at(later, now));
        assert_eq!(told(&before, 1, later), (None, text("guest")));
        directory.is_read(read_at(now, later));
        assert_eq!(told(&before, 1, later), (None, None));
    }
}
