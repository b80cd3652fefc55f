//! What operators are told about a tenant: features, requests, notifications.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cae_core::json::Value;
use serde_json::json;

use super::policies::Policies;
use super::subscription::Shown;
use crate::serve::settings::entra::Feature;

/// How a feature is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Condition {
    /// Why it is off.
    pub(crate) off: Option<String>,
    /// When it was last read to its end, in seconds since 1970; 0 is never.
    pub(crate) read_at: u64,
    /// Why it could not be read the last time.
    pub(crate) problem: Option<String>,
}

/// What is counted and known about a tenant.
#[derive(Debug, Default)]
pub(crate) struct Status {
    requests: Mutex<BTreeMap<u16, u64>>,
    features: Mutex<BTreeMap<&'static str, Condition>>,
    pub(crate) users: AtomicU64,
    pub(crate) memberships: AtomicU64,
    pub(crate) notifications_accepted: AtomicU64,
    pub(crate) notifications_refused: AtomicU64,
}

impl Status {
    /// Counts an answer; 0 is none.
    pub(crate) fn count(&self, status: u16) {
        let mut requests = lock(&self.requests);
        let count = requests.entry(status).or_default();
        *count = count.saturating_add(1);
    }

    /// How many requests had which status.
    pub(crate) fn requests(&self) -> BTreeMap<u16, u64> {
        lock(&self.requests).clone()
    }

    pub(crate) fn features(&self) -> BTreeMap<&'static str, Condition> {
        lock(&self.features).clone()
    }

    pub(crate) fn change(&self, feature: Feature, change: impl FnOnce(&mut Condition)) {
        change(lock(&self.features).entry(feature.name()).or_default());
    }

    /// For `/readyz`.
    pub(crate) fn view(&self, policies: &Policies, subscription: Option<Shown>) -> Value {
        let feature = |(name, condition): (&'static str, Condition)| {
            let state = match (&condition.off, condition.read_at) {
                (Some(_), _) => "off",
                (None, 0) => "notYetRead",
                (None, _) => "read",
            };
            json!({
                "name": name,
                "state": state,
                "readAt": (condition.read_at > 0).then_some(condition.read_at),
                "problem": condition.off.or(condition.problem),
            })
        };
        let policies = policies.state();
        json!({
            "policies": {
                "readAt": policies.in_force.map(|documents| documents.read_at),
                "isLastGood": policies.problem.is_some(),
                "problem": policies.problem,
            },
            "features": self.features().into_iter().map(feature).collect::<Vec<_>>(),
            "users": self.users.load(Ordering::Relaxed),
            "memberships": self.memberships.load(Ordering::Relaxed),
            "subscription": subscription.map(|it| json!({
                "id": it.id, "expires": it.expires, "problem": it.problem,
            })),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
