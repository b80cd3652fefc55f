//! A tenant that a service reads: its key, what is known about it, and its place in the engine configuration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cae_core::configuration::Configuration;
use cae_core::json::{Map, Value};
use cae_core::state::record::TransmitterId;
use cae_core::token::issuer_match::{resolve_issuer, scope_of};
use serde_json::json;

use super::directory::Wanted;
use super::inbox::Inbox;
use super::live::Live;
use super::policies::{Documents, Policies};
use super::reader::{Reader, Shared, kept_policies, notes_of};
use super::status::Status;
use super::subscription::Subscription;
use crate::serve::service::Service;
use crate::serve::settings::entra::{Entra, Feature};
use crate::serve::settings::{ENTRA, Transmitter};
use crate::signing::{KeyError, SigningKey};

/// How long a reader waits for a store that cannot be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// A tenant that is read.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) settings: Entra,
    /// The `iss` of its events.
    pub(crate) transmitter: String,
    /// Signs them; nobody else has it.
    pub(crate) key: SigningKey,
    jwks: Value,
    pub(crate) inbox: Inbox,
    pub(crate) shared: Arc<Shared>,
}

/// What a tenant came to in an engine configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Woven {
    /// The issuer by whose name its users are called.
    pub(crate) issuer: String,
    /// Ids of the groups that policies name, in lower case.
    pub(crate) groups: BTreeSet<String>,
    /// Template ids of the directory roles that policies name, likewise.
    pub(crate) roles: BTreeSet<String>,
}

impl Tenant {
    /// A tenant with what `notes` say of it.
    ///
    /// # Errors
    /// No key can be made.
    pub(crate) fn new(settings: Entra, notes: &[(String, Vec<u8>)]) -> Result<Self, KeyError> {
        let key = SigningKey::generate(Some("EdDSA"), None)?;
        let in_force = settings
            .features
            .contains(&Feature::Policies)
            .then(|| kept_policies(&settings.tenant, notes))
            .flatten();
        Ok(Self {
            // One name in every cloud, so that a tenant's records are its own wherever it is read from.
            transmitter: format!("https://graph.microsoft.com/{}", settings.tenant),
            jwks: key.jwks()?,
            key,
            inbox: Inbox::default(),
            shared: Arc::new(Shared {
                status: Status::default(),
                policies: Policies::new(in_force),
                subscription: Subscription::default(),
                directory: Arc::default(),
            }),
            settings,
        })
    }

    /// For `/readyz`.
    pub(crate) fn view(&self) -> Value {
        let shared = &self.shared;
        let subscription = self.settings.notifications.as_ref();
        let subscription = subscription.map(|_| shared.subscription.shown());
        shared.status.view(&shared.policies, subscription)
    }

    /// What stands in `settings.transmitters` for others. Nobody sends its events: the endpoint of this name is closed.
    pub(crate) fn as_transmitter(&self) -> Transmitter {
        Transmitter::that_pushes(ENTRA.to_owned(), self.transmitter.clone())
    }

    /// Starts the thread that reads the tenant. It goes on where `notes` say that the one before had come to; without them it
    /// asks the store, as often as it takes: who was deleted meanwhile is only known from them.
    pub(crate) fn start(
        self: &Arc<Self>,
        service: &Arc<Service>,
        notes: Option<&[(String, Vec<u8>)]>,
    ) -> std::io::Result<()> {
        let live = Live {
            service: Arc::clone(service),
            tenant: Arc::clone(self),
            began: Instant::now(),
        };
        let prefix = notes_of(&self.settings.tenant);
        let own = |notes: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
            let own = notes.iter().filter(|(name, _)| name.starts_with(&prefix));
            own.cloned().collect()
        };
        let mut notes = notes.map(own);
        let run = move || {
            let tenant = &live.tenant;
            let notes = loop {
                if let Some(notes) = notes.take() {
                    break notes;
                }
                notes = live.service.store.notes(&prefix).ok();
                if notes.is_none() && tenant.inbox.pause(STORE_PAUSE) {
                    return;
                }
            };
            let mut reader = Reader::new(
                tenant.settings.clone(),
                TransmitterId::of(&tenant.transmitter),
                Arc::clone(&tenant.shared),
                &notes,
            );
            drop(notes);
            reader.run(&live, |at_most| tenant.inbox.take(at_most));
        };
        thread::Builder::new()
            .name("entra".to_owned())
            .spawn(run)
            .map(drop)
    }

    /// Puts the tenant into an engine configuration: the issuer if it is not there, the transmitter, the policies.
    ///
    /// # Errors
    /// The issuer that is named is not there.
    pub(crate) fn weave(
        &self,
        engine: &mut Map<String, Value>,
        documents: Option<&Documents>,
    ) -> Result<Woven, String> {
        let settings = &self.settings;
        let (issuers, names) = self.issuers(engine)?;
        if let Some(documents) = documents {
            documents.put(engine, &issuers);
        }
        let transmitter = json!({
            "issuer": self.transmitter,
            "audience": self.transmitter,
            "algorithms": ["EdDSA"],
            "jwks": self.jwks,
            "speaksFor": names,
            "actsForIssuer": true,
            // Registering a factor is what Entra tells of; whoever did it, older tokens show none.
            "mfaEnabledByUser": true,
        });
        let transmitters = engine.entry("transmitters").or_insert_with(|| json!([]));
        if let Value::Array(transmitters) = transmitters {
            transmitters.push(transmitter);
        }
        let mut woven = Woven {
            issuer: names
                .first()
                .map(|name| name.replace("{tenantid}", &settings.tenant))
                .unwrap_or_default(),
            ..Woven::default()
        };
        woven.collect(&Value::Object(engine.clone()));
        Ok(woven)
    }

    /// Indexes and URLs of the issuers whose users the tenant's are.
    fn issuers(
        &self,
        engine: &mut Map<String, Value>,
    ) -> Result<(Vec<usize>, Vec<String>), String> {
        let settings = &self.settings;
        let issuers = engine.entry("issuers").or_insert_with(|| json!([]));
        // Whatever else it is, the engine says what is wrong with it.
        let Value::Array(issuers) = issuers else {
            return Ok((Vec::new(), Vec::new()));
        };
        let text = |issuer: &Value, name: &str| {
            issuer
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let lists = |issuer: &Value, name: &str, wanted: &str| {
            let list = issuer.get(name).and_then(Value::as_array);
            let mut list = list.into_iter().flatten().filter_map(Value::as_str);
            list.any(|it| it.eq_ignore_ascii_case(wanted))
        };
        let is_its = |issuer: &Value| match &settings.issuer {
            Some(named) => {
                text(issuer, "issuer") == *named || lists(issuer, "issuerAliases", named)
            }
            None => {
                text(issuer, "issuer")
                    .to_lowercase()
                    .contains(&settings.tenant)
                    || lists(issuer, "tenants", &settings.tenant)
            }
        };
        let mut found: Vec<(usize, String)> = issuers
            .iter()
            .enumerate()
            .filter(|(_, issuer)| is_its(issuer))
            .map(|(index, issuer)| (index, text(issuer, "issuer")))
            .collect();
        if found.is_empty() {
            if settings.issuer.is_some() {
                return Err("/entra/issuer: is not among engine.issuers".to_owned());
            }
            // SPEC: <https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>.
            let url = format!("{}/{}/v2.0", settings.issuers, settings.tenant);
            found.push((issuers.len(), url.clone()));
            issuers.push(json!({
                "issuer": url,
                "claims": "entra-v2",
                "algorithms": ["RS256"],
                "jwksUri": format!("{}/{}/discovery/v2.0/keys", settings.login, settings.tenant),
                "challenge": "entra",
            }));
        }
        Ok(found.into_iter().unzip())
    }
}

impl Woven {
    /// What is wanted of the users of the tenant, under this configuration.
    pub(crate) fn wanted(&self, configuration: &Configuration) -> Wanted {
        let speaker = resolve_issuer(configuration, &self.issuer);
        let scope = speaker.and_then(|(index, tenant)| {
            let issuer = configuration.issuers.get(index)?;
            Some(scope_of(issuer, tenant.as_deref()))
        });
        Wanted {
            issuer: self.issuer.clone(),
            groups: self.groups.clone(),
            roles: self.roles.clone(),
            scope: scope.unwrap_or_default(),
        }
    }

    /// Collects what policies name, wherever they stand.
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let ids = match name.as_str() {
                        "includeGroups" | "excludeGroups" => &mut self.groups,
                        "includeRoles" | "excludeRoles" => &mut self.roles,
                        _ => {
                            self.collect(value);
                            continue;
                        }
                    };
                    let named = value
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str);
                    ids.extend(named.map(str::to_lowercase));
                }
            }
            Value::Array(list) => list.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_that_is_added_is_not_where_tokens_are_asked_for() {
        let settings = Entra {
            login: "https://login.chinacloudapi.cn".to_owned(),
            issuers: "https://login.partner.microsoftonline.cn".to_owned(),
            ..Entra::example()
        };
        let tenant = Tenant::new(settings, &[]).unwrap();
        let mut engine = Map::new();
        let woven = tenant.weave(&mut engine, None).unwrap();
        let issuer =
            "https://login.partner.microsoftonline.cn/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0";
        assert_eq!(woven.issuer, issuer);
        let added = engine.get("issuers").unwrap();
        assert_eq!(added[0]["issuer"], issuer);
        let keys = added[0]["jwksUri"].as_str().unwrap();
        assert!(
            keys.starts_with("https://login.chinacloudapi.cn/"),
            "{keys}"
        );
    }
}
