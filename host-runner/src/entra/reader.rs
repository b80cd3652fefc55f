//! The reader of a tenant: one loop over everything that is asked of Graph, in one thread.
//!
//! A failing task waits longer and longer and keeps nothing else waiting; when Graph asks for a pause, everybody keeps it.
//! What was learned is on disk before the place in the changes moves on, so whatever breaks in between is learned again.

mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cae_core::json;
use cae_core::state::record::TransmitterId;

use self::tasks::Tasks;
use super::directory::{ReadAt, TenantDirectory};
use super::graph::GraphError;
use super::host::Host;
use super::inbox::{Answer, Mail};
use super::policies::{Documents, Policies};
use super::roster::Guid;
use super::schedule::Timer;
use super::status::Status;
use super::subscription::Subscription;
use crate::component::random;
use crate::serve::settings::entra::{Entra, Feature};

/// The longest wait before somebody looks again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Most users that are looked at one by one.
const MOST_PENDING: usize = 256;

/// Most who wait for everything to be read.
const MOST_WAITING: usize = 64;

/// What the reader shares with others.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) status: Status,
    pub(crate) policies: Policies,
    pub(crate) subscription: Subscription,
    pub(crate) directory: Arc<TenantDirectory>,
}

/// The reader of one tenant.
pub(crate) struct Reader {
    settings: Entra,
    shared: Arc<Shared>,
    tasks: Tasks,
    timers: BTreeMap<Feature, Timer>,
    /// When the last whole round of a feature ended, in seconds since 1970.
    rounds: BTreeMap<Feature, u64>,
    /// When the subscription has to be looked after; none without notifications.
    subscription: Option<Timer>,
    /// Whether it has to be renewed whatever its age.
    renew: bool,
    /// Users to look at, and when that may be done.
    pending: BTreeSet<Guid>,
    looks: Timer,
    /// Whether somebody was told that these features are off.
    told: BTreeMap<Feature, String>,
    /// Who waits until everything was read.
    waiting: Vec<Waiting>,
}

/// Somebody who wants everything read, and what came of it so far.
struct Waiting {
    answer: Answer,
    results: BTreeMap<Feature, Result<(), String>>,
}

/// Under which name the subscription is kept.
fn subscription_note(tenant: &str) -> String {
    format!("{}subscription", notes_of(tenant))
}

/// The notes of a tenant begin so.
pub(crate) fn notes_of(tenant: &str) -> String {
    format!("entra/{tenant}/")
}

impl Reader {
    /// A reader that goes on where `notes` say that the one before had come to.
    pub(crate) fn new(
        settings: Entra,
        transmitter: TransmitterId,
        shared: Arc<Shared>,
        notes: &[(String, Vec<u8>)],
    ) -> Self {
        let timers = settings.features.iter().map(|feature| {
            let every = match feature {
                Feature::Policies => settings.policies_every,
                _ => settings.poll_every,
            };
            (*feature, Timer::new(every))
        });
        let note = subscription_note(&settings.tenant);
        let kept = notes.iter().find(|(name, _)| *name == note);
        shared
            .subscription
            .restore(kept.map(|(_, value)| value.as_slice()));
        // Without permission to read users there is nothing to subscribe to.
        let subscribes = settings.features.contains(&Feature::Users);
        let notifications = settings.notifications.as_ref().filter(|_| subscribes);
        Self {
            timers: timers.collect(),
            subscription: notifications.map(|it| Timer::new(it.lifetime)),
            tasks: Tasks::new(&settings, transmitter, Arc::clone(&shared), notes),
            rounds: BTreeMap::new(),
            renew: false,
            pending: BTreeSet::new(),
            looks: Timer::new(Duration::ZERO),
            told: BTreeMap::new(),
            waiting: Vec::new(),
            shared,
            settings,
        }
    }

    /// Reads until it is told to stop. `mail` waits for at most so long.
    pub(crate) fn run(&mut self, host: &dyn Host, mail: impl Fn(Duration) -> Mail) {
        loop {
            let mail = mail(self.wait(host));
            if mail.stopped {
                return;
            }
            self.take(host, mail);
            self.work(host);
        }
    }

    /// How long nothing is due.
    fn wait(&self, host: &dyn Host) -> Duration {
        let timers = self.timers.values().chain(&self.subscription);
        let looks = (!self.pending.is_empty()).then_some(&self.looks);
        let due = timers.chain(looks).map(Timer::due).min();
        let wait = due.map_or(LONGEST_WAIT, |due| due.saturating_sub(host.elapsed()));
        wait.min(LONGEST_WAIT)
    }

    /// Does what is due, each task once.
    fn work(&mut self, host: &dyn Host) {
        self.look(host);
        let due: Vec<Feature> = self
            .timers
            .iter()
            .filter(|(_, timer)| timer.is_due(host.elapsed()))
            .map(|(feature, _)| *feature)
            .collect();
        for feature in due {
            let permitted = self.permitted(host, feature);
            let result = permitted.and_then(|permitted| match permitted {
                true => self.tasks.step(host, feature).map(Some),
                false => Ok(None),
            });
            self.note_result(host, feature, result);
        }
        let elapsed = host.elapsed();
        if self
            .subscription
            .as_ref()
            .is_some_and(|timer| timer.is_due(elapsed))
        {
            self.subscribe(host);
        }
        // Whatever keeps a round from its end, what is known is not younger than that.
        let ended = |feature| self.rounds.get(&feature).copied().unwrap_or_default();
        let read_at = ReadAt {
            users: ended(Feature::Users),
            groups: ended(Feature::Groups),
            roles: ended(Feature::Roles),
        };
        self.tasks.publish(host, read_at);
    }

    /// Reacts to what came.
    fn take(&mut self, host: &dyn Host, mail: Mail) {
        if mail.reloaded {
            // Policies may name other groups and roles.
            for feature in [Feature::Groups, Feature::Roles] {
                self.hurry(feature);
            }
        }
        for answer in mail.everything {
            if self.timers.is_empty() {
                drop(answer.send(Vec::new()));
                continue;
            }
            // Whoever hung up waits no longer; nor does one too many, who is told that it was not done.
            self.waiting.retain(|waiting| !waiting.answer.is_closed());
            if self.waiting.len() >= MOST_WAITING {
                continue;
            }
            self.waiting.push(Waiting {
                answer,
                results: BTreeMap::new(),
            });
            // Permissions may have been given just now.
            self.tasks.forget_token();
            self.timers.values_mut().for_each(Timer::hurry);
        }
        if mail.subscription {
            self.renew = true;
            self.subscription.iter_mut().for_each(Timer::hurry);
        }
        if mail.missed {
            self.hurry(Feature::Users);
        }
        if !self.timers.contains_key(&Feature::Users) {
            return;
        }
        for guid in mail.users {
            if self.pending.len() < MOST_PENDING || self.pending.contains(&guid) {
                self.pending.insert(guid);
            } else {
                // Too many to look at one by one: what changed of them is among the changes.
                self.hurry(Feature::Users);
            }
        }
        for encrypted in mail.encrypted {
            // Only of somebody who is looked at too: what a notification says may be older than what is known.
            if self.pending.contains(&encrypted.user)
                && let Err(what) = self.tasks.open(host, &encrypted)
            {
                host.tell(&format!("entra: a notification: {what}"));
            }
        }
    }

    /// Looks at the users that notifications named.
    fn look(&mut self, host: &dyn Host) {
        if !self.looks.is_due(host.elapsed()) {
            return;
        }
        for guid in self.pending.clone() {
            match self.tasks.look(host, guid) {
                Ok(()) => drop(self.pending.remove(&guid)),
                Err(GraphError::NotFound) => {
                    // Deleted, or not yet everywhere: the changes tell.
                    self.pending.remove(&guid);
                    self.hurry(Feature::Users);
                }
                Err(error) => {
                    self.looks.failed(host.elapsed(), error.wait(), random());
                    return;
                }
            }
        }
        self.looks.done(host.elapsed());
    }

    fn hurry(&mut self, feature: Feature) {
        if let Some(timer) = self.timers.get_mut(&feature)
            && !timer.is_failing()
        {
            timer.hurry();
        }
    }

    /// Whether the application has the permission for a feature; what it lacks is told once.
    fn permitted(&mut self, host: &dyn Host, feature: Feature) -> Result<bool, GraphError> {
        let needs_users = matches!(feature, Feature::Groups | Feature::Roles);
        let has_users =
            self.timers.contains_key(&Feature::Users) && !self.told.contains_key(&Feature::Users);
        if needs_users && !has_users {
            let why =
                "it needs `users`, which is off: nobody knows whose groups and roles they are";
            self.turn_off(host, feature, why.to_owned());
            return Ok(false);
        }
        // A token without roles may be one that only Graph reads: Graph answers 403 then.
        let roles = self.tasks.roles(host)?;
        let Some(lacks) = roles.and_then(|roles| feature.lacks(&roles)) else {
            return Ok(true);
        };
        self.turn_off(host, feature, lacks);
        Ok(false)
    }

    fn turn_off(&mut self, host: &dyn Host, feature: Feature, why: String) {
        if self.told.get(&feature) != Some(&why) {
            host.tell(&format!("entra: {} is off: {why}", feature.name()));
            self.told.insert(feature, why.clone());
        }
        self.tasks.give_up(feature);
        self.shared.status.change(feature, |it| it.off = Some(why));
    }

    fn subscribe(&mut self, host: &dyn Host) {
        let (Some(settings), Some(timer)) = (&self.settings.notifications, &mut self.subscription)
        else {
            return;
        };
        let note = subscription_note(&self.settings.tenant);
        let result = self.tasks.subscribe(host, settings, &note, self.renew);
        match result {
            Ok((wait, is_new)) => {
                self.renew = false;
                timer.done(host.elapsed());
                timer.due_in(host.elapsed(), wait);
                if is_new {
                    // Between two subscriptions nobody was notified.
                    self.hurry(Feature::Users);
                }
            }
            Err(error) => {
                timer.failed(host.elapsed(), error.wait(), random());
                if !matches!(error, GraphError::Throttled(_)) {
                    host.tell(&format!("entra: the subscription to changes: {error}"));
                }
                self.shared.subscription.failed(&error);
            }
        }
    }

    fn note_result(
        &mut self,
        host: &dyn Host,
        feature: Feature,
        result: Result<Option<bool>, GraphError>,
    ) {
        let elapsed = host.elapsed();
        let Some(timer) = self.timers.get_mut(&feature) else {
            return;
        };
        let was_failing = timer.is_failing();
        let status = &self.shared.status;
        let outcome = match &result {
            Ok(Some(true)) => {
                timer.done(elapsed);
                self.told.remove(&feature);
                self.rounds.insert(feature, host.now().as_secs());
                if feature == Feature::Users {
                    host.alive();
                }
                status.change(feature, |it| {
                    it.off = None;
                    it.problem = None;
                    it.read_at = host.now().as_secs();
                });
                Some(Ok(()))
            }
            Ok(Some(false)) => {
                timer.goes_on(elapsed);
                None
            }
            Ok(None) => {
                timer.forbidden(elapsed);
                let condition = status.features().remove(feature.name());
                Some(Err(condition.and_then(|it| it.off).unwrap_or_default()))
            }
            Err(GraphError::Forbidden(code)) => {
                timer.forbidden(elapsed);
                let what = feature.lacks(&[]).unwrap_or_default();
                let why = format!("Graph answers 403 ({code}); perhaps {what}");
                self.turn_off(host, feature, why.clone());
                Some(Err(why))
            }
            // What is too old is read anew at once; before that came to its end it is a failure like others.
            Err(GraphError::Gone) if !was_failing => {
                timer.failed(elapsed, None, 0);
                timer.hurry();
                None
            }
            Err(error) => {
                timer.failed(elapsed, error.wait(), random());
                let words = error.to_string();
                status.change(feature, |it| {
                    // A pause that Graph asks for is no news each time.
                    if it.problem.as_ref() != Some(&words)
                        && !matches!(error, GraphError::Throttled(_))
                    {
                        host.tell(&format!("entra: {}: {words}", feature.name()));
                    }
                    it.problem = Some(words.clone());
                });
                Some(Err(words))
            }
        };
        if matches!(result, Ok(Some(true))) && was_failing {
            // Things are well again: nobody waits for the end of a long pause.
            for timer in self.timers.values_mut().filter(|timer| timer.is_failing()) {
                timer.hurry();
            }
        }
        if let Some(outcome) = outcome {
            if feature == Feature::Policies
                && let Err(why) = &outcome
            {
                self.shared.policies.not_read(why);
            }
            self.answer(feature, outcome);
        }
    }

    /// Tells those who wait, once every feature was read or was not.
    fn answer(&mut self, feature: Feature, outcome: Result<(), String>) {
        for waiting in &mut self.waiting {
            waiting.results.insert(feature, outcome.clone());
        }
        let all = self.timers.len();
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.results.len() >= all);
        self.waiting = waiting;
        for Waiting { answer, results } in done {
            let results = results
                .into_iter()
                .map(|(feature, result)| (feature.name(), result));
            // Whoever asked may have gone.
            drop(answer.send(results.collect()));
        }
    }
}

/// The policies that an earlier process kept.
pub(crate) fn kept_policies(tenant: &str, notes: &[(String, Vec<u8>)]) -> Option<Documents> {
    let name = policies_note(tenant);
    let (_, value) = notes.iter().find(|(known, _)| *known == name)?;
    serde_json::from_slice(value).ok()
}

/// Under which name policies in force are kept.
pub(crate) fn policies_note(tenant: &str) -> String {
    format!("{}policies", notes_of(tenant))
}

/// Policies in the form in which they are kept.
pub(crate) fn policies_value(documents: &Documents) -> Vec<u8> {
    json::to_text(documents).into_bytes()
}
