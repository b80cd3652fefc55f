//! What is measured of a tenant that is read.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Labels, signed};
use crate::entra::tenant::Tenant;

/// Gauges that are set when somebody asks.
#[derive(Default)]
pub(super) struct EntraMetrics {
    requests: Family<Labels, Gauge>,
    throttled: Gauge,
    read_at: Family<Labels, Gauge>,
    off: Family<Labels, Gauge>,
    failing: Family<Labels, Gauge>,
    notifications: Family<Labels, Gauge>,
    users: Gauge,
    memberships: Gauge,
    policies_read_at: Gauge,
    policies_last_good: Gauge,
    subscription_expires: Gauge,
}

impl EntraMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let all = Self::default();
        let registry = registry.sub_registry_with_prefix("entra");
        registry.register(
            "requests",
            "Requests to Graph and the token endpoint by status; 0 is no answer",
            all.requests.clone(),
        );
        registry.register(
            "throttled",
            "Requests that were answered with 429",
            all.throttled.clone(),
        );
        registry.register(
            "last_sync_seconds",
            "When a feature was last read to its end, since 1970; 0 is never",
            all.read_at.clone(),
        );
        registry.register(
            "feature_off",
            "1 where the application lacks the permission",
            all.off.clone(),
        );
        registry.register(
            "feature_failing",
            "1 where the last attempt failed",
            all.failing.clone(),
        );
        registry.register(
            "notifications",
            "Change notifications by what became of them",
            all.notifications.clone(),
        );
        registry.register("users", "Users that are known", all.users.clone());
        registry.register(
            "memberships",
            "Memberships of groups and roles that are known",
            all.memberships.clone(),
        );
        registry.register(
            "policies_read_seconds",
            "When the policies in force were last seen to be those of the tenant, since 1970",
            all.policies_read_at.clone(),
        );
        registry.register(
            "policies_last_good",
            "1 while the policies in force are kept because those of the tenant cannot be read or used",
            all.policies_last_good.clone(),
        );
        registry.register(
            "subscription_expires_seconds",
            "When the subscription to changes ends, since 1970; 0 is none",
            all.subscription_expires.clone(),
        );
        all
    }

    pub(super) fn set(&self, tenant: &Tenant) {
        let one = |name: &'static str, value: &str| Labels(vec![(name, value.to_owned())]);
        let status = &tenant.shared.status;
        let requests = status.requests();
        let throttled = requests.get(&429).copied().unwrap_or_default();
        self.throttled.set(signed(throttled));
        for (status, count) in requests {
            let labels = one("status", &status.to_string());
            self.requests.get_or_create(&labels).set(signed(count));
        }
        for (name, condition) in status.features() {
            let labels = one("feature", name);
            let flag = |is: bool| i64::from(is);
            self.read_at
                .get_or_create(&labels)
                .set(signed(condition.read_at));
            self.off
                .get_or_create(&labels)
                .set(flag(condition.off.is_some()));
            let failing = condition.off.is_none() && condition.problem.is_some();
            self.failing.get_or_create(&labels).set(flag(failing));
        }
        for (result, count) in [
            ("accepted", &status.notifications_accepted),
            ("refused", &status.notifications_refused),
        ] {
            let count = signed(count.load(Ordering::Relaxed));
            let labels = one("result", result);
            self.notifications.get_or_create(&labels).set(count);
        }
        self.users.set(signed(status.users.load(Ordering::Relaxed)));
        let memberships = status.memberships.load(Ordering::Relaxed);
        self.memberships.set(signed(memberships));
        let policies = tenant.shared.policies.state();
        let read_at = policies.in_force.map_or(0, |documents| documents.read_at);
        self.policies_read_at.set(signed(read_at));
        self.policies_last_good
            .set(i64::from(policies.problem.is_some()));
        let expires = tenant.shared.subscription.shown().expires;
        self.subscription_expires.set(signed(expires.unwrap_or(0)));
    }
}
