//! `/authorize`: a proxy asks whether a request may pass. 200 with who it is, 401 with the challenge, or 403.
//!
//! nginx makes a 500 of anything else. Whatever cannot be read is a refusal, and identity headers are always sent, also
//! when they are empty, so that none from outside survives.

use std::net::SocketAddr;
use std::sync::Arc;

use cae_core::decision::{Outcome, Request as Question};
use cae_core::engine::{Detail, ProofNeed};
use cae_core::forwarded::client_address;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, FORWARDED, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use hyper::{Request, StatusCode};

use super::engines::header_value;
use super::http::{Answer, empty};
use super::proof::{Presented, prove};
use super::service::{Decided, Service};
use super::settings::Authorization;
use crate::clock;

/// Where proxies ask.
pub(crate) const PATH: &str = "/authorize";

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const SUBJECT: HeaderName = HeaderName::from_static("x-cae-subject");
const TENANT: HeaderName = HeaderName::from_static("x-cae-tenant");
const CLIENT: HeaderName = HeaderName::from_static("x-cae-client");
const SESSION_CONTROLS: HeaderName = HeaderName::from_static("x-cae-session-controls");

/// Whether this path asks for an authorization; Envoy appends the path of the original request.
pub(crate) fn is_asked(path: &str) -> bool {
    path == PATH
        || path
            .strip_prefix(PATH)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Answers a proxy.
pub(crate) async fn authorize(
    service: Arc<Service>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Answer {
    let settings = service.settings.load();
    let settings = &settings.authorization;
    let (parts, _) = request.into_parts();
    let headers = &parts.headers;
    let Ok(presented) = credential(headers) else {
        service.metrics.malformed();
        return empty(StatusCode::FORBIDDEN);
    };
    let (scheme, token) = presented.unwrap_or((None, ""));
    let Ok(original) = original(
        settings,
        headers,
        &parts.method,
        parts.uri.path_and_query().map_or("", |it| it.as_str()),
    ) else {
        service.metrics.malformed();
        return empty(StatusCode::FORBIDDEN);
    };
    let address = address(settings, headers, peer);
    let country = settings
        .country_header
        .as_ref()
        .and_then(|name| single(headers, name));
    let now = clock::now();
    let question = Question {
        now,
        client_ip: address.as_deref(),
        country,
        scheme,
        path: original.path.map(without_query),
        ..Question::default()
    };
    let presented = Presented {
        token,
        headers,
        method: original.method,
        target: original.path,
        under_dpop: scheme == Some("DPoP"),
        certificate_header: settings.certificate_header.as_ref(),
        public_origin: settings.public_origin.as_deref(),
        now,
    };
    let answer_proof = |need: &ProofNeed| prove(need, &presented, &service.proofs);
    let decided = service
        .decide(token, &question, &answer_proof, Detail::None)
        .await;
    answer(&decided)
}

fn answer(decided: &Decided) -> Answer {
    let verdict = &decided.verdict;
    let status = match (verdict.outcome, verdict.status) {
        (Outcome::Allow, _) => StatusCode::OK,
        (_, 401) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let mut answer = empty(status);
    let headers = answer.headers_mut();
    headers.reserve(4);
    if status == StatusCode::OK {
        const NOBODY: [HeaderValue; 3] = [const { HeaderValue::from_static("") }; 3];
        let identity = decided.identity.as_deref();
        let [subject, tenant, client] =
            identity.map_or(NOBODY, |identity| identity.headers.clone());
        headers.insert(SUBJECT, subject);
        headers.insert(TENANT, tenant);
        headers.insert(CLIENT, client);
        headers.insert(
            SESSION_CONTROLS,
            header_value(&decided.session_controls.join(",")),
        );
    } else if let Some(challenge) = &verdict.www_authenticate {
        // The engine writes printable ASCII; anything else would be a fault of it, and no challenge is a refusal too.
        if let Ok(challenge) = HeaderValue::from_str(challenge) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
    }
    answer
}

/// The request that the proxy asks about.
struct Original<'a> {
    method: Option<&'a str>,
    /// The path, with its query.
    path: Option<&'a str>,
}

/// Something that two readers could understand differently.
pub(super) struct Malformed;

/// The token and its scheme, if there is one that is not `Bearer`. Credentials of other schemes are none.
pub(super) fn credential(
    headers: &HeaderMap,
) -> Result<Option<(Option<&'static str>, &str)>, Malformed> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Malformed);
    }
    let Some(value) = first else { return Ok(None) };
    let text = value.to_str().map_err(|_| Malformed)?;
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some((None, token)))
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Ok(Some((Some("DPoP"), token)))
    } else {
        Ok(None)
    }
}

/// A header that is there once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn without_query(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

fn original<'a>(
    settings: &Authorization,
    headers: &'a HeaderMap,
    method: &'a hyper::Method,
    target: &'a str,
) -> Result<Original<'a>, Malformed> {
    if settings.request_is_original {
        let path = target
            .strip_prefix(PATH)
            .filter(|path| path.starts_with('/'));
        return Ok(Original {
            method: Some(method.as_str()),
            path: Some(path.unwrap_or("/")),
        });
    }
    let named = |name: &Option<HeaderName>| match name {
        Some(name) if headers.contains_key(name) => {
            single(headers, name).map(Some).ok_or(Malformed)
        }
        _ => Ok(None),
    };
    Ok(Original {
        method: named(&settings.method_header)?,
        path: named(&settings.uri_header)?,
    })
}

/// The address of the client; none if the proxies do not say it, which is a missing fact where a policy asks for it.
fn address(settings: &Authorization, headers: &HeaderMap, peer: SocketAddr) -> Option<String> {
    use cae_core::forwarded::ForwardingHeader::{Forwarded, XForwardedFor};
    let name = match settings.forwarding_header {
        Forwarded => FORWARDED,
        XForwardedFor => X_FORWARDED_FOR,
    };
    let values: Option<Vec<&str>> = headers
        .get_all(name)
        .iter()
        .map(|it| it.to_str().ok())
        .collect();
    let address = client_address(
        peer.ip(),
        settings.forwarding_header,
        &values?,
        settings.trusted_proxies,
    );
    address.ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn one_credential_or_none() {
        let read = |lines: &[(&'static str, &'static str)]| {
            let headers = headers(lines);
            credential(&headers)
                .map(|found| found.map(|(scheme, token)| (scheme, token.to_owned())))
                .ok()
        };
        let bearer = Some(Some((None, "a.b.c".to_owned())));
        assert_eq!(read(&[("authorization", "Bearer a.b.c")]), bearer);
        assert_eq!(read(&[("authorization", "bearer   a.b.c ")]), bearer);
        assert_eq!(
            read(&[("authorization", "DPoP a")]),
            Some(Some((Some("DPoP"), "a".to_owned())))
        );
        assert_eq!(read(&[("authorization", "Basic YTpi")]), Some(None));
        assert_eq!(read(&[]), Some(None));
        assert_eq!(
            read(&[("authorization", "Bearer")]),
            Some(Some((None, String::new())))
        );
        assert_eq!(
            read(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]),
            None
        );
    }

    #[test]
    fn values_hold_nothing_that_ends_a_header() {
        assert_eq!(header_value("adele"), "adele");
        assert_eq!(header_value("ad\r\nx: y"), "ad%0D%0Ax:%20y");
        assert_eq!(header_value("Zoë 100%"), "Zo%C3%AB%20100%25");
        assert_eq!(header_value(""), "");
    }

    #[test]
    fn the_path_is_told_or_none() {
        assert!(is_asked("/authorize") && is_asked("/authorize/orders"));
        assert!(!is_asked("/authorized") && !is_asked("/"));
    }
}
