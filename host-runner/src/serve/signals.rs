//! What transmitters send: SETs (RFC 8935) and logout tokens (OpenID Connect Back-Channel Logout 1.0).

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use super::http::{self, Answer, empty};
use super::secret;
use super::service::{Received, Service};
use super::settings::{Delivery, ENTRA};
use super::watched::Watched;
use crate::entra::notifications::{self, LIFECYCLE, NOTIFICATIONS};

/// Most bytes of a SET: the bound of the engine.
const SET_BYTES: usize = 1 << 20;
/// Most bytes of a form with a logout token.
const FORM_BYTES: usize = 128 << 10;

/// Where SETs go: the name of their transmitter follows.
pub(crate) const EVENTS: &str = "/events/";
/// Where logout tokens go.
pub(crate) const LOGOUT: &str = "/backchannel-logout";

/// Answers a transmitter.
pub(crate) async fn answer(service: Arc<Service>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    if let Some(name) = path.strip_prefix(EVENTS) {
        let is_own = name == ENTRA && service.entra.load().is_some();
        let Some(watched) = service.named(name).filter(|_| !is_own) else {
            return empty(StatusCode::NOT_FOUND);
        };
        return match *request.method() {
            Method::POST => push(&service, &watched, request).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        };
    }
    if path == NOTIFICATIONS || path == LIFECYCLE {
        return match service.entra.load_full() {
            Some(tenant) if tenant.settings.notifications.is_some() => {
                notifications::answer(&tenant, request).await
            }
            _ => empty(StatusCode::NOT_FOUND),
        };
    }
    if path == LOGOUT && service.settings.load().signals.backchannel_logout {
        return match *request.method() {
            Method::POST => logout(&service, request).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        };
    }
    empty(StatusCode::NOT_FOUND)
}

async fn push(service: &Service, watched: &Watched, request: Request<Incoming>) -> Answer {
    if let Delivery::Push {
        token: Some(file), ..
    } = &watched.settings.delivery
    {
        let Ok(expected) = secret(file) else {
            service.tell(&format!(
                "{}: the file with its push token cannot be read",
                watched.settings.name
            ));
            return later();
        };
        if !http::bears(&request, &expected) {
            service
                .metrics
                .event(&watched.settings.issuer, "unauthorized");
            return empty(StatusCode::UNAUTHORIZED);
        }
    }
    if kind(&request) != "application/secevent+jwt" {
        return refused(
            "invalid_request",
            "the content type of a SET is application/secevent+jwt",
        );
    }
    let set = match http::body(request, SET_BYTES).await {
        Ok(set) => set,
        Err(error) => return http::text(error.status(), error.words()),
    };
    let Ok(set) = std::str::from_utf8(&set) else {
        return refused("invalid_request", "a SET is ASCII text");
    };
    match service.receive(Some(watched), set.trim()).await {
        Received::Kept => empty(StatusCode::ACCEPTED),
        Received::Rejected(event) => refused(event.code, &event.description),
        Received::Unavailable => later(),
    }
}

/// SPEC: OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8.
async fn logout(service: &Service, request: Request<Incoming>) -> Answer {
    if kind(&request) != "application/x-www-form-urlencoded" {
        return not_logged_out("the content type of a logout is application/x-www-form-urlencoded");
    }
    let form = match http::body(request, FORM_BYTES).await {
        Ok(form) => form,
        Err(error) => return http::text(error.status(), error.words()),
    };
    // A JWT holds nothing that a form would escape.
    let form = std::str::from_utf8(&form).unwrap_or_default();
    let mut tokens = form
        .split('&')
        .filter_map(|pair| pair.strip_prefix("logout_token="));
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return not_logged_out("one `logout_token` is needed");
    };
    match service.receive(None, token.trim()).await {
        Received::Kept => empty(StatusCode::OK),
        Received::Rejected(event) => not_logged_out(&event.description),
        Received::Unavailable => later(),
    }
}

fn kind(request: &Request<Incoming>) -> String {
    let value = request.headers().get(CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

fn refused(err: &str, description: &str) -> Answer {
    let body = json!({"err": err, "description": description}).to_string();
    let mut answer = http::json(StatusCode::BAD_REQUEST, body);
    answer
        .headers_mut()
        .insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    answer
}

fn not_logged_out(description: &str) -> Answer {
    let body = json!({"error": "invalid_request", "error_description": description}).to_string();
    http::json(StatusCode::BAD_REQUEST, body)
}

/// Nothing was kept: the same again, later.
fn later() -> Answer {
    let mut answer = empty(StatusCode::SERVICE_UNAVAILABLE);
    answer
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("2"));
    answer
}
