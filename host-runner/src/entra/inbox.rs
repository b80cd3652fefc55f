//! What the reader of a tenant is told from outside: look at this user, read everything now, stop.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cae_core::json::Value;
use tokio::sync::oneshot;

use super::roster::Guid;

/// Most users that are looked at one by one; beyond that their changes are asked for together.
const MOST: usize = 64;

/// Whoever asked for a synchronisation hears what came of it, feature by feature.
pub(crate) type Answer = oneshot::Sender<Vec<(&'static str, Result<(), String>)>>;

/// Resource data of a user.
#[derive(Debug)]
pub(crate) struct Encrypted {
    pub(crate) user: Guid,
    pub(crate) content: Value,
    /// They say that Graph sent it; shared by all of one delivery.
    pub(crate) tokens: Arc<[String]>,
}

/// What came since the last time.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) users: BTreeSet<Guid>,
    /// Notifications were lost, or are more than can be followed one by one.
    pub(crate) missed: bool,
    /// The same with resource data.
    pub(crate) encrypted: Vec<Encrypted>,
    /// The subscription needs to be looked after.
    pub(crate) subscription: bool,
    /// Another configuration is in force.
    pub(crate) reloaded: bool,
    pub(crate) everything: Vec<Answer>,
    pub(crate) stopped: bool,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.users.is_empty()
            && !self.missed
            && !self.subscription
            && !self.reloaded
            && self.encrypted.is_empty()
            && self.everything.is_empty()
            && !self.stopped
    }
}

/// Where it is put.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    mail: Mutex<Mail>,
    wake: Condvar,
}

impl Inbox {
    /// A user changed.
    pub(crate) fn user(&self, guid: Guid) {
        self.put(|mail| {
            if mail.users.len() < MOST || mail.users.contains(&guid) {
                mail.users.insert(guid);
            } else {
                mail.missed = true;
            }
        });
    }

    /// Resource data of a user: without room for it the user is looked at all the same.
    pub(crate) fn encrypted(&self, encrypted: Encrypted) {
        self.put(|mail| {
            if mail.encrypted.len() < MOST {
                mail.encrypted.push(encrypted);
            }
        });
    }

    pub(crate) fn reloaded(&self) {
        self.put(|mail| mail.reloaded = true);
    }

    pub(crate) fn missed(&self) {
        self.put(|mail| mail.missed = true);
    }

    pub(crate) fn subscription(&self) {
        self.put(|mail| mail.subscription = true);
    }

    /// Everything is to be read now. `false` if too many wait for that already.
    pub(crate) fn everything(&self, answer: Answer) -> bool {
        let mut taken = false;
        self.put(|mail| {
            if mail.everything.len() < 16 {
                mail.everything.push(answer);
                taken = true;
            }
        });
        taken
    }

    pub(crate) fn stop(&self) {
        self.put(|mail| mail.stopped = true);
    }

    /// Takes what came, and waits for something to come for at most so long.
    pub(crate) fn take(&self, at_most: Duration) -> Mail {
        let mail = self.lock();
        let waited = self
            .wake
            .wait_timeout_while(mail, at_most, |mail| mail.is_empty());
        let mut mail = waited.unwrap_or_else(PoisonError::into_inner).0;
        let stopped = mail.stopped;
        let taken = std::mem::take(&mut *mail);
        mail.stopped = stopped;
        taken
    }

    /// Waits for so long, or for the stop; says whether to stop.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let mail = self.lock();
        let waited = self
            .wake
            .wait_timeout_while(mail, time, |mail| !mail.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.lock());
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
