//! Service principals, by delta query.
//!
//! A page names a deleted one by its object id alone; tokens of users name applications by their own id. Both are
//! remembered together.

use std::collections::BTreeMap;

use cae_core::json::Value;
use cae_core::state::record::{AccountStatus, TransmitterId};

use super::facts::{About, Fact};
use super::graph::{Graph, GraphError};
use super::host::Host;
use super::pages::Pages;
use super::roster::Guid;
use super::users::set_status;
use crate::text::{member, word};

/// Most service principals that are remembered: a tenant with more is unheard of.
const MOST: usize = 200_000;
/// Bytes of one on disk.
const ENTRY: usize = 32;

/// How far the reading of service principals has come, and which there are.
#[derive(Debug, Default)]
pub(crate) struct Applications {
    link: Option<String>,
    whole: bool,
    pages: Pages,
    /// Where the round began, and whether something of it has to be said later: then the next one begins there too.
    began: Option<String>,
    put_off: bool,
    /// Object ids with the ids of their applications, and the round in which they came.
    known: BTreeMap<Guid, (Guid, u64)>,
    round: u64,
    changed: bool,
}

/// What has to be kept once a round is over.
pub(crate) struct Kept {
    /// The place in the changes, if it moved on.
    pub(crate) link: Option<String>,
    /// The service principals, if they are others than before.
    pub(crate) known: Option<Vec<u8>>,
}

impl Applications {
    /// Goes on from where an earlier process had come to.
    pub(crate) fn from(link: Option<String>, known: &[u8]) -> Self {
        let entry = |entry: &[u8]| {
            let object = Guid(*entry.first_chunk()?);
            Some((object, (Guid(*entry.last_chunk()?), 0)))
        };
        Self {
            began: link.clone(),
            link,
            known: known.chunks_exact(ENTRY).filter_map(entry).collect(),
            ..Self::default()
        }
    }

    /// Reads one page; what to keep if the round is over.
    /// SPEC: <https://learn.microsoft.com/graph/api/serviceprincipal-delta>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn step(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        transmitter: TransmitterId,
    ) -> Result<Option<Kept>, GraphError> {
        let link = self.link.clone().unwrap_or_else(|| {
            self.whole = true;
            self.round = self.round.wrapping_add(1);
            graph.url("/servicePrincipals/delta?$select=id,appId,accountEnabled")
        });
        let asked_at = host.now();
        let page = match self.pages.read(graph, host, &link) {
            Ok(page) => page,
            Err(error) => {
                if error.ends_link() {
                    (self.link, self.began) = (None, None);
                }
                return Err(error);
            }
        };
        let mut facts = Vec::new();
        for one in &page.value {
            let mut put_off = false;
            self.learn(one, |about, status| {
                put_off |= !set_status(about, status, asked_at, host, transmitter, &mut facts);
            });
            self.put_off |= put_off;
        }
        host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        match (page.next, page.delta) {
            (Some(next), _) => {
                self.link = Some(next);
                Ok(None)
            }
            (None, Some(delta)) => {
                if self.whole {
                    self.miss(host, transmitter)?;
                }
                self.whole = false;
                // Without a place the same changes come again the next time.
                let link = (!std::mem::take(&mut self.put_off)).then_some(delta);
                if link.is_some() {
                    self.began.clone_from(&link);
                }
                self.link.clone_from(&self.began);
                let known = self.changed.then(|| self.bytes());
                Ok(Some(Kept { link, known }))
            }
            (None, None) => Err(GraphError::Answer(
                "a page of changes names neither the next one nor a delta link".to_owned(),
            )),
        }
    }

    /// What was to be kept is on disk.
    pub(crate) const fn is_kept(&mut self) {
        self.changed = false;
    }

    /// What one object says.
    fn learn(&mut self, one: &Value, mut say: impl FnMut(About, AccountStatus)) {
        let Some(object) = word(one, "id").and_then(Guid::read) else {
            return;
        };
        if let Some(removed) = one.get("@removed") {
            let status = match word(removed, "reason") {
                Some("deleted") => AccountStatus::Purged,
                _ => AccountStatus::Disabled,
            };
            say(self.about(object), status);
            self.changed |= self.known.remove(&object).is_some();
            return;
        }
        if let Some(application) = word(one, "appId").and_then(Guid::read)
            && (self.known.len() < MOST || self.known.contains_key(&object))
        {
            let before = self.known.insert(object, (application, self.round));
            self.changed |= before.is_none_or(|(before, _)| before != application);
        } else if let Some((_, round)) = self.known.get_mut(&object) {
            *round = self.round;
        }
        match member(one, "accountEnabled").as_bool() {
            Some(true) => say(self.about(object), AccountStatus::Enabled),
            Some(false) => say(self.about(object), AccountStatus::Disabled),
            None => {}
        }
    }

    fn about(&self, object: Guid) -> About {
        let known = self.known.get(&object);
        About::Application {
            object: object.to_string(),
            application: known.map(|(application, _)| application.to_string()),
        }
    }

    fn miss(&mut self, host: &dyn Host, transmitter: TransmitterId) -> Result<(), GraphError> {
        let missing = self
            .known
            .iter()
            .filter(|(_, (_, round))| *round != self.round);
        let missing: Vec<Guid> = missing.map(|(object, _)| *object).collect();
        for part in missing.chunks(500) {
            let mut facts: Vec<Fact> = Vec::new();
            for object in part {
                let gone = AccountStatus::Disabled;
                let _ = set_status(
                    self.about(*object),
                    gone,
                    host.now(),
                    host,
                    transmitter,
                    &mut facts,
                );
            }
            host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        }
        for object in missing {
            self.known.remove(&object);
            self.changed = true;
        }
        Ok(())
    }

    fn bytes(&self) -> Vec<u8> {
        let entries = self.known.iter();
        entries
            .flat_map(|(object, (application, _))| object.0.into_iter().chain(application.0))
            .collect()
    }
}
