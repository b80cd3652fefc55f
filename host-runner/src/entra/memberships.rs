//! Who is in the groups and has the directory roles that policies name, by delta query.
//!
//! Only those groups are read, and the groups within them: what no policy asks for is of no interest. A round reads the
//! changes of every one of them once; what it came to is published as a whole ([`super::directory`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cae_core::json::Value;

use super::graph::{Graph, GraphError};
use super::host::Host;
use super::pages::Pages;
use super::roster::Guid;
use crate::encoding::percent_encoded;
use crate::text::{elements, word};

/// Most objects of one delta query with a filter.
/// SPEC: <https://learn.microsoft.com/graph/api/group-delta#query-parameters>.
const FILTER: usize = 50;

/// The members of a group or a role, direct ones.
#[derive(Debug, Default)]
struct Members {
    users: HashSet<Guid>,
    groups: HashSet<Guid>,
    /// Whether Graph keeps the members from applications without `Member.Read.Hidden`: then an empty list says nothing.
    /// SPEC: <https://learn.microsoft.com/graph/api/resources/group#group-visibility-options>.
    are_hidden: bool,
}

impl Members {
    fn len(&self) -> usize {
        self.users.len().saturating_add(self.groups.len())
    }
}

/// A delta query about some groups.
#[derive(Debug)]
struct Query {
    groups: Vec<Guid>,
    link: Option<String>,
    /// Whether its part of this round is done.
    done: bool,
}

/// A directory role.
#[derive(Debug, Default)]
struct Role {
    template: String,
    members: Members,
}

/// What is known of groups and roles.
#[derive(Debug)]
pub(crate) struct Memberships {
    most: usize,
    queries: Vec<Query>,
    groups: HashMap<Guid, Members>,
    roles: BTreeMap<Guid, Role>,
    roles_link: Option<String>,
    /// Whether the application may read hidden members.
    reads_hidden: bool,
    group_pages: Pages,
    role_pages: Pages,
    /// Whether a whole round of each is done.
    groups_read: bool,
    roles_read: bool,
    /// Whether a round of each is under way: what is known then is half of before and half of now.
    groups_under_way: bool,
    roles_under_way: bool,
    /// Counts changes.
    generation: u64,
    /// Of which groups it was said that they hide their members.
    told_hidden: HashSet<Guid>,
}

/// For each user the groups and roles, transitive, of those that were asked for.
pub(crate) type ByUser = HashMap<Guid, BTreeSet<String>>;

impl Memberships {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            queries: Vec::new(),
            groups: HashMap::new(),
            roles: BTreeMap::new(),
            roles_link: None,
            reads_hidden: false,
            group_pages: Pages::default(),
            role_pages: Pages::default(),
            groups_read: false,
            roles_read: false,
            groups_under_way: false,
            roles_under_way: false,
            generation: 0,
            told_hidden: HashSet::new(),
        }
    }

    /// Changes whenever something else is known.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether everything that is known is of one moment.
    pub(crate) const fn is_settled(&self) -> bool {
        !self.groups_under_way && !self.roles_under_way
    }

    /// How many memberships are remembered.
    pub(crate) fn len(&self) -> usize {
        let groups = self.groups.values().map(Members::len);
        let roles = self.roles.values().map(|role| role.members.len());
        groups.chain(roles).fold(0, usize::saturating_add)
    }

    /// Reads one page about groups; says whether the round is over.
    /// SPEC: <https://learn.microsoft.com/graph/delta-query-groups>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn read_groups(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        wanted: &BTreeSet<String>,
    ) -> Result<bool, GraphError> {
        self.ask_for(wanted);
        let Some(query) = self.queries.iter_mut().find(|query| !query.done) else {
            return Ok(self.end_round());
        };
        let link = query.link.clone().unwrap_or_else(|| {
            self.groups_under_way = true;
            for group in &query.groups {
                self.groups.insert(*group, Members::default());
            }
            let ids: Vec<String> = query
                .groups
                .iter()
                .map(|id| format!("id eq '{id}'"))
                .collect();
            let filter = percent_encoded(&ids.join(" or "));
            graph.url(&format!(
                "/groups/delta?$select=id,members,visibility&$filter={filter}"
            ))
        });
        let page = match self.group_pages.read(graph, host, &link) {
            Ok(page) => page,
            Err(error) => {
                if error.ends_link() {
                    query.link = None;
                }
                return Err(error);
            }
        };
        self.groups_under_way = true;
        for group in &page.value {
            let Some(id) = word(group, "id").and_then(Guid::read) else {
                continue;
            };
            let members = self.groups.entry(id).or_default();
            if let Some(visibility) = word(group, "visibility") {
                let are_hidden = visibility.eq_ignore_ascii_case("HiddenMembership");
                if are_hidden != std::mem::replace(&mut members.are_hidden, are_hidden) {
                    self.generation = self.generation.wrapping_add(1);
                }
                if are_hidden && !self.reads_hidden && self.told_hidden.insert(id) {
                    host.tell(&format!(
                        "entra: the members of the group {id} are hidden: who is in it is not known without the permission \
                         Member.Read.Hidden"
                    ));
                }
            }
            if group.get("@removed").is_some() {
                *members = Members::default();
                self.generation = self.generation.wrapping_add(1);
            } else if change(members, group) {
                self.generation = self.generation.wrapping_add(1);
            }
        }
        match (page.next, page.delta) {
            (Some(next), _) => query.link = Some(next),
            (None, Some(delta)) => {
                query.link = Some(delta);
                query.done = true;
            }
            (None, None) => {
                let what = "a page of changes names neither the next one nor a delta link";
                return Err(GraphError::Answer(what.to_owned()));
            }
        }
        self.bound()?;
        // Groups within groups are read in the same round.
        self.ask_for(wanted);
        Ok(self.queries.iter().all(|query| query.done) && self.end_round())
    }

    fn end_round(&mut self) -> bool {
        self.queries.iter_mut().for_each(|query| query.done = false);
        self.groups_under_way = false;
        if !self.groups_read {
            self.groups_read = true;
            self.generation = self.generation.wrapping_add(1);
        }
        true
    }

    /// Reads one page about directory roles; says whether the round is over.
    /// SPEC: <https://learn.microsoft.com/graph/api/directoryrole-delta>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn read_roles(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
    ) -> Result<bool, GraphError> {
        let link = self.roles_link.clone().unwrap_or_else(|| {
            self.roles_under_way = true;
            self.roles.clear();
            graph.url("/directoryRoles/delta?$select=id,roleTemplateId,members")
        });
        let page = match self.role_pages.read(graph, host, &link) {
            Ok(page) => page,
            Err(error) => {
                if error.ends_link() {
                    self.roles_link = None;
                }
                return Err(error);
            }
        };
        self.roles_under_way = true;
        for one in &page.value {
            let Some(id) = word(one, "id").and_then(Guid::read) else {
                continue;
            };
            if one.get("@removed").is_some() {
                self.roles.remove(&id);
                self.generation = self.generation.wrapping_add(1);
                continue;
            }
            let role = self.roles.entry(id).or_default();
            if let Some(template) = word(one, "roleTemplateId") {
                role.template = template.to_lowercase();
            }
            if change(&mut role.members, one) {
                self.generation = self.generation.wrapping_add(1);
            }
        }
        self.bound()?;
        match (page.next, page.delta) {
            (Some(next), _) => {
                self.roles_link = Some(next);
                Ok(false)
            }
            (None, Some(delta)) => {
                self.roles_link = Some(delta);
                self.roles_under_way = false;
                if !self.roles_read {
                    self.roles_read = true;
                    self.generation = self.generation.wrapping_add(1);
                }
                Ok(true)
            }
            (None, None) => {
                let what = "a page of changes names neither the next one nor a delta link";
                Err(GraphError::Answer(what.to_owned()))
            }
        }
    }

    /// Says whether hidden members can be read: if that is new, groups that have such are read anew.
    pub(crate) fn may_read_hidden(&mut self, may: bool) {
        if std::mem::replace(&mut self.reads_hidden, may) == may {
            return;
        }
        let are_hidden = |it: &Guid| self.groups.get(it).is_some_and(|it| it.are_hidden);
        for query in &mut self.queries {
            if query.groups.iter().any(are_hidden) {
                query.link = None;
                query.done = false;
            }
        }
        self.told_hidden.clear();
        self.generation = self.generation.wrapping_add(1);
    }

    /// Groups cannot be read any more: half a round is worth nothing, a whole one is as good as it is old.
    pub(crate) fn give_up_groups(&mut self) {
        if std::mem::take(&mut self.groups_under_way) {
            self.queries.clear();
            self.groups.clear();
            self.groups_read = false;
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// The same for roles.
    pub(crate) fn give_up_roles(&mut self) {
        if std::mem::take(&mut self.roles_under_way) {
            self.roles.clear();
            self.roles_link = None;
            self.roles_read = false;
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// The groups of each user among `wanted`; `None` while they are not known.
    pub(crate) fn groups_by_user(&self, wanted: &BTreeSet<String>) -> Option<ByUser> {
        let covered =
            self.groups_read && self.reach(&ids(wanted)).iter().all(|id| self.is_asked(*id));
        covered.then(|| {
            let mut by_user = ByUser::new();
            for (id, name) in ids(wanted).into_iter().zip(guids(wanted)) {
                self.add_users(&[id], name, &mut by_user);
            }
            by_user
        })
    }

    /// The roles of each user among `wanted`; `None` while they are not known. Groups that have a role count only where
    /// groups are read.
    pub(crate) fn roles_by_user(&self, wanted: &BTreeSet<String>) -> Option<ByUser> {
        if !self.roles_read {
            return None;
        }
        let mut by_user = ByUser::new();
        for role in self
            .roles
            .values()
            .filter(|role| wanted.contains(&role.template))
        {
            let groups: Vec<Guid> = role.members.groups.iter().copied().collect();
            let covered = self.reach(&groups).iter().all(|id| self.is_asked(*id));
            if !covered || !groups.is_empty() && !self.groups_read {
                return None;
            }
            for user in &role.members.users {
                by_user
                    .entry(*user)
                    .or_default()
                    .insert(role.template.clone());
            }
            self.add_users(&groups, &role.template, &mut by_user);
        }
        Some(by_user)
    }

    /// Groups that have one of these roles: their members have to be read too.
    pub(crate) fn groups_with_roles(&self, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        let roles = self
            .roles
            .values()
            .filter(|role| wanted.contains(&role.template));
        let groups = roles.flat_map(|role| &role.members.groups);
        groups.map(Guid::to_string).collect()
    }

    fn add_users(&self, groups: &[Guid], name: &str, by_user: &mut ByUser) {
        for group in self.reach(groups) {
            for user in self.groups.get(&group).into_iter().flat_map(|it| &it.users) {
                by_user.entry(*user).or_default().insert(name.to_owned());
            }
        }
    }

    /// These groups and all within them.
    fn reach(&self, from: &[Guid]) -> Vec<Guid> {
        let mut seen: HashSet<Guid> = HashSet::new();
        let mut open: Vec<Guid> = from.to_vec();
        let mut reached = Vec::new();
        while let Some(group) = open.pop() {
            if seen.insert(group) {
                reached.push(group);
                open.extend(
                    self.groups
                        .get(&group)
                        .into_iter()
                        .flat_map(|it| &it.groups),
                );
            }
        }
        reached
    }

    /// Whether the members of a group are known once it was read.
    fn is_asked(&self, group: Guid) -> bool {
        let members = self.groups.get(&group);
        members.is_some_and(|it| self.reads_hidden || !it.are_hidden)
    }

    /// Makes queries for groups that are wanted, and those within them, and have none; drops what nobody wants any more.
    fn ask_for(&mut self, wanted: &BTreeSet<String>) {
        let reached = self.reach(&ids(wanted));
        let known: HashSet<Guid> = self
            .queries
            .iter()
            .flat_map(|it| it.groups.iter().copied())
            .collect();
        let reached_set: HashSet<Guid> = reached.iter().copied().collect();
        let is_wanted = |query: &Query| query.groups.iter().any(|it| reached_set.contains(it));
        let unwanted: Vec<Guid> = self
            .queries
            .iter()
            .filter(|query| !is_wanted(query))
            .flat_map(|query| query.groups.iter().copied())
            .collect();
        if !unwanted.is_empty() {
            self.queries.retain(is_wanted);
            for group in unwanted {
                self.groups.remove(&group);
            }
            self.generation = self.generation.wrapping_add(1);
        }
        let new: Vec<Guid> = reached
            .into_iter()
            .filter(|it| !known.contains(it))
            .collect();
        for part in new.chunks(FILTER) {
            self.queries.push(Query {
                groups: part.to_vec(),
                link: None,
                done: false,
            });
            // Until they are read, nobody knows who is in them.
            self.groups_read = false;
        }
    }

    fn bound(&mut self) -> Result<(), GraphError> {
        if self.len() <= self.most {
            return Ok(());
        }
        let most = self.most;
        let (generation, reads_hidden) = (self.generation, self.reads_hidden);
        *self = Self::new(most);
        self.reads_hidden = reads_hidden;
        self.generation = generation.wrapping_add(1);
        Err(GraphError::Answer(format!(
            "the groups and roles that policies name have more than {most} members (`mostMemberships`): none are known"
        )))
    }
}

/// Applies `members@delta`; says whether that changed anything.
fn change(members: &mut Members, object: &Value) -> bool {
    let mut changed = false;
    for member in elements(object, "members@delta") {
        let Some(id) = word(member, "id").and_then(Guid::read) else {
            continue;
        };
        if member.get("@removed").is_some() {
            changed |= members.users.remove(&id) | members.groups.remove(&id);
            continue;
        }
        changed |= match word(member, "@odata.type") {
            Some(kind) if kind.eq_ignore_ascii_case("#microsoft.graph.user") => {
                members.users.insert(id)
            }
            Some(kind) if kind.eq_ignore_ascii_case("#microsoft.graph.group") => {
                members.groups.insert(id)
            }
            // Devices, contacts and service principals present no tokens of users.
            _ => false,
        };
    }
    changed
}

fn guids(names: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    names.iter().filter(|name| Guid::read(name).is_some())
}

fn ids(names: &BTreeSet<String>) -> Vec<Guid> {
    names.iter().filter_map(|name| Guid::read(name)).collect()
}

#[cfg(test)]
mod tests;
