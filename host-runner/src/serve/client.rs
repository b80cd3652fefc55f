//! Requests that go out: keys, metadata, streams, tokens. Bounded in time and size; redirects are not followed.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime};

use cae_core::json::{self, Limits, Value};
use ureq::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use ureq::http::{Method, Request, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// Most bytes of an answer: a poll with a thousand large SETs.
const MOST: u64 = 32 << 20;

/// Chooses the cryptography of TLS, once.
pub(crate) fn install_tls() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error says that the process chose a provider before, which is its right.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
}

/// Sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Client(Agent);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    /// The value of `Authorization`.
    pub(crate) authorization: Option<&'a str>,
    pub(crate) headers: &'a [(&'static str, String)],
    /// Its content type, and the body.
    pub(crate) body: Option<(&'static str, String)>,
}

/// An answer with a status, whatever it is.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NoReply(pub(crate) String);

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoReply {}

impl Client {
    /// A client that trusts the authorities in this PEM file instead of the public ones.
    ///
    /// # Errors
    /// The file holds no certificates.
    pub(crate) fn new(authorities: Option<&Path>) -> Result<Self, String> {
        install_tls();
        let roots = match authorities {
            None => RootCerts::WebPki,
            Some(file) => RootCerts::Specific(Arc::new(certificates(file)?)),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("cae/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(20)))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self(config.new_agent()))
    }

    /// Sends a request. `patience` is how long its answer may take.
    pub(crate) fn send(
        &self,
        method: Method,
        url: &str,
        authorization: Option<&str>,
        body: Option<(&'static str, String)>,
        patience: Duration,
    ) -> Result<Reply, NoReply> {
        self.ask(
            Ask {
                method,
                url,
                authorization,
                headers: &[],
                body,
            },
            patience,
        )
    }

    /// The same, with further headers.
    pub(crate) fn ask(&self, ask: Ask<'_>, patience: Duration) -> Result<Reply, NoReply> {
        let mut request = Request::builder().method(ask.method).uri(ask.url);
        request = request.header("accept", "application/json");
        for (name, value) in ask.headers {
            request = request.header(*name, value);
        }
        if let Some(authorization) = ask.authorization {
            let mut value = HeaderValue::from_str(authorization)
                .map_err(|_| NoReply("the credential is no header value".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let reply = match ask.body {
            Some((kind, body)) => {
                let request = request.header("content-type", kind).body(body);
                let request = request.map_err(no_reply)?;
                let request = self.0.configure_request(request);
                let request = request.timeout_global(Some(patience)).build();
                self.0.run(request)
            }
            None => {
                let request = request.body(()).map_err(no_reply)?;
                let request = self.0.configure_request(request);
                let request = request.timeout_global(Some(patience)).build();
                self.0.run(request)
            }
        };
        read(reply.map_err(no_reply)?)
    }

    /// Fetches a JSON document.
    pub(crate) fn fetch(&self, url: &str, authorization: Option<&str>) -> Result<Value, NoReply> {
        let reply = self.send(Method::GET, url, authorization, None, PATIENCE)?;
        if reply.status != StatusCode::OK {
            return Err(NoReply(format!("{url} answers {}", reply.status.as_u16())));
        }
        reply
            .json()
            .ok_or_else(|| NoReply(format!("{url} answers no JSON")))
    }
}

/// The longest wait that a sender can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// How long most answers may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

fn read(reply: ureq::http::Response<Body>) -> Result<Reply, NoReply> {
    let (parts, mut body) = reply.into_parts();
    let body = body.with_config().limit(MOST).read_to_vec();
    Ok(Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.map_err(no_reply)?,
    })
}

fn no_reply(error: impl fmt::Display) -> NoReply {
    NoReply(error.to_string())
}

pub(crate) fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let items = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        return Err(format!("{}: holds no certificate in PEM", file.display()));
    }
    Ok(found)
}

impl Reply {
    /// The body as JSON, read as strictly as everything else.
    pub(crate) fn json(&self) -> Option<Value> {
        json::parse(&self.body, Limits::DOCUMENT).ok()
    }

    /// How long the sender asks to be left alone (RFC 9110 §10.2.3): seconds, or until a date. Who asks for longer than an
    /// hour is asked again then: nobody can keep events away for ever by saying so once.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let asked = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let seconds = asked.parse().map(Duration::from_secs);
        let wait = seconds.or_else(|_| {
            let date = httpdate::parse_http_date(asked).map_err(drop)?;
            Ok::<_, ()>(date.duration_since(SystemTime::now()).unwrap_or_default())
        });
        wait.ok().map(|wait| wait.min(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        let reply = Reply {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: Vec::new(),
        };
        reply.retry_after()
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_as_a_date() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        let soon = SystemTime::now() + Duration::from_secs(90);
        let wait = asked(&httpdate::fmt_http_date(soon)).unwrap();
        assert!((80..=90).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("999999999999"), Some(LONGEST_WAIT));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
    }
}
