//! The world of a running service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cae_core::engine::Change;
use cae_core::state::Record;
use cae_core::state::record::{Entry, RiskLevel, TransmitterId};
use cae_core::state::selection::{Scopes, Selected, select};
use cae_core::time::UnixTime;

use super::directory::Wanted;
use super::facts::{About, Fact, What};
use super::host::{Host, NotKept};
use super::tenant::Tenant;
use crate::clock;
use crate::serve::client::{Ask, NoReply, Reply};
use crate::serve::service::Service;
use crate::serve::settings::ENTRA;
use crate::serve::watched::Watched;

/// How long an answer of Graph may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service, and the tenant that is read for it.
pub(crate) struct Live {
    pub(crate) service: Arc<Service>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) began: Instant,
}

impl Host for Live {
    fn send(&self, ask: Ask<'_>) -> Result<Reply, NoReply> {
        self.service.client().ask(ask, PATIENCE)
    }

    fn now(&self) -> UnixTime {
        clock::now()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&self, time: Duration) -> bool {
        self.tenant.inbox.pause(time)
    }

    fn record(&self, about: &About) -> Record {
        let mut known = Record::default();
        for one in self.selected(about) {
            let record = self.service.store.read(|table| table.get(&one.key));
            known.merge(&record.unwrap_or_default());
        }
        known
    }

    fn keep(&self, facts: &[Fact]) -> Result<(), NotKept> {
        if facts.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        let tenant = &self.tenant;
        let watched = self.watched().ok_or(NotKept)?;
        let (mut events, mut changes) = (Vec::new(), Vec::new());
        for fact in facts {
            let claims = fact.claims(&tenant.transmitter, &self.issuer(), now);
            let Some(claims) = claims else {
                changes.extend(self.without_risk(fact, now));
                continue;
            };
            let Ok(set) = tenant.key.sign("secevent+jwt", &claims) else {
                return Err(NotKept);
            };
            match self.service.read_polled(&watched, &set, now) {
                Ok(event) => events.push(event),
                // The configuration does not take it: to say so again and again would help nobody.
                Err(Some(rejected)) => {
                    // Another reader has taken over, with another key: it learns the same.
                    if !self.is_current() {
                        return Err(NotKept);
                    }
                    self.tell(&format!("entra: {}", rejected.description));
                }
                Err(None) => return Err(NotKept),
            }
        }
        let kept = self.service.keep_polled(&watched, events, now);
        if kept.iter().any(Result::is_err) {
            return Err(NotKept);
        }
        if !changes.is_empty() {
            self.service.store.change(changes).map_err(|_| NotKept)?;
        }
        Ok(())
    }

    fn note(&self, name: &str, value: Vec<u8>) -> Result<(), NotKept> {
        if !self.is_current() {
            return Err(NotKept);
        }
        let kept = self.service.store.keep_note(name.to_owned(), value);
        kept.map_err(|_| NotKept)
    }

    fn wanted(&self) -> Wanted {
        let engines = self.service.engines.load();
        let view = engines.tenant.as_ref();
        view.map(|view| view.wanted.clone()).unwrap_or_default()
    }

    fn tell(&self, what: &str) {
        self.service.tell(what);
    }

    fn count(&self, status: u16) {
        self.tenant.shared.status.count(status);
    }

    fn alive(&self) {
        if let Some(watched) = self.watched() {
            watched.is_alive(clock::now());
        }
    }

    fn longest_token(&self) -> Duration {
        let engines = self.service.engines.load();
        let settings = &engines.configuration.settings;
        let age = settings
            .max_token_age_capable
            .max(settings.max_token_age_other);
        // With what Entra backdates, and clocks that differ.
        Duration::from_secs(age.saturating_add(600))
    }
}

impl Live {
    /// Whether this is the tenant that is to be read.
    fn is_current(&self) -> bool {
        let current = self.service.entra.load();
        current
            .as_ref()
            .is_some_and(|tenant| Arc::ptr_eq(tenant, &self.tenant))
    }

    fn watched(&self) -> Option<Arc<Watched>> {
        self.service.named(ENTRA)
    }

    /// The issuer by whose name the users of the tenant are called.
    fn issuer(&self) -> String {
        let engines = self.service.engines.load();
        let view = engines.tenant.as_ref();
        view.map(|view| view.wanted.issuer.clone())
            .unwrap_or_default()
    }

    fn selected(&self, about: &About) -> Vec<Selected> {
        let subject = about.identifier(&self.issuer()).to_string();
        let engines = self.service.engines.load();
        let scopes = Scopes::Configured(&engines.configuration, None);
        select(&subject, scopes).unwrap_or_default()
    }

    /// The neutral record that says that there is no risk any more.
    fn without_risk(&self, fact: &Fact, now: UnixTime) -> Vec<Change> {
        if !matches!(fact.what, What::Risk(RiskLevel::None)) {
            return Vec::new();
        }
        let entry = Entry {
            at: fact.at,
            issued: now,
            value: RiskLevel::None,
        };
        let by = TransmitterId::of(&self.tenant.transmitter);
        let record = Record {
            risk: vec![(by, entry)],
            ..Record::default()
        };
        let change = |one: Selected| Change {
            key: one.key,
            record: record.to_bytes(),
        };
        self.selected(&fact.about).into_iter().map(change).collect()
    }
}
