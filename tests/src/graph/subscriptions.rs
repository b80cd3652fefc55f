//! Subscriptions and notifications: <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::delta::encoded;
use super::{CLIENT, Graph, State, TENANT, error, lock};
use crate::server::{Asked, Said};

/// One subscription, as Graph shows it beside what it never shows.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// <https://learn.microsoft.com/graph/api/resources/subscription>
    pub shown: Value,
    /// What every notification carries.
    pub client_state: String,
    /// How often it was renewed.
    pub renewed: u64,
    /// How often it was reauthorized.
    pub reauthorized: u64,
}

pub(super) fn answer(state: &Mutex<State>, asked: &Asked, path: &str) -> Said {
    let id = path.strip_prefix("subscriptions/").unwrap_or_default();
    match (asked.method.as_str(), id) {
        ("GET", "") => {
            let state = lock(state);
            let shown = state.subscriptions.values().map(|it| it.shown.clone());
            Said::json(&json!({"value": shown.collect::<Vec<_>>()}))
        }
        ("POST", "") => create(state, &asked.body),
        ("POST", id) => match id.strip_suffix("/reauthorize") {
            Some(id) => change(state, id, |it| it.reauthorized += 1),
            None => error(404, "ResourceNotFound"),
        },
        ("PATCH", id) => {
            let expires = asked.body["expirationDateTime"].clone();
            change(state, id, |it| {
                it.renewed += 1;
                it.shown["expirationDateTime"] = expires;
            })
        }
        ("DELETE", id) => match lock(state).subscriptions.remove(id) {
            Some(_) => Said::Reply(204, Vec::new(), String::new()),
            None => error(404, "ResourceNotFound"),
        },
        _ => error(405, "Request_BadRequest"),
    }
}

fn change(state: &Mutex<State>, id: &str, change: impl FnOnce(&mut Subscription)) -> Said {
    match lock(state).subscriptions.get_mut(id) {
        Some(found) => {
            change(found);
            Said::json(&found.shown)
        }
        None => error(404, "ResourceNotFound"),
    }
}

/// <https://learn.microsoft.com/graph/api/subscription-post-subscriptions>
fn create(state: &Mutex<State>, wanted: &Value) -> Said {
    let text = |name: &str| wanted[name].as_str().unwrap_or_default().to_owned();
    let required = [
        "changeType",
        "notificationUrl",
        "resource",
        "expirationDateTime",
    ];
    let rich = wanted["includeResourceData"] == true;
    if required.iter().any(|name| text(name).is_empty())
        || text("clientState").len() > 128
        || rich && text("encryptionCertificate").is_empty()
        || rich && text("encryptionCertificateId").is_empty()
    {
        return error(400, "InvalidRequest");
    }
    let shakes = lock(state).shakes_hands;
    for url in [text("notificationUrl"), text("lifecycleNotificationUrl")] {
        let token = "Validation: Testing client application reachability for subscription Request-Id: 5d8cc6bc <&+%>";
        if shakes && !url.is_empty() && !shake_hands(&url, token) {
            return error(400, "ValidationError");
        }
    }
    let mut state = lock(state);
    let id = format!(
        "7f105c7d-2dc5-4530-97cd-{:012}",
        state.subscriptions.len() + 1
    );
    let mut shown = wanted.clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("clientState");
    }
    shown["id"] = json!(id);
    shown["applicationId"] = json!(CLIENT);
    shown["clientState"] = Value::Null;
    let subscription = Subscription {
        shown: shown.clone(),
        client_state: text("clientState"),
        renewed: 0,
        reauthorized: 0,
    };
    state.subscriptions.insert(id, subscription);
    Said::status(201, &shown)
}

fn shake_hands(url: &str, token: &str) -> bool {
    let url = format!("{url}?validationToken={}", encoded(token));
    post(&url, "text/plain; charset=utf-8", "")
        .is_some_and(|(status, body)| status == 200 && body == token)
}

/// Sends something to a URL on this machine: the status and the body of what is answered.
fn post(url: &str, kind: &str, body: &str) -> Option<(u16, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

impl Graph {
    /// What Graph shows of the first subscription.
    #[must_use]
    pub fn subscription(&self) -> Option<Value> {
        let state = self.state();
        state
            .subscriptions
            .values()
            .next()
            .map(|it| it.shown.clone())
    }

    /// Notifies every subscription that a user changed; the statuses of what is answered.
    #[must_use]
    pub fn notify(&self, change: &str, user: &str) -> Vec<u16> {
        self.send(|id, subscription| json!({"value": [item(id, subscription, change, user)]}))
    }

    /// Tells every subscription about itself: `reauthorizationRequired`, `subscriptionRemoved` or `missed`.
    #[must_use]
    pub fn lifecycle(&self, event: &str) -> Vec<u16> {
        let subscriptions = self.state().subscriptions.clone();
        let sent = subscriptions.iter().filter_map(|(id, subscription)| {
            let url = subscription.shown["lifecycleNotificationUrl"].as_str()?;
            let body = json!({"value": [{
                "subscriptionId": id, "subscriptionExpirationDateTime": subscription.shown["expirationDateTime"],
                "tenantId": TENANT, "clientState": subscription.client_state, "lifecycleEvent": event,
            }]});
            post(url, "application/json", &body.to_string())
        });
        sent.map(|(status, _)| status).collect()
    }

    /// Sends to every subscription what `body` makes of it.
    #[must_use]
    pub fn send(&self, body: impl Fn(&str, &Subscription) -> Value) -> Vec<u16> {
        let subscriptions = self.state().subscriptions.clone();
        let sent = subscriptions.iter().filter_map(|(id, subscription)| {
            let url = subscription.shown["notificationUrl"].as_str()?;
            post(url, "application/json", &body(id, subscription).to_string())
        });
        sent.map(|(status, _)| status).collect()
    }
}

/// <https://learn.microsoft.com/graph/api/resources/changenotification>
#[must_use]
pub fn item(id: &str, subscription: &Subscription, change: &str, user: &str) -> Value {
    json!({
        "subscriptionId": id,
        "changeType": change,
        "clientState": subscription.client_state,
        "subscriptionExpirationDateTime": subscription.shown["expirationDateTime"],
        "resource": format!("Users/{user}"),
        "tenantId": TENANT,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User", "@odata.id": format!("Users/{user}"),
            "id": user, "organizationId": TENANT,
        },
    })
}
