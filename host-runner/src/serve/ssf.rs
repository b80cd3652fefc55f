//! A transmitter as its receiver sees it (OpenID Shared Signals Framework 1.0): metadata, streams, verification, polling.
//!
//! Blocking, one request after the other; whoever calls decides when. SPEC: `ssf.md` §7, §8 and, for Keycloak, §11.

mod oauth;

use std::fmt;
use std::time::Duration;

use cae_core::json::{Map, Value};
use serde_json::json;
use ureq::http::{Method, StatusCode};

use super::client::{Client, NoReply, PATIENCE, Reply};
use super::settings::{Delivery, Transmitter};
use crate::encoding::percent_encoded;
pub(crate) use oauth::Authority;

/// RFC 8935.
pub(crate) const PUSH: &str = "urn:ietf:rfc:8935";
/// RFC 8936.
pub(crate) const POLL: &str = "urn:ietf:rfc:8936";

/// What its metadata says (SSF §7.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) spec_version: Option<String>,
    pub(crate) configuration_endpoint: Option<String>,
    pub(crate) status_endpoint: Option<String>,
    pub(crate) verification_endpoint: Option<String>,
    pub(crate) add_subject_endpoint: Option<String>,
    pub(crate) default_subjects: Option<String>,
}

/// A stream configuration (SSF §8.1.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Stream {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) events_requested: Vec<String>,
    pub(crate) events_delivered: Vec<String>,
    /// How often verification may be asked for, in seconds.
    pub(crate) min_verification_interval: Option<u64>,
    /// The whole document.
    pub(crate) document: Value,
}

/// Why an operation failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SsfError {
    /// There is no answer.
    Unreachable(String),
    /// The transmitter refuses, with this status.
    Status(u16, Option<Duration>),
    /// The answer is not what the specification asks for.
    Answer(String),
}

impl fmt::Display for SsfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(what) | Self::Answer(what) => f.write_str(what),
            Self::Status(401 | 403, _) => f.write_str(
                "the transmitter refuses the credentials: look at `oauth` or `accessTokenFile`",
            ),
            Self::Status(status, _) => write!(f, "the transmitter answers {status}"),
        }
    }
}

impl std::error::Error for SsfError {}

impl From<NoReply> for SsfError {
    fn from(error: NoReply) -> Self {
        Self::Unreachable(error.0)
    }
}

type Result<T> = std::result::Result<T, SsfError>;

/// A transmitter, and how to talk to it.
#[derive(Debug)]
pub(crate) struct Peer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) settings: &'a Transmitter,
    authority: Authority,
}

impl<'a> Peer<'a> {
    pub(crate) fn new(client: &'a Client, settings: &'a Transmitter) -> Self {
        Self {
            client,
            settings,
            authority: Authority::default(),
        }
    }

    /// Fetches the metadata: from where it is said to be, else by SSF §7.2, else relative to the issuer as Keycloak has
    /// it, else by the earlier drafts. The issuer in it must be the one that was asked for.
    pub(crate) fn discover(&self) -> Result<Metadata> {
        let issuer = self.settings.issuer.as_str();
        let places = match &self.settings.metadata {
            Some(place) => vec![place.clone()],
            None => well_known(issuer),
        };
        let mut last = SsfError::Answer("the issuer is no URL".to_owned());
        for place in places {
            match self.client.fetch(&place, None) {
                Ok(document) => return read_metadata(&document, issuer),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// All streams of this receiver.
    pub(crate) fn streams(&mut self, metadata: &Metadata) -> Result<Vec<Stream>> {
        let endpoint = configuration_endpoint(metadata)?;
        let reply = self.ask(Method::GET, endpoint, None)?;
        match reply.status {
            StatusCode::OK => {}
            // Keycloak says so of a client without a stream.
            StatusCode::NOT_FOUND => return Ok(Vec::new()),
            _ => return Err(refusal(&reply)),
        }
        let document = answered(&reply)?;
        let list = match &document {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        list.iter().map(|it| self.read_stream(it)).collect()
    }

    /// Makes a stream. Only what a receiver may say is sent.
    pub(crate) fn create(
        &mut self,
        metadata: &Metadata,
        push_token: Option<&str>,
    ) -> Result<Stream> {
        let endpoint = configuration_endpoint(metadata)?;
        let body = self.wanted(push_token);
        let reply = self.ask(Method::POST, endpoint, Some(Value::Object(body)))?;
        match reply.status {
            StatusCode::CREATED | StatusCode::OK => self.read_stream(&answered(&reply)?),
            _ => Err(refusal(&reply)),
        }
    }

    /// Makes the stream what the settings ask for; says what it is then. A transmitter that takes no changes (`PATCH`, SSF
    /// §8.1.1.3) is told everything anew (`PUT`, SSF §8.1.1.4).
    pub(crate) fn update(
        &mut self,
        metadata: &Metadata,
        stream: &Stream,
        push_token: Option<&str>,
    ) -> Result<Stream> {
        let endpoint = configuration_endpoint(metadata)?;
        let mut body = self.wanted(push_token);
        body.insert("stream_id".to_owned(), stream.id.clone().into());
        let body = Value::Object(body);
        let mut reply = self.ask(Method::PATCH, endpoint, Some(body.clone()))?;
        if matches!(
            reply.status,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
        ) {
            reply = self.ask(Method::PUT, endpoint, Some(body))?;
        }
        match reply.status {
            StatusCode::OK => self.read_stream(&answered(&reply)?),
            StatusCode::ACCEPTED => Ok(stream.clone()),
            _ => Err(refusal(&reply)),
        }
    }

    /// Whether the stream is what the settings ask for.
    pub(crate) fn fits(&self, stream: &Stream) -> bool {
        let wanted = self.events_wanted();
        let events = wanted
            .iter()
            .all(|event| stream.events_requested.contains(event));
        let delivery = match &self.settings.delivery {
            Delivery::Push { uri, .. } => {
                stream.method == PUSH
                    && uri
                        .as_ref()
                        .is_none_or(|uri| stream.endpoint.as_ref() == Some(uri))
            }
            Delivery::Poll { .. } => stream.method == POLL,
        };
        delivery && (events || stream.events_requested.is_empty())
    }

    pub(crate) fn delete(&mut self, metadata: &Metadata, stream: &str) -> Result<()> {
        let endpoint = with_stream(configuration_endpoint(metadata)?, stream);
        let reply = self.ask(Method::DELETE, &endpoint, None)?;
        match reply.status {
            StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
            _ => Err(refusal(&reply)),
        }
    }

    /// `enabled`, `paused` or `disabled`, and why.
    pub(crate) fn status(
        &mut self,
        metadata: &Metadata,
        stream: &str,
    ) -> Result<(String, Option<String>)> {
        let endpoint = wanted_endpoint(&metadata.status_endpoint, "status_endpoint")?;
        let reply = self.ask(Method::GET, &with_stream(endpoint, stream), None)?;
        read_status(&reply)
    }

    pub(crate) fn set_status(
        &mut self,
        metadata: &Metadata,
        stream: &str,
        status: &str,
    ) -> Result<(String, Option<String>)> {
        let endpoint = wanted_endpoint(&metadata.status_endpoint, "status_endpoint")?.to_owned();
        let body = json!({"stream_id": stream, "status": status});
        let reply = self.ask(Method::POST, &endpoint, Some(body))?;
        match reply.status {
            StatusCode::ACCEPTED => Ok((status.to_owned(), Some("on its way".to_owned()))),
            _ => read_status(&reply),
        }
    }

    /// Asks for a verification event with this `state`.
    pub(crate) fn verify(&mut self, metadata: &Metadata, stream: &str, state: &str) -> Result<()> {
        let endpoint = wanted_endpoint(&metadata.verification_endpoint, "verification_endpoint")?;
        let endpoint = endpoint.to_owned();
        let body = json!({"stream_id": stream, "state": state});
        let reply = self.ask(Method::POST, &endpoint, Some(body))?;
        match reply.status {
            StatusCode::NO_CONTENT | StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
            _ => Err(refusal(&reply)),
        }
    }

    /// Asks for events about a subject (SSF §8.1.3.2).
    pub(crate) fn add_subject(
        &mut self,
        metadata: &Metadata,
        stream: &str,
        subject: &Value,
    ) -> Result<()> {
        let endpoint = wanted_endpoint(&metadata.add_subject_endpoint, "add_subject_endpoint")?;
        let endpoint = endpoint.to_owned();
        let body = json!({"stream_id": stream, "subject": subject});
        let reply = self.ask(Method::POST, &endpoint, Some(body))?;
        match reply.status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            _ => Err(refusal(&reply)),
        }
    }

    /// One poll (RFC 8936 §2.4): acknowledges, reports, and fetches. SETs by their names.
    pub(crate) fn poll(
        &mut self,
        endpoint: &str,
        question: &Poll<'_>,
    ) -> Result<Vec<(String, String)>> {
        let mut body = Map::new();
        body.insert("maxEvents".to_owned(), question.most.into());
        body.insert("returnImmediately".to_owned(), question.at_once.into());
        if !question.acknowledged.is_empty() {
            body.insert("ack".to_owned(), json!(question.acknowledged));
        }
        if !question.rejected.is_empty() {
            let errors = question.rejected.iter().map(|(jti, err, description)| {
                (jti.clone(), json!({"err": err, "description": description}))
            });
            body.insert("setErrs".to_owned(), Value::Object(errors.collect()));
        }
        let patience = if question.at_once {
            PATIENCE
        } else {
            LONG_POLL
        };
        let body = Some(("application/json", Value::Object(body).to_string()));
        let reply = self.send(Method::POST, endpoint, body, patience)?;
        if reply.status != StatusCode::OK {
            return Err(refusal(&reply));
        }
        let document = answered(&reply)?;
        let sets = document.get("sets").and_then(Value::as_object);
        let sets =
            sets.ok_or_else(|| SsfError::Answer("an answer to a poll without `sets`".to_owned()))?;
        let set = |(jti, set): (&String, &Value)| Some((jti.clone(), set.as_str()?.to_owned()));
        Ok(sets.iter().filter_map(set).collect())
    }

    fn wanted(&self, push_token: Option<&str>) -> Map<String, Value> {
        let mut delivery = Map::new();
        match &self.settings.delivery {
            Delivery::Push { uri, .. } => {
                delivery.insert("method".to_owned(), PUSH.into());
                delivery.extend(
                    uri.iter()
                        .map(|uri| ("endpoint_url".to_owned(), uri.clone().into())),
                );
                let header = push_token.map(|token| format!("Bearer {token}"));
                delivery.extend(
                    header.map(|header| ("authorization_header".to_owned(), header.into())),
                );
            }
            Delivery::Poll { .. } => {
                delivery.insert("method".to_owned(), POLL.into());
            }
        }
        let mut body = Map::new();
        body.insert("delivery".to_owned(), Value::Object(delivery));
        body.insert("events_requested".to_owned(), json!(self.events_wanted()));
        body.insert(
            "description".to_owned(),
            "continuous access evaluation".into(),
        );
        body
    }

    /// What is configured, else every type that has an effect on tokens.
    fn events_wanted(&self) -> Vec<String> {
        if self.settings.events_requested.is_empty() {
            let types = cae_core::signal::vocabulary::event_types();
            let standard = ["/secevent/caep/event-type/", "/secevent/risc/event-type/"];
            let is_standard = |uri: &&str| {
                uri.starts_with("https://schemas.openid.net/")
                    && standard.iter().any(|part| uri.contains(part))
            };
            types
                .map(|row| row.uri)
                .filter(is_standard)
                .map(str::to_owned)
                .collect()
        } else {
            self.settings.events_requested.clone()
        }
    }

    fn read_stream(&self, document: &Value) -> Result<Stream> {
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let texts = |name: &str| -> Vec<String> {
            let list = document.get(name).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        // SPEC: SSF §8.1.1.1.1: in responses the receiver must check `iss`.
        if text("iss").as_deref() != Some(self.settings.issuer.as_str()) {
            return Err(SsfError::Answer(
                "the stream has another `iss` than the transmitter".to_owned(),
            ));
        }
        let delivery = document.get("delivery");
        let delivered = |name: &str| delivery.and_then(|it| it.get(name)).and_then(Value::as_str);
        Ok(Stream {
            id: text("stream_id")
                .ok_or_else(|| SsfError::Answer("a stream without `stream_id`".to_owned()))?,
            method: delivered("method").unwrap_or(POLL).to_owned(),
            endpoint: delivered("endpoint_url").map(str::to_owned),
            events_requested: texts("events_requested"),
            events_delivered: texts("events_delivered"),
            min_verification_interval: document
                .get("min_verification_interval")
                .and_then(Value::as_u64),
            document: document.clone(),
        })
    }

    fn ask(&mut self, method: Method, url: &str, body: Option<Value>) -> Result<Reply> {
        let body = body.map(|body| ("application/json", body.to_string()));
        self.send(method, url, body, PATIENCE)
    }

    /// Sends a request with the credentials; once more with fresh ones if they are refused.
    fn send(
        &mut self,
        method: Method,
        url: &str,
        body: Option<(&'static str, String)>,
        patience: Duration,
    ) -> Result<Reply> {
        let credentials = self.settings.credentials.as_ref();
        let authorization = self.authority.header(self.client, credentials)?;
        let reply = self.client.send(
            method.clone(),
            url,
            authorization.as_deref(),
            body.clone(),
            patience,
        )?;
        if reply.status != StatusCode::UNAUTHORIZED || !self.authority.forget() {
            return Ok(reply);
        }
        let authorization = self.authority.header(self.client, credentials)?;
        Ok(self
            .client
            .send(method, url, authorization.as_deref(), body, patience)?)
    }
}

/// How long a poll may be kept open.
const LONG_POLL: Duration = Duration::from_secs(45);

/// What is asked in one poll.
#[derive(Debug, Default)]
pub(crate) struct Poll<'a> {
    pub(crate) most: u64,
    /// Answer even if there is nothing.
    pub(crate) at_once: bool,
    pub(crate) acknowledged: &'a [String],
    /// `jti`, code and description of what cannot be used.
    pub(crate) rejected: &'a [(String, &'static str, String)],
}

/// Where the metadata of an issuer may stand.
fn well_known(issuer: &str) -> Vec<String> {
    let Some((scheme, rest)) = issuer.split_once("://") else {
        return Vec::new();
    };
    let rest = rest.trim_end_matches('/');
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, format!("/{path}")),
        None => (rest, String::new()),
    };
    let mut places = vec![format!(
        "{scheme}://{host}/.well-known/ssf-configuration{path}"
    )];
    if !path.is_empty() {
        places.push(format!(
            "{scheme}://{host}{path}/.well-known/ssf-configuration"
        ));
    }
    places.push(format!(
        "{scheme}://{host}/.well-known/sse-configuration{path}"
    ));
    places.push(format!(
        "{scheme}://{host}/.well-known/risc-configuration{path}"
    ));
    places
}

fn read_metadata(document: &Value, issuer: &str) -> Result<Metadata> {
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    // SPEC: SSF §7.2.4: identical.
    if text("issuer").as_deref() != Some(issuer) {
        return Err(SsfError::Answer(
            "the metadata is that of another issuer: `issuer` must be the same, letter by letter"
                .to_owned(),
        ));
    }
    let endpoint = |name: &str| text(name).filter(|url| super::settings::is_url(url));
    Ok(Metadata {
        spec_version: text("spec_version"),
        configuration_endpoint: endpoint("configuration_endpoint"),
        status_endpoint: endpoint("status_endpoint"),
        verification_endpoint: endpoint("verification_endpoint"),
        add_subject_endpoint: endpoint("add_subject_endpoint"),
        default_subjects: text("default_subjects"),
    })
}

fn configuration_endpoint(metadata: &Metadata) -> Result<&str> {
    wanted_endpoint(&metadata.configuration_endpoint, "configuration_endpoint")
}

fn wanted_endpoint<'m>(endpoint: &'m Option<String>, name: &str) -> Result<&'m str> {
    let missing = || SsfError::Answer(format!("the transmitter offers no `{name}`"));
    endpoint.as_deref().ok_or_else(missing)
}

fn with_stream(endpoint: &str, stream: &str) -> String {
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{separator}stream_id={}", percent_encoded(stream))
}

fn answered(reply: &Reply) -> Result<Value> {
    let no_json = || SsfError::Answer("the transmitter answers no JSON".to_owned());
    reply.json().ok_or_else(no_json)
}

fn refusal(reply: &Reply) -> SsfError {
    SsfError::Status(reply.status.as_u16(), reply.retry_after())
}

fn read_status(reply: &Reply) -> Result<(String, Option<String>)> {
    if reply.status != StatusCode::OK {
        return Err(refusal(reply));
    }
    let document = answered(reply)?;
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let status =
        text("status").ok_or_else(|| SsfError::Answer("a status without `status`".to_owned()))?;
    Ok((status, text("reason")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_transmitters_have_it() {
        assert_eq!(
            well_known("https://tr.example/issuer1/"),
            [
                "https://tr.example/.well-known/ssf-configuration/issuer1",
                "https://tr.example/issuer1/.well-known/ssf-configuration",
                "https://tr.example/.well-known/sse-configuration/issuer1",
                "https://tr.example/.well-known/risc-configuration/issuer1",
            ]
        );
        assert_eq!(
            well_known("https://tr.example")[0],
            "https://tr.example/.well-known/ssf-configuration"
        );
        assert!(well_known("tr.example").is_empty());
    }

    #[test]
    fn another_issuers_metadata_is_refused() {
        let document = json!({"issuer": "https://tr.example/", "configuration_endpoint": "https://tr.example/streams"});
        assert!(read_metadata(&document, "https://tr.example").is_err());
        let metadata = read_metadata(&document, "https://tr.example/").unwrap();
        assert_eq!(
            metadata.configuration_endpoint.as_deref(),
            Some("https://tr.example/streams")
        );
        let downgraded =
            json!({"issuer": "x", "configuration_endpoint": "http://tr.example/streams"});
        assert_eq!(
            read_metadata(&downgraded, "x")
                .unwrap()
                .configuration_endpoint,
            None
        );
    }
}
