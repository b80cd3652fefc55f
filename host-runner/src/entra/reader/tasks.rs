//! What the reader does: each feature one page at a time, users and subscriptions on demand.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cae_core::state::SubjectKind;
use cae_core::state::key::NameSpace;
use cae_core::state::record::TransmitterId;
use cae_core::token::subject_keys::subject_key;

use super::{Shared, notes_of};
use crate::entra::applications::{Applications, Kept};
use crate::entra::directory::{Known, ReadAt, Wanted};
use crate::entra::encrypted::{self, PublisherKeys};
use crate::entra::factors::Factors;
use crate::entra::graph::{Graph, GraphError};
use crate::entra::host::Host;
use crate::entra::inbox::Encrypted;
use crate::entra::memberships::Memberships;
use crate::entra::policies::{Documents, Tagged};
use crate::entra::risk::{Risk, Whose};
use crate::entra::roster::{Guid, Roster};
use crate::entra::users::{self, Users};
use crate::serve::settings::entra::{Entra, Feature, Notifications};

/// The permission to see members of groups that hide them.
/// SPEC: <https://learn.microsoft.com/graph/permissions-reference#memberreadhidden>.
const READS_HIDDEN: &str = "Member.Read.Hidden";

/// How far everything has come.
pub(super) struct Tasks {
    settings: Entra,
    transmitter: TransmitterId,
    shared: Arc<Shared>,
    graph: Graph,
    roster: Roster,
    users: Users,
    /// Whether a whole round of users is done: then everybody is in the roster.
    users_read: bool,
    applications: Applications,
    user_risk: Risk,
    application_risk: Risk,
    factors: Factors,
    memberships: Memberships,
    publisher: PublisherKeys,
    tagged: Tagged,
    /// What was published last: generations of memberships and roster, and what was wanted.
    published: Option<(u64, u64, Wanted)>,
    told_overflow: bool,
}

impl Tasks {
    pub(super) fn new(
        settings: &Entra,
        transmitter: TransmitterId,
        shared: Arc<Shared>,
        notes: &[(String, Vec<u8>)],
    ) -> Self {
        let prefix = notes_of(&settings.tenant);
        let own: Vec<(&str, &[u8])> = notes
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?, value.as_slice())))
            .collect();
        let bytes = |name: &str| {
            own.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        let text = |name: &str| bytes(name).and_then(|value| std::str::from_utf8(value).ok());
        let mut roster = Roster::new(settings.most_users);
        for (_, part) in own.iter().filter(|(name, _)| name.starts_with("users/")) {
            roster.restore(part);
        }
        Self {
            graph: Graph::new(settings.clone()),
            users: Users::from(text("link/users").map(str::to_owned)),
            users_read: false,
            applications: Applications::from(
                text("link/applications").map(str::to_owned),
                bytes("applications").unwrap_or_default(),
            ),
            user_risk: Risk::from(Whose::Users, text("seen/userRisk")),
            application_risk: Risk::from(Whose::Applications, text("seen/applicationRisk")),
            factors: Factors::from(text("seen/secondFactors")),
            memberships: Memberships::new(settings.most_memberships),
            publisher: PublisherKeys::default(),
            tagged: Tagged::default(),
            published: None,
            told_overflow: false,
            settings: settings.clone(),
            roster,
            transmitter,
            shared,
        }
    }

    pub(super) fn roles(&mut self, host: &dyn Host) -> Result<Option<Vec<String>>, GraphError> {
        self.graph.roles(host)
    }

    pub(super) fn forget_token(&mut self) {
        self.graph.forget_token();
    }

    /// One page of one feature; says whether it is done for now.
    pub(super) fn step(&mut self, host: &dyn Host, feature: Feature) -> Result<bool, GraphError> {
        match feature {
            Feature::Policies => self.read_policies(host),
            Feature::Users => self.read_users(host),
            Feature::Applications => self.read_applications(host),
            Feature::UserRisk => {
                let seen = self
                    .user_risk
                    .step(&mut self.graph, host, self.transmitter)?;
                Ok(self.seen(host, "seen/userRisk", seen))
            }
            Feature::ApplicationRisk => {
                let seen = self
                    .application_risk
                    .step(&mut self.graph, host, self.transmitter)?;
                Ok(self.seen(host, "seen/applicationRisk", seen))
            }
            Feature::SecondFactors => {
                let seen = self.factors.step(&mut self.graph, host)?;
                Ok(self.seen(host, "seen/secondFactors", seen))
            }
            Feature::Groups => {
                // What a token does not say is not relied on.
                let roles = self.graph.roles(host)?.unwrap_or_default();
                let reads_hidden = roles.iter().any(|role| role == READS_HIDDEN);
                self.memberships.may_read_hidden(reads_hidden);
                let wanted = host.wanted();
                let mut groups = wanted.groups;
                groups.extend(self.memberships.groups_with_roles(&wanted.roles));
                self.memberships.read_groups(&mut self.graph, host, &groups)
            }
            Feature::Roles => self.memberships.read_roles(&mut self.graph, host),
        }
    }

    /// Looks at one user now.
    pub(super) fn look(&mut self, host: &dyn Host, user: Guid) -> Result<(), GraphError> {
        let id = user.to_string();
        Users::look(
            &mut self.graph,
            host,
            self.transmitter,
            &mut self.roster,
            &id,
        )
    }

    /// Learns from resource data what cannot widen access; the user is looked at all the same.
    ///
    /// # Errors
    /// It is not for us, or nobody vouches for it.
    pub(super) fn open(&mut self, host: &dyn Host, encrypted: &Encrypted) -> Result<(), String> {
        let notifications = self.settings.notifications.as_ref();
        let Some((_, key)) = notifications.and_then(|it| it.encryption.as_ref()) else {
            return Ok(());
        };
        if !self
            .publisher
            .vouch(host, &self.settings, &encrypted.tokens)?
        {
            return Err("resource data that nobody vouches for".to_owned());
        }
        let user = encrypted::decrypt(&encrypted.content, key)?;
        let facts = users::strict_facts(&user, encrypted.user, host, self.transmitter);
        host.keep(&facts)
            .map_err(|_| GraphError::NotKept.to_string())
    }

    pub(super) fn subscribe(
        &mut self,
        host: &dyn Host,
        settings: &Notifications,
        note: &str,
        renew: bool,
    ) -> Result<(Duration, bool), GraphError> {
        let subscription = &self.shared.subscription;
        subscription.look_after(&mut self.graph, host, settings, note, renew)
    }

    /// A feature is off: what it had read of a round is not worth waiting for the rest.
    pub(super) fn give_up(&mut self, feature: Feature) {
        match feature {
            Feature::Groups => self.memberships.give_up_groups(),
            Feature::Roles => self.memberships.give_up_roles(),
            _ => {}
        }
    }

    /// Tells decisions what is known of users, if that is something else than before, and of when it is.
    pub(super) fn publish(&mut self, host: &dyn Host, read_at: ReadAt) {
        // In the middle of a round somebody who moves from one group to another would be in neither.
        if !self.users_read || !self.memberships.is_settled() {
            return;
        }
        let wanted = host.wanted();
        let generations = (self.memberships.generation(), self.roster.generation());
        let state = (generations.0, generations.1, wanted);
        if self.published.as_ref() != Some(&state) {
            let wanted = &state.2;
            let has = |feature| self.settings.features.contains(&feature);
            let count = u64::try_from(self.memberships.len()).unwrap_or(u64::MAX);
            self.shared
                .status
                .memberships
                .store(count, Ordering::Relaxed);
            let known = Known {
                groups: has(Feature::Groups)
                    .then(|| self.memberships.groups_by_user(&wanted.groups))
                    .flatten(),
                roles: has(Feature::Roles)
                    .then(|| self.memberships.roles_by_user(&wanted.roles))
                    .flatten(),
                roles_through_groups: !self.memberships.groups_with_roles(&wanted.roles).is_empty(),
                wanted,
            };
            let users = self.roster.iter().map(|(guid, kind)| {
                let id = guid.to_string();
                let key = subject_key(&wanted.scope, SubjectKind::User, NameSpace::Native, &id);
                (guid, kind, key)
            });
            self.shared.directory.publish(&known, users);
            self.published = Some(state);
        }
        self.shared.directory.is_read(read_at);
    }

    fn read_users(&mut self, host: &dyn Host) -> Result<bool, GraphError> {
        let (graph, roster) = (&mut self.graph, &mut self.roster);
        let done = self.users.step(graph, host, self.transmitter, roster)?;
        let known = u64::try_from(self.roster.len()).unwrap_or(u64::MAX);
        self.shared.status.users.store(known, Ordering::Relaxed);
        self.users_read |= done;
        let Some(link) = self.users.done.take() else {
            return Ok(done);
        };
        // The place in the changes comes last: it must not be ahead of what was learned.
        let prefix = notes_of(&self.settings.tenant);
        let mut parts = self.roster.changed().into_iter();
        let kept = parts.try_for_each(|(number, part)| {
            host.note(&format!("{prefix}users/{number:02x}"), part)?;
            self.roster.is_kept(number);
            Ok(())
        });
        let kept = kept.and_then(|()| host.note(&format!("{prefix}link/users"), link.into_bytes()));
        if kept.is_err() {
            // The process after this one goes on from an earlier place, and learns the same again.
            host.tell("entra: who is known could not be written down");
        }
        if !self.roster.is_whole() && !self.told_overflow {
            self.told_overflow = true;
            host.tell(
                "entra: there are more users than `mostUsers`: the groups of the others are not known, and who of them is \
                 deleted during a long outage is missed",
            );
        }
        Ok(done)
    }

    fn read_applications(&mut self, host: &dyn Host) -> Result<bool, GraphError> {
        let kept = self
            .applications
            .step(&mut self.graph, host, self.transmitter)?;
        let Some(Kept { link, known }) = kept else {
            return Ok(false);
        };
        let prefix = notes_of(&self.settings.tenant);
        let kept = known.map_or(Ok(()), |known| {
            host.note(&format!("{prefix}applications"), known)?;
            self.applications.is_kept();
            Ok(())
        });
        let kept = kept.and_then(|()| match link {
            Some(link) => host.note(&format!("{prefix}link/applications"), link.into_bytes()),
            None => Ok(()),
        });
        if kept.is_err() {
            host.tell("entra: which service principals are known could not be written down");
        }
        Ok(true)
    }

    fn read_policies(&mut self, host: &dyn Host) -> Result<bool, GraphError> {
        let documents = Documents::read(&mut self.graph, host, &mut self.tagged)?;
        self.shared.policies.read(documents);
        Ok(true)
    }

    /// Keeps how far a list was seen; says whether the round is over.
    fn seen(&self, host: &dyn Host, name: &str, seen: Option<Vec<u8>>) -> bool {
        let Some(seen) = seen else {
            return false;
        };
        let name = format!("{}{name}", notes_of(&self.settings.tenant));
        if host.note(&name, seen).is_err() {
            host.tell("entra: how far changes were seen could not be written down");
        }
        true
    }
}
