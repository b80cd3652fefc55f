//! The subscription to changes of users: made, renewed in time, made again when it is gone.
//!
//! SPEC: <https://learn.microsoft.com/graph/api/subscription-post-subscriptions>,
//! <https://learn.microsoft.com/graph/change-notifications-lifecycle-events>.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cae_core::json::{Map, Value};
use cae_core::policy::date;
use cae_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ureq::http::Method;

use super::encrypted::certificate_id;
use super::graph::{Graph, GraphError};
use super::host::Host;
use super::time::in_seconds;
use crate::serve::client::certificates;
use crate::serve::is_same;
use crate::serve::settings::entra::Notifications;
use crate::signing::fresh_id;
use crate::text::word;

/// What is subscribed to.
const RESOURCE: &str = "/users";
/// The same with what a notification with resource data is to hold.
const RICH_RESOURCE: &str =
    "/users?$select=id,accountEnabled,signInSessionsValidFromDateTime,lastPasswordChangeDateTime";

/// The shortest time between two renewals, whatever Graph gives.
const SOONEST: Duration = Duration::from_secs(10);

/// What is kept of a subscription over a restart.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    id: String,
    client_state: String,
    expires: u64,
    /// What it was made with: another configuration needs another one.
    made_for: String,
}

/// The subscription, as the endpoint and the reader see it.
#[derive(Debug, Default)]
pub(crate) struct Subscription {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    kept: Option<Kept>,
    /// Of a subscription that is being made: it may be used before its id is known.
    coming: Option<String>,
    problem: Option<String>,
}

/// For operators.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) id: Option<String>,
    pub(crate) expires: Option<u64>,
    pub(crate) problem: Option<String>,
}

impl Subscription {
    /// Takes up what an earlier process kept.
    pub(crate) fn restore(&self, note: Option<&[u8]>) {
        self.lock().kept = note.and_then(|note| serde_json::from_slice(note).ok());
    }

    /// Whether a notification carries the secret that only Graph was told.
    pub(crate) fn knows(&self, client_state: &str) -> bool {
        let state = self.lock();
        let kept = state.kept.as_ref().map(|kept| kept.client_state.as_str());
        let known = [kept, state.coming.as_deref()];
        // Each is compared, so that the time does not tell which one it was.
        known.into_iter().flatten().fold(false, |found, known| {
            is_same(known.as_bytes(), client_state.as_bytes()) | found
        })
    }

    pub(crate) fn shown(&self) -> Shown {
        let state = self.lock();
        Shown {
            id: state.kept.as_ref().map(|kept| kept.id.clone()),
            expires: state.kept.as_ref().map(|kept| kept.expires),
            problem: state.problem.clone(),
        }
    }

    /// Graph says that it is gone.
    pub(crate) fn is_gone(&self) {
        self.lock().kept = None;
    }

    pub(crate) fn failed(&self, why: &GraphError) {
        self.lock().problem = Some(why.to_string());
    }

    /// Makes or renews it, if that is due; `renew` asks for it whether or not it is. How long nothing is due then, and whether it
    /// was made anew: then something may have been missed.
    ///
    /// # Errors
    /// It is as it was.
    pub(crate) fn look_after(
        &self,
        graph: &mut Graph,
        host: &dyn Host,
        settings: &Notifications,
        note: &str,
        renew: bool,
    ) -> Result<(Duration, bool), GraphError> {
        let now = host.now();
        let half = settings.lifetime.checked_div(2).unwrap_or_default();
        let kept = self.lock().kept.clone();
        let kept =
            kept.filter(|kept| kept.expires > now.as_secs() && kept.made_for == made_for(settings));
        let (renewed, expires) = match kept {
            Some(kept) => {
                let renew_at = UnixTime::from_secs(kept.expires).saturating_sub(half);
                if renew_at > now && !renew {
                    return Ok((renew_at.since(now), false));
                }
                let expires = self.renew(graph, host, settings, note, kept)?;
                (expires.is_some(), expires)
            }
            None => (false, None),
        };
        let expires = match expires {
            Some(expires) => expires,
            None => self.make(graph, host, settings, note)?,
        };
        self.lock().problem = None;
        // Graph may have given less than was asked for.
        let given = UnixTime::from_secs(expires).since(host.now());
        let half = given.checked_div(2).unwrap_or_default();
        Ok((half.max(SOONEST), !renewed))
    }

    /// When it ends now, if it was there to be renewed.
    fn renew(
        &self,
        graph: &mut Graph,
        host: &dyn Host,
        settings: &Notifications,
        note: &str,
        kept: Kept,
    ) -> Result<Option<u64>, GraphError> {
        let wanted = host.now().saturating_add(settings.lifetime);
        let url = graph.url(&format!("/subscriptions/{}", kept.id));
        let body = json!({"expirationDateTime": in_seconds(wanted)});
        match graph.send(host, Method::PATCH, &url, Some(&body)) {
            Ok(shown) => {
                let expires = expires(&shown, wanted);
                self.keep(host, note, Kept { expires, ..kept });
                Ok(Some(expires))
            }
            Err(GraphError::NotFound) => {
                self.lock().kept = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// When it ends.
    fn make(
        &self,
        graph: &mut Graph,
        host: &dyn Host,
        settings: &Notifications,
        note: &str,
    ) -> Result<u64, GraphError> {
        // Whatever leads here from before carries another secret and would only be refused.
        let listed = graph.page(host, &graph.url("/subscriptions"))?;
        for old in &listed.value {
            if word(old, "notificationUrl") == Some(&settings.uri)
                && let Some(id) = word(old, "id")
            {
                let url = graph.url(&format!("/subscriptions/{id}"));
                match graph.send(host, Method::DELETE, &url, None) {
                    Ok(_) | Err(GraphError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let client_state = fresh_id().map_err(|error| GraphError::Answer(error.to_string()))?;
        self.lock().coming = Some(client_state.clone());
        let wanted = host.now().saturating_add(settings.lifetime);
        let body = body(settings, &client_state, wanted).map_err(GraphError::Answer)?;
        let made = graph.send(
            host,
            Method::POST,
            &graph.url("/subscriptions"),
            Some(&body),
        );
        let shown = match made {
            Ok(shown) => shown,
            Err(error) => {
                self.lock().coming = None;
                return Err(error);
            }
        };
        let id = word(&shown, "id").unwrap_or_default().to_owned();
        let expires = expires(&shown, wanted);
        let kept = Kept {
            id,
            client_state,
            expires,
            made_for: made_for(settings),
        };
        self.keep(host, note, kept);
        self.lock().coming = None;
        Ok(expires)
    }

    fn keep(&self, host: &dyn Host, note: &str, kept: Kept) {
        let value = serde_json::to_vec(&kept).unwrap_or_default();
        if host.note(note, value).is_err() {
            // The process after this one makes another one.
            host.tell("entra: the subscription could not be written down");
        }
        self.lock().kept = Some(kept);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a subscription has to be made anew for.
fn made_for(settings: &Notifications) -> String {
    let certificate = settings.encryption.as_ref().and_then(|(certificate, _)| {
        let chain = certificates(certificate).ok()?;
        Some(certificate_id(chain.first()?.der()))
    });
    format!("{} {}", settings.uri, certificate.unwrap_or_default())
}

fn body(settings: &Notifications, client_state: &str, expires: UnixTime) -> Result<Value, String> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("changeType", "updated,deleted".into());
    put("notificationUrl", settings.uri.clone().into());
    let lifecycle = format!("{}/lifecycle", settings.uri);
    put("lifecycleNotificationUrl", lifecycle.into());
    put("expirationDateTime", in_seconds(expires).into());
    put("clientState", client_state.into());
    put("latestSupportedTlsVersion", "v1_2".into());
    match &settings.encryption {
        None => put("resource", RESOURCE.into()),
        Some((certificate, _)) => {
            let chain = certificates(certificate)?;
            let first = chain.first().ok_or("the chain is empty")?;
            put("resource", RICH_RESOURCE.into());
            put("includeResourceData", true.into());
            put("encryptionCertificate", STANDARD.encode(first.der()).into());
            put(
                "encryptionCertificateId",
                certificate_id(first.der()).into(),
            );
        }
    }
    Ok(Value::Object(body))
}

/// Graph may give less than was asked for.
fn expires(shown: &Value, wanted: UnixTime) -> u64 {
    let given = word(shown, "expirationDateTime").and_then(date::instant);
    given.map_or(wanted, |at| at.floor()).min(wanted).as_secs()
}
