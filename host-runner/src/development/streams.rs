//! The transmitter (SSF 1.0): streams by poll and by push, verification, status.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cae_core::json::{self, Limits, Value};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::{Issuer, fault};
use crate::clock;
use crate::serve::http::{self, Answer, empty};
use crate::serve::ssf::{POLL, PUSH};
use crate::signing::fresh_id;

/// How long a poll is kept open.
const LONG_POLL: Duration = Duration::from_secs(20);
/// How often a push is tried.
const ATTEMPTS: u32 = 8;

/// All streams.
#[derive(Debug, Default)]
pub(super) struct Streams(BTreeMap<String, Stream>);

#[derive(Clone, Debug)]
struct Stream {
    id: String,
    method: String,
    endpoint: Option<String>,
    authorization: Option<String>,
    events_requested: Value,
    status: String,
    /// `jti` and SET of what is not acknowledged.
    waiting: VecDeque<(String, String)>,
}

impl Issuer {
    pub(super) fn ssf_configuration(&self) -> Value {
        let url = &self.url;
        json!({
            "spec_version": "1_0",
            "issuer": url,
            "jwks_uri": format!("{url}/keys"),
            "delivery_methods_supported": [PUSH, POLL],
            "configuration_endpoint": format!("{url}/ssf/streams"),
            "status_endpoint": format!("{url}/ssf/status"),
            "verification_endpoint": format!("{url}/ssf/verify"),
            "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
            "default_subjects": "ALL",
        })
    }

    pub(super) async fn stream(
        self: &Arc<Self>,
        method: &Method,
        path: &str,
        query: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Answer {
        // Whoever holds any token of this issuer may manage streams: it is for trying things out.
        if !authorization.is_some_and(|value| value.starts_with("Bearer ") && value.len() > 7) {
            return fault(
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "send an access token",
            );
        }
        let asked = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("stream_id="));
        let document = if body.is_empty() {
            Value::Null
        } else {
            match json::parse(body, Limits::EVENT) {
                Ok(document) => document,
                Err(error) => {
                    return fault(
                        StatusCode::BAD_REQUEST,
                        "invalid_request",
                        &error.to_string(),
                    );
                }
            }
        };
        let named = document.get("stream_id").and_then(Value::as_str);
        let id = asked.or(named).unwrap_or_default().to_owned();
        match (method, path) {
            (&Method::GET, "/ssf/streams") => self.show(asked),
            (&Method::POST, "/ssf/streams") => self.create(&document),
            (&Method::PATCH | &Method::PUT, "/ssf/streams") => self.change(&id, &document),
            (&Method::DELETE, "/ssf/streams") => match self.streams().0.remove(&id) {
                Some(_) => empty(StatusCode::NO_CONTENT),
                None => empty(StatusCode::NOT_FOUND),
            },
            (&Method::GET, "/ssf/status") => self.status(&id),
            (&Method::POST, "/ssf/status") => self.set_status(&id, &document),
            (&Method::POST, "/ssf/verify") => {
                self.verify(&id, document.get("state").and_then(Value::as_str))
            }
            (&Method::POST, path) => match path.strip_prefix("/ssf/poll/") {
                Some(id) => self.poll(id, &document).await,
                None => empty(StatusCode::NOT_FOUND),
            },
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    fn configuration(&self, stream: &Stream) -> Value {
        let endpoint = match stream.method.as_str() {
            POLL => Some(format!("{}/ssf/poll/{}", self.url, stream.id)),
            _ => stream.endpoint.clone(),
        };
        json!({
            "stream_id": stream.id,
            "iss": self.url,
            "aud": self.setup.receiver,
            "events_supported": stream.events_requested,
            "events_requested": stream.events_requested,
            "events_delivered": stream.events_requested,
            "delivery": {"method": stream.method, "endpoint_url": endpoint},
            "min_verification_interval": 1,
        })
    }

    fn show(&self, id: Option<&str>) -> Answer {
        let streams = self.streams();
        match id {
            None => {
                let all: Vec<Value> = streams
                    .0
                    .values()
                    .map(|stream| self.configuration(stream))
                    .collect();
                http::json(StatusCode::OK, Value::from(all).to_string())
            }
            Some(id) => match streams.0.get(id) {
                Some(stream) => http::json(StatusCode::OK, self.configuration(stream).to_string()),
                None => empty(StatusCode::NOT_FOUND),
            },
        }
    }

    fn create(&self, document: &Value) -> Answer {
        let Ok(id) = fresh_id() else {
            return empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let mut stream = Stream {
            id: id.clone(),
            method: POLL.to_owned(),
            endpoint: None,
            authorization: None,
            events_requested: json!([]),
            status: "enabled".to_owned(),
            waiting: VecDeque::new(),
        };
        stream.apply(document);
        let answer = self.configuration(&stream).to_string();
        self.streams().0.insert(id, stream);
        http::json(StatusCode::CREATED, answer)
    }

    fn change(&self, id: &str, document: &Value) -> Answer {
        let mut streams = self.streams();
        let Some(stream) = streams.0.get_mut(id) else {
            return empty(StatusCode::NOT_FOUND);
        };
        stream.apply(document);
        let answer = self.configuration(stream).to_string();
        http::json(StatusCode::OK, answer)
    }

    fn status(&self, id: &str) -> Answer {
        match self.streams().0.get(id) {
            Some(stream) => {
                let body = json!({"stream_id": id, "status": stream.status});
                http::json(StatusCode::OK, body.to_string())
            }
            None => empty(StatusCode::NOT_FOUND),
        }
    }

    fn set_status(self: &Arc<Self>, id: &str, document: &Value) -> Answer {
        let status = document
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !["enabled", "paused", "disabled"].contains(&status) {
            return fault(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "status is enabled, paused or disabled",
            );
        }
        if let Some(stream) = self.streams().0.get_mut(id) {
            status.clone_into(&mut stream.status);
        } else {
            return empty(StatusCode::NOT_FOUND);
        }
        self.news.notify_waiters();
        self.status(id)
    }

    fn verify(self: &Arc<Self>, id: &str, state: Option<&str>) -> Answer {
        if !self.streams().0.contains_key(id) {
            return empty(StatusCode::NOT_FOUND);
        }
        let subject = json!({"format": "opaque", "id": id});
        let members: Vec<String> = state.iter().map(|state| format!("state={state}")).collect();
        match self.event("ssf:verification", &members, &subject, clock::now()) {
            Ok((jti, set)) => {
                self.send(id, jti, set);
                empty(StatusCode::NO_CONTENT)
            }
            Err(error) => fault(StatusCode::BAD_REQUEST, "invalid_request", &error),
        }
    }

    /// Sends a SET on every stream that is enabled; says how many those are.
    pub(super) fn tell(self: &Arc<Self>, (jti, set): (String, String)) -> usize {
        let ids: Vec<String> = {
            let streams = self.streams();
            let enabled = streams
                .0
                .values()
                .filter(|stream| stream.status == "enabled");
            enabled.map(|stream| stream.id.clone()).collect()
        };
        for id in &ids {
            self.send(id, jti.clone(), set.clone());
        }
        ids.len()
    }

    fn send(self: &Arc<Self>, id: &str, jti: String, set: String) {
        let Some(stream) = self.streams().0.get(id).cloned() else {
            return;
        };
        if stream.method == PUSH {
            let (issuer, client) = (Arc::clone(self), self.client.clone());
            drop(tokio::task::spawn_blocking(move || {
                let uri = stream.endpoint.clone().unwrap_or_default();
                for attempt in 0..ATTEMPTS {
                    let body = Some(("application/secevent+jwt", set.clone()));
                    let header = stream.authorization.as_deref();
                    let sent = client.send(ureq::http::Method::POST, &uri, header, body, LONG_POLL);
                    let retry = sent
                        .as_ref()
                        .map_or(true, |reply| reply.status.is_server_error());
                    if !retry || !issuer.streams().0.contains_key(&stream.id) {
                        return;
                    }
                    std::thread::sleep(
                        Duration::from_millis(200).saturating_mul(2_u32.saturating_pow(attempt)),
                    );
                }
            }));
            return;
        }
        if let Some(stream) = self.streams().0.get_mut(id) {
            stream.waiting.push_back((jti, set));
        }
        self.news.notify_waiters();
    }

    async fn poll(&self, id: &str, question: &Value) -> Answer {
        let most = question
            .get("maxEvents")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let at_once = question.get("returnImmediately").and_then(Value::as_bool) == Some(true);
        let acknowledged: Vec<&str> = {
            let list = question.get("ack").and_then(Value::as_array);
            let errors = question.get("setErrs").and_then(Value::as_object);
            let acks = list.into_iter().flatten().filter_map(Value::as_str);
            acks.chain(errors.into_iter().flatten().map(|(jti, _)| jti.as_str()))
                .collect()
        };
        let until = tokio::time::Instant::now().checked_add(LONG_POLL);
        loop {
            // Before looking, so that nothing that comes in between is missed.
            let news = self.news.notified();
            let answer = {
                let mut streams = self.streams();
                let Some(stream) = streams.0.get_mut(id) else {
                    return empty(StatusCode::NOT_FOUND);
                };
                stream
                    .waiting
                    .retain(|(jti, _)| !acknowledged.contains(&jti.as_str()));
                let enabled = stream.status == "enabled";
                let sets: serde_json::Map<String, Value> = stream
                    .waiting
                    .iter()
                    .filter(|_| enabled)
                    .take(most)
                    .map(|(jti, set)| (jti.clone(), set.as_str().into()))
                    .collect();
                let more = enabled && stream.waiting.len() > sets.len();
                (!sets.is_empty() || at_once || most == 0)
                    .then(|| json!({"sets": sets, "moreAvailable": more}))
            };
            if let Some(answer) = answer {
                return http::json(StatusCode::OK, answer.to_string());
            }
            let Some(until) = until else { continue };
            if tokio::time::timeout_at(until, news).await.is_err() {
                return http::json(StatusCode::OK, json!({"sets": {}}).to_string());
            }
        }
    }
}

impl Stream {
    fn apply(&mut self, document: &Value) {
        if let Some(delivery) = document.get("delivery") {
            let text = |name: &str| {
                delivery
                    .get(name)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            };
            if let Some(method) = text("method") {
                self.method = method;
            }
            self.endpoint = text("endpoint_url").or(self.endpoint.take());
            self.authorization = text("authorization_header").or(self.authorization.take());
        }
        if let Some(events) = document.get("events_requested") {
            self.events_requested = events.clone();
        }
    }
}
