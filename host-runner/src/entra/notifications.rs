//! The endpoint that Graph notifies. It believes nothing but the secret of the subscription, and only says where to look.
//!
//! SPEC: <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>: answer within ten seconds; what is
//! to be done is done later, by the reader.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cae_core::json::{self, Limits, Value};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, StatusCode};

use super::inbox::Encrypted;
use super::roster::Guid;
use super::tenant::Tenant;
use crate::encoding::form_decoded;
use crate::serve::http::{self, Answer, empty};
use crate::text::{elements, member, word};

/// Where notifications go, on the signals listener.
pub(crate) const NOTIFICATIONS: &str = "/entra/notifications";
/// Where those about the subscription itself go.
pub(crate) const LIFECYCLE: &str = "/entra/notifications/lifecycle";

/// The longest text of a handshake.
const LONGEST_TOKEN: usize = 2_048;
/// Most bytes of one resource, encrypted: a user has a handful of properties.
const RESOURCE_BYTES: usize = 64 << 10;

/// Answers Graph.
pub(crate) async fn answer(tenant: &Tenant, request: Request<Incoming>) -> Answer {
    if request.method() != Method::POST {
        return empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let query = request.uri().query().unwrap_or_default();
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    if let Some((_, token)) = parameters.find(|(name, _)| *name == "validationToken") {
        return shake_hands(token);
    }
    let body = match http::body(request, Limits::EVENT.bytes).await {
        Ok(body) => body,
        Err(error) => return http::text(error.status(), error.words()),
    };
    let Ok(delivery) = json::parse(&body, Limits::EVENT) else {
        return refused(tenant, StatusCode::BAD_REQUEST);
    };
    if !delivery.get("value").is_some_and(Value::is_array) {
        return refused(tenant, StatusCode::BAD_REQUEST);
    }
    take(tenant, &delivery)
}

/// SPEC: "Notification endpoint validation": the decoded token as plain text, within ten seconds.
fn shake_hands(token: &str) -> Answer {
    let token = form_decoded(token).filter(|token| token.len() <= LONGEST_TOKEN);
    let Some(token) = token else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let mut answer = http::text(StatusCode::OK, token);
    // Anybody may send one: no browser takes it for a page.
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn take(tenant: &Tenant, delivery: &Value) -> Answer {
    let (mut accepted, mut refused_items) = (0_u64, 0_u64);
    let tokens: Arc<[String]> = elements(delivery, "validationTokens")
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    for item in elements(delivery, "value") {
        if is_ours(tenant, item) {
            accepted = accepted.saturating_add(1);
            follow(tenant, item, &tokens);
        } else {
            refused_items = refused_items.saturating_add(1);
        }
    }
    let status = &tenant.shared.status;
    status
        .notifications_accepted
        .fetch_add(accepted, Ordering::Relaxed);
    status
        .notifications_refused
        .fetch_add(refused_items, Ordering::Relaxed);
    // Nothing at all in it is ours: whoever sends such may hear it.
    if accepted == 0 && refused_items > 0 {
        return empty(StatusCode::UNAUTHORIZED);
    }
    empty(StatusCode::ACCEPTED)
}

fn is_ours(tenant: &Tenant, item: &Value) -> bool {
    let state = word(item, "clientState").unwrap_or_default();
    let known = tenant.shared.subscription.knows(state);
    let of_tenant =
        word(item, "tenantId").is_none_or(|id| id.eq_ignore_ascii_case(&tenant.settings.tenant));
    known && of_tenant
}

fn follow(tenant: &Tenant, item: &Value, tokens: &Arc<[String]>) {
    let inbox = &tenant.inbox;
    match word(item, "lifecycleEvent") {
        Some("missed") => return inbox.missed(),
        Some("subscriptionRemoved") => {
            tenant.shared.subscription.is_gone();
            inbox.subscription();
            return inbox.missed();
        }
        // `reauthorizationRequired`, or something newer: to renew answers either.
        Some(_) => return inbox.subscription(),
        None => {}
    }
    let data = member(item, "resourceData");
    // Without an id there is still something that changed.
    let Some(guid) = word(data, "id").and_then(Guid::read) else {
        return inbox.missed();
    };
    let content = member(item, "encryptedContent");
    let is_small = word(content, "data").is_some_and(|data| data.len() <= RESOURCE_BYTES);
    if is_small {
        inbox.encrypted(Encrypted {
            user: guid,
            content: content.clone(),
            tokens: Arc::clone(tokens),
        });
    }
    inbox.user(guid);
}

fn refused(tenant: &Tenant, status: StatusCode) -> Answer {
    let refused = &tenant.shared.status.notifications_refused;
    refused.fetch_add(1, Ordering::Relaxed);
    empty(status)
}
