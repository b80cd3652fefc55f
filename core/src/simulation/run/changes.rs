//! What administrators, users and owners of keys change.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{At, Run};
use crate::engine::Conversation;
use crate::json::{self, Limits, Map, Value};
use crate::simulation::expect::{ExpectationKey as Key, Findings};
use crate::simulation::host::HostError;
use crate::simulation::model::{AccountChange, KeyOwner, Mover, Network, PolicyChange, Step};
use crate::simulation::report::{Lane, LineKind};
use crate::simulation::summary;

impl<C: Conversation> Run<'_, '_, C> {
    pub(super) fn change_account(
        &mut self,
        at: At,
        step: &Step,
        user: &str,
        change: &AccountChange,
    ) {
        let good = self.authority.change(user, change, at.time);
        let found = good.map(|good| if good { "valid" } else { "revoked" });
        let issuer = self
            .scenario
            .users
            .get(user)
            .map(|user| user.issuer.clone());
        let line = self.line(
            at,
            LineKind::AccountChange,
            Lane::Administrator,
            Lane::Issuer(issuer.unwrap_or_default()),
            summary::account_change(user, change),
        );
        self.emit(step, line, &alloc::vec![(Key::RefreshTokens, found.into())]);
    }

    /// Where policies of `issuer`, or of all, stand in the configuration.
    fn configured<'e>(
        &self,
        engine: &'e mut Map<String, Value>,
        issuer: Option<&str>,
    ) -> Option<&'e mut Map<String, Value>> {
        let Some(name) = issuer else {
            return Some(engine);
        };
        let url = &self.scenario.issuers.get(name)?.configured_as;
        let issuers = engine.get_mut("issuers")?.as_array_mut()?;
        let entry = issuers
            .iter_mut()
            .find(|entry| entry.get("issuer").and_then(Value::as_str) == Some(url));
        entry?.as_object_mut()
    }

    pub(super) fn change_policies(
        &mut self,
        at: At,
        step: &Step,
        change: &PolicyChange,
    ) -> Result<(), HostError<C::Error>> {
        let mut engine = self.engine.clone();
        if let Some(place) = self.configured(&mut engine, change.issuer.as_deref()) {
            for (name, list) in [
                ("policies", &change.policies),
                ("namedLocations", &change.named_locations),
            ] {
                if let Some(list) = list {
                    place.insert(name.to_string(), list.clone());
                }
            }
        }
        if let Some(settings) = &change.settings {
            let old = engine.entry("settings").or_insert(Value::Null);
            merge_patch(old, settings);
        }
        let faults = self.host.reconfigure(&engine)?;
        let count = count(&faults);
        let mut outdated = 0;
        if count == Some(0) {
            self.engine = engine;
            outdated = self.host.engine.outdated_tokens(at.time)?;
        }
        let summary = summary::policy_change(count, outdated);
        let mut line = self.line(
            at,
            LineKind::PolicyChange,
            Lane::Administrator,
            Lane::Resource,
            summary,
        );
        line.faults = Some(faults);
        let findings = alloc::vec![
            (Key::Faults, count.into()),
            (Key::OutdatedTokens, outdated.into()),
        ];
        self.emit(step, line, &findings);
        Ok(())
    }

    pub(super) fn clear_state(
        &mut self,
        at: At,
        step: &Step,
        subject: &str,
        issuer: Option<&str>,
    ) -> Result<(), HostError<C::Error>> {
        let cleared = self.host.clear(&self.engine, subject, issuer, at.time)?;
        let (changes, faults) = (
            cleared.as_ref().map_or(0, |count| *count),
            usize::from(cleared.is_err()),
        );
        let summary =
            summary::state_clear(subject, cleared.as_ref().copied().map_err(String::as_str));
        let line = self.line(
            at,
            LineKind::StateClear,
            Lane::Administrator,
            Lane::Resource,
            summary,
        );
        let findings = alloc::vec![(Key::Changes, changes.into()), (Key::Faults, faults.into())];
        self.emit(step, line, &findings);
        Ok(())
    }

    pub(super) fn relocate(&mut self, at: At, step: &Step, who: &Mover, network: &Network) {
        self.authority.relocate(who, network);
        let lane = match who {
            Mover::User(user) => Lane::User(user.clone()),
            Mover::Client(client) => Lane::Client(client.clone()),
        };
        let summary = summary::network_change(who, network);
        let line = self.line(at, LineKind::NetworkChange, lane.clone(), lane, summary);
        self.emit(step, line, &Findings::new());
    }

    pub(super) fn rotate_keys(
        &mut self,
        at: At,
        step: &Step,
        owner: &KeyOwner,
        signing: Option<&str>,
        published: Option<&[String]>,
        fetched: bool,
    ) -> Result<(), HostError<C::Error>> {
        let (ring, url, lane) = match owner {
            KeyOwner::Issuer(name) => (
                self.authority.rings.get_mut(name.as_str()),
                self.scenario.issuers.get(name).map(|it| &it.configured_as),
                Lane::Issuer(name.clone()),
            ),
            KeyOwner::Transmitter(name) => (
                self.transmitters.get_mut(name.as_str()),
                self.scenario.transmitters.get(name).map(|it| &it.issuer),
                Lane::Transmitter(name.clone()),
            ),
        };
        let (Some(ring), Some(url)) = (ring, url) else {
            return Ok(());
        };
        if let Some(signing) = signing {
            signing.clone_into(&mut ring.signing);
        }
        if let Some(published) = published {
            published.clone_into(&mut ring.published);
        }
        let summary = summary::key_rotation(ring, fetched);
        let jwks = ring.jwks();
        let faults = self.host.rotate(url, jwks, fetched)?;
        let count = count(&faults);
        let to = if fetched {
            Lane::Resource
        } else {
            lane.clone()
        };
        let mut line = self.line(at, LineKind::KeyRotation, lane, to, summary);
        line.faults = Some(faults);
        self.emit(step, line, &alloc::vec![(Key::Faults, count.into())]);
        Ok(())
    }
}

/// How many faults a JSON list holds; `None` if it is none.
fn count(faults: &str) -> Option<usize> {
    let faults = json::parse(faults.as_bytes(), Limits::DOCUMENT).ok()?;
    faults.as_array().map(Vec::len)
}

/// RFC 7396 §2.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge_patch(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merge_patch_of_rfc_7396() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!(null),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
            (json!({"a": "foo"}), json!(["c"]), json!(["c"])),
        ] {
            let mut found = target;
            merge_patch(&mut found, &patch);
            assert_eq!(found, merged, "{patch}");
        }
    }
}
