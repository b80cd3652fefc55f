//! Users: by delta query, and one by one when a notification names them.
//!
//! What is remembered of a user is who they are and one byte: whether they are disabled is in their record, and everything
//! else has a time of its own. Who is remembered and does not come any more when everything is read again was deleted
//! meanwhile.

use std::time::Duration;

use cae_core::json::Value;
use cae_core::policy::date;
use cae_core::state::record::{AccountStatus, TransmitterId};
use cae_core::time::{EventTime, UnixTime};

use super::facts::{About, Fact, What};
use super::graph::{Graph, GraphError};
use super::host::Host;
use super::pages::Pages;
use super::roster::{Guid, Kind, Roster};
use crate::text::{member, word};

/// What is asked of a user.
/// SPEC: <https://learn.microsoft.com/graph/api/resources/user>.
const SELECT: &str =
    "id,accountEnabled,signInSessionsValidFromDateTime,lastPasswordChangeDateTime,userType";

/// How long a second is waited for, at a time and in all: everybody else waits too.
const WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How far the reading of users has come.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// The page to go on with, or where changes are asked for. `None` reads everything.
    link: Option<String>,
    /// Whether everything is being read, and nobody may be missed who does not come.
    whole: bool,
    pages: Pages,
    /// Where the round began, and whether something of it has to be said later: then the next one begins there too.
    began: Option<String>,
    put_off: bool,
    /// The link of the last whole round.
    pub(crate) done: Option<String>,
}

impl Users {
    /// Goes on from where an earlier process had come to.
    pub(crate) fn from(link: Option<String>) -> Self {
        Self {
            began: link.clone(),
            link,
            ..Self::default()
        }
    }

    /// Reads one page of changes; says whether the round is over.
    /// SPEC: <https://learn.microsoft.com/graph/api/user-delta>, <https://learn.microsoft.com/graph/delta-query-users>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn step(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        transmitter: TransmitterId,
        roster: &mut Roster,
    ) -> Result<bool, GraphError> {
        let link = self.link.clone().unwrap_or_else(|| {
            self.whole = true;
            roster.begin();
            graph.url(&format!("/users/delta?$select={SELECT}"))
        });
        let asked_at = host.now();
        let page = match self.pages.read(graph, host, &link) {
            Ok(page) => page,
            Err(error) => {
                // What happened since is learned by reading everything again.
                if error.ends_link() {
                    if !self.whole {
                        host.tell(
                            "entra: the place in the changes of users does not count any more: all of them are read again",
                        );
                    }
                    (self.link, self.began) = (None, None);
                }
                return Err(error);
            }
        };
        let mut facts = Vec::new();
        for user in &page.value {
            self.put_off |= !learn(user, asked_at, host, transmitter, roster, &mut facts);
        }
        host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        match (page.next, page.delta) {
            (Some(next), _) => {
                self.link = Some(next);
                Ok(false)
            }
            (None, Some(delta)) => {
                if self.whole {
                    self.miss(host, transmitter, roster)?;
                }
                self.whole = false;
                if std::mem::take(&mut self.put_off) {
                    // The same changes again the next time.
                    self.link.clone_from(&self.began);
                    return Ok(true);
                }
                self.link = Some(delta.clone());
                self.began = Some(delta.clone());
                self.done = Some(delta);
                Ok(true)
            }
            (None, None) => Err(GraphError::Answer(
                "a page of changes names neither the next one nor a delta link".to_owned(),
            )),
        }
    }

    /// Looks at one user now.
    /// SPEC: <https://learn.microsoft.com/graph/api/user-get>.
    ///
    /// # Errors
    /// `NotFound` if there is none, which the next round of changes explains.
    pub(crate) fn look(
        graph: &mut Graph,
        host: &dyn Host,
        transmitter: TransmitterId,
        roster: &mut Roster,
        id: &str,
    ) -> Result<(), GraphError> {
        let asked_at = host.now();
        let user = graph.get(host, &graph.url(&format!("/users/{id}?$select={SELECT}")))?;
        let mut facts = Vec::new();
        // What has to be said later is among the changes too, which are waited for.
        let _ = learn(&user, asked_at, host, transmitter, roster, &mut facts);
        host.keep(&facts).map_err(|_| GraphError::NotKept)
    }

    /// Whoever was there before and did not come: deleted while nobody looked.
    fn miss(
        &self,
        host: &dyn Host,
        transmitter: TransmitterId,
        roster: &mut Roster,
    ) -> Result<(), GraphError> {
        let missing = roster.missing();
        for part in missing.chunks(500) {
            let mut facts = Vec::new();
            for guid in part {
                let about = About::User(guid.to_string());
                let _ = set_status(
                    about,
                    AccountStatus::Disabled,
                    host.now(),
                    host,
                    transmitter,
                    &mut facts,
                );
            }
            host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        }
        roster.forget(&missing);
        Ok(())
    }
}

/// What a notification says of a user that can only make access narrower. A notification may be older than what is known:
/// that somebody is enabled is not taken from one.
pub(super) fn strict_facts(
    user: &Value,
    guid: Guid,
    host: &dyn Host,
    transmitter: TransmitterId,
) -> Vec<Fact> {
    // What is inside has to be about the one that it was sent for.
    if word(user, "id").and_then(Guid::read) != Some(guid) {
        return Vec::new();
    }
    let (about, now) = (About::User(guid.to_string()), host.now());
    let mut facts = Vec::new();
    dated(user, &about, now, host, &mut facts);
    if member(user, "accountEnabled").as_bool() == Some(false) {
        let _ = set_status(
            about,
            AccountStatus::Disabled,
            now,
            host,
            transmitter,
            &mut facts,
        );
    }
    facts
}

/// What has a time of its own.
fn dated(user: &Value, about: &About, now: UnixTime, host: &dyn Host, facts: &mut Vec<Fact>) {
    let earliest = now.saturating_sub(host.longest_token());
    let cut_off = host.record(about).cut_off;
    let mut last = cut_off.map_or(EventTime::from_micros(0), |it| it.at);
    let dated = [
        ("lastPasswordChangeDateTime", What::PasswordChanged),
        ("signInSessionsValidFromDateTime", What::SessionsRevoked),
    ];
    for (name, what) in dated {
        let at = word(user, name).and_then(date::instant);
        // A cut-off that is as late says the same.
        if let Some(at) = at.filter(|at| *at > last && at.floor() >= earliest) {
            facts.push(Fact::new(about.clone(), what, at));
            last = at;
        }
    }
}

/// What one object says that is not known yet; whether that is all of it.
fn learn(
    user: &Value,
    asked_at: UnixTime,
    host: &dyn Host,
    transmitter: TransmitterId,
    roster: &mut Roster,
    facts: &mut Vec<Fact>,
) -> bool {
    let Some(guid) = word(user, "id").and_then(Guid::read) else {
        return true;
    };
    let about = About::User(guid.to_string());
    if let Some(removed) = user.get("@removed") {
        // SPEC: delta-query-users: `changed` can be restored within 30 days, `deleted` cannot.
        let status = match word(removed, "reason") {
            Some("deleted") => AccountStatus::Purged,
            _ => AccountStatus::Disabled,
        };
        roster.remove(guid);
        return set_status(about, status, asked_at, host, transmitter, facts);
    }
    let kind = match word(user, "userType") {
        Some(kind) if kind.eq_ignore_ascii_case("guest") => Some(Kind::Guest),
        Some(kind) if kind.eq_ignore_ascii_case("member") => Some(Kind::Member),
        _ => None,
    };
    roster.see(guid, kind);
    dated(user, &about, asked_at, host, facts);
    let status = match member(user, "accountEnabled").as_bool() {
        Some(true) => AccountStatus::Enabled,
        Some(false) => AccountStatus::Disabled,
        // It did not change.
        None => return true,
    };
    set_status(about, status, asked_at, host, transmitter, facts)
}

/// Says that an account has this status, unless that is known. `false` if it cannot be said yet: what is known is stricter,
/// and of a time that the clock is far from, which was set back.
pub(super) fn set_status(
    about: About,
    status: AccountStatus,
    asked_at: UnixTime,
    host: &dyn Host,
    transmitter: TransmitterId,
    facts: &mut Vec<Fact>,
) -> bool {
    let record = host.record(&about);
    let known = record.status.iter().find(|(by, _)| *by == transmitter);
    let (value, since) = known.map_or((AccountStatus::Enabled, None), |(_, entry)| {
        (entry.value, Some(entry.at))
    });
    if value == status {
        return true;
    }
    let mut at: EventTime = asked_at.into();
    // Of two values of one second the stricter one stays: one that is milder has to wait for the next.
    if status < value
        && let Some(since) = since.filter(|since| *since >= at)
    {
        let next = since.next_second();
        let mut left = LONGEST_WAIT;
        while host.now() < next {
            if left.is_zero() || next.since(host.now()) > LONGEST_WAIT || host.pause(WAIT) {
                return false;
            }
            left = left.saturating_sub(WAIT);
        }
        at = next.into();
    }
    let what = match status {
        AccountStatus::Enabled => What::Enabled,
        AccountStatus::Disabled => What::Disabled,
        AccountStatus::Purged => What::Purged,
    };
    facts.push(Fact::new(about, what, at));
    true
}
