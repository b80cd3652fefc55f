//! The reader of a tenant: one loop over everything that is asked of Graph, in one thread.
//!
//! A failing task waits longer and longer and keeps nothing else waiting; when Graph asks for a pause, everybody keeps it.
//! What was learned is on disk before the place in the changes moves on, so whatever breaks in between is learned again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cae_core::json;
use cae_core::state::record::TransmitterId;

use super::graph::{Graph, GraphError};
use super::host::Host;
use super::inbox::{Answer, Mail};
use super::policies::{Documents, Policies, Tags};
use super::roster::Roster;
use super::schedule::Timer;
use super::status::Status;
use super::users::Users;
use crate::component::random;
use crate::serve::settings::entra::{Entra, Feature};

/// The longest wait before somebody looks again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the reader shares with others.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) status: Status,
    pub(crate) policies: Policies,
}

/// The reader of one tenant.
pub(crate) struct Reader {
    settings: Entra,
    transmitter: TransmitterId,
    shared: Arc<Shared>,
    graph: Graph,
    timers: BTreeMap<Feature, Timer>,
    roster: Roster,
    users: Users,
    tags: Tags,
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
        let prefix = notes_of(&settings.tenant);
        let own = || {
            let own = notes.iter();
            own.filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?, value)))
        };
        let text = |name: &str| {
            let found = own().find(|(known, _)| *known == name);
            found.and_then(|(_, value)| String::from_utf8(value.clone()).ok())
        };
        let mut roster = Roster::new(settings.most_users);
        for (name, part) in own() {
            if name.starts_with("users/") {
                roster.restore(part);
            }
        }
        let timers = settings.features.iter().map(|feature| {
            let every = match feature {
                Feature::Policies => settings.policies_every,
                _ => settings.poll_every,
            };
            (*feature, Timer::new(every))
        });
        Self {
            timers: timers.collect(),
            graph: Graph::new(settings.clone()),
            users: Users::from(text("link/users")),
            roster,
            tags: Tags::default(),
            told: BTreeMap::new(),
            waiting: Vec::new(),
            transmitter,
            shared,
            settings,
        }
    }

    /// Reads until it is told to stop. `mail` waits for at most so long.
    pub(crate) fn run(&mut self, host: &dyn Host, mail: impl Fn(Duration) -> Mail) {
        loop {
            let now = host.elapsed();
            let due = self.timers.values().map(Timer::due).min();
            let wait = due.map_or(LONGEST_WAIT, |due| due.saturating_sub(now));
            let mail = mail(wait.min(LONGEST_WAIT));
            if mail.stopped {
                return;
            }
            self.take(host, mail);
            self.work(host);
        }
    }

    /// Does what is due, each task once.
    pub(crate) fn work(&mut self, host: &dyn Host) {
        let due: Vec<Feature> = self
            .timers
            .iter()
            .filter(|(_, timer)| timer.is_due(host.elapsed()))
            .map(|(feature, _)| *feature)
            .collect();
        for feature in due {
            let result = self
                .permitted(host, feature)
                .and_then(|permitted| match permitted {
                    true => self.step(host, feature).map(Some),
                    false => Ok(None),
                });
            if result == Err(GraphError::Stopped) {
                return;
            }
            self.note_result(host, feature, result);
        }
    }

    /// Reacts to what came.
    fn take(&mut self, host: &dyn Host, mail: Mail) {
        for answer in mail.everything {
            self.waiting.push(Waiting {
                answer,
                results: BTreeMap::new(),
            });
            // Permissions may have been given just now.
            self.graph.forget_token();
            self.timers.values_mut().for_each(Timer::hurry);
        }
        for guid in mail.users {
            let id = guid.to_string();
            let looked = self.timers.contains_key(&Feature::Users).then(|| {
                let (graph, roster) = (&mut self.graph, &mut self.roster);
                Users::look(graph, host, self.transmitter, roster, &id)
            });
            if let Some(Err(error)) = looked {
                // Whatever became of that user is among the changes.
                if let Some(timer) = self.timers.get_mut(&Feature::Users)
                    && !timer.is_failing()
                {
                    match error.wait() {
                        Some(wait) => timer.failed(host.elapsed(), Some(wait), random()),
                        None => timer.hurry(),
                    }
                }
                break;
            }
        }
        if mail.missed
            && let Some(timer) = self.timers.get_mut(&Feature::Users)
        {
            timer.hurry();
        }
    }

    /// Whether the application has the permission for a feature; what it lacks is told once.
    fn permitted(&mut self, host: &dyn Host, feature: Feature) -> Result<bool, GraphError> {
        // A token without roles may be one that only Graph reads: Graph answers 403 then.
        let Some(lacks) = self
            .graph
            .roles(host)?
            .and_then(|roles| feature.lacks(&roles))
        else {
            return Ok(true);
        };
        self.turn_off(host, feature, lacks);
        // The next token may say otherwise.
        self.graph.forget_token();
        Ok(false)
    }

    fn turn_off(&mut self, host: &dyn Host, feature: Feature, why: String) {
        if self.told.get(&feature) != Some(&why) {
            host.tell(&format!("entra: {} is off: {why}", feature.name()));
            self.told.insert(feature, why.clone());
        }
        self.shared.status.change(feature, |it| it.off = Some(why));
    }

    /// One part of one task; says whether it is done for now.
    fn step(&mut self, host: &dyn Host, feature: Feature) -> Result<bool, GraphError> {
        match feature {
            Feature::Users => self.read_users(host),
            Feature::Policies => self.read_policies(host),
            _ => Ok(true),
        }
    }

    fn read_users(&mut self, host: &dyn Host) -> Result<bool, GraphError> {
        let (graph, roster) = (&mut self.graph, &mut self.roster);
        let done = self.users.step(graph, host, self.transmitter, roster)?;
        let known = u64::try_from(self.roster.len()).unwrap_or(u64::MAX);
        self.shared.status.users.store(known, Ordering::Relaxed);
        if let Some(link) = self.users.done.take() {
            // The place in the changes comes last: it must not be ahead of what was learned.
            let prefix = notes_of(&self.settings.tenant);
            let kept = self
                .roster
                .take_changed()
                .into_iter()
                .try_for_each(|(number, part)| {
                    host.note(&format!("{prefix}users/{number:02x}"), part)
                });
            let kept =
                kept.and_then(|()| host.note(&format!("{prefix}link/users"), link.into_bytes()));
            if kept.is_err() {
                // The process after this one reads everything anew, and misses nothing.
                host.tell("entra: who is known could not be written down");
            }
            if !self.roster.is_whole() {
                host.tell("entra: there are more users than `mostUsers`: who is deleted during a long outage may be missed");
            }
        }
        Ok(done)
    }

    fn read_policies(&mut self, host: &dyn Host) -> Result<bool, GraphError> {
        let state = self.shared.policies.state();
        let known = state.candidate.or(state.in_force);
        let read = Documents::read(&mut self.graph, host, known.as_deref(), &mut self.tags);
        match read {
            Ok(documents) => {
                self.shared.policies.read(documents);
                Ok(true)
            }
            Err(error) => {
                self.shared.policies.not_read(&error.to_string());
                Err(error)
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
            // What is too old is read anew at once.
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
        if result.is_ok() && was_failing {
            // Things are well again: nobody waits for the end of a long pause.
            for timer in self.timers.values_mut().filter(|timer| timer.is_failing()) {
                timer.hurry();
            }
        }
        if let Some(outcome) = outcome {
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
