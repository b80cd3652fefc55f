//! What operators ask: health, metrics, explanations, what came and what waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cae_core::engine::{Change, Detail, ProofNeed};
use cae_core::json::{self, Limits, Value};
use cae_core::state::names::Named as _;
use cae_core::state::selection::{Scopes, Selected, select};
use cae_core::state::{RecordView, SnapshotWriter};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::http::{self, Answer, empty};
use super::records;
use super::service::Service;
use super::simulator;
use crate::clock;
use crate::encoding::form_decoded;
use crate::entra::sync;
use crate::request_line::RequestLine;

/// Most bytes of a question: a token with its facts.
const QUESTION_BYTES: usize = 256 << 10;

/// Answers an operator.
pub(crate) async fn answer(service: Arc<Service>, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::GET, "/healthz") => http::text(StatusCode::OK, "ok\n"),
        (&Method::GET, "/readyz") => ready(&service),
        (&Method::GET, "/metrics") => {
            const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            http::with(
                StatusCode::OK,
                service.metrics.text(&service).into(),
                Some(TEXT),
            )
        }
        (&Method::GET, path) if is_simulator(path) => simulator::answer(&service, path).await,
        (&Method::GET, "/openapi.json") => http::json(StatusCode::OK, OPENAPI),
        (&Method::GET, "/v1/state") => state(&service, request.uri().query().unwrap_or_default()),
        (&Method::GET, "/v1/state/snapshot") => snapshot(&service),
        (&Method::POST, "/v1/state/clear") => clear(&service, request).await,
        (&Method::POST, records::READ) => records::read(&service, request).await,
        (&Method::POST, records::MERGE) => records::merge(&service, request).await,
        (&Method::POST, DECIDE) => decide(&service, request, true).await,
        (&Method::POST, sync::SYNC) => sync::answer(&service).await,
        (&Method::POST, path) => match path.strip_prefix("/v1/release/") {
            Some(name) => release(&service, name).await,
            None => empty(StatusCode::NOT_FOUND),
        },
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// Whether a path is that of the simulator's page, with or without the last slash, or of one of its files.
fn is_simulator(path: &str) -> bool {
    path.starts_with(simulator::PATH) || simulator::PATH.strip_suffix('/') == Some(path)
}

/// Where requests are decided as JSON.
pub(crate) const DECIDE: &str = "/v1/decide";

/// What both interfaces take and answer.
pub(crate) const OPENAPI: &str = include_str!("openapi.json");

/// Whether requests should come here, and everything that an operator would look at first.
fn ready(service: &Service) -> Answer {
    let now = clock::now();
    let health = service.store.health();
    let engines = service.engines.load();
    let keys = service
        .keys
        .load_full()
        .map(|keys| keys.health())
        .unwrap_or_default();
    let keyless: Vec<_> = keys.iter().filter(|source| !source.has_keys).collect();
    let stopping = service.stopping.load(Ordering::Relaxed);
    let loaded = service.loaded();
    let transmitters = service.transmitters.load();
    let most = engines.configuration.settings.max_signal_age;
    let transmitter = |it: &Arc<super::watched::Watched>| {
        let age = it.age(now);
        let condition = it.condition();
        json!({
            "name": it.settings.name,
            "signalAgeSeconds": (it.alive() > 0).then(|| now.as_secs().saturating_sub(it.alive())),
            "stale": it.is_halted() || most.is_some_and(|most| age > most),
            "stream": condition.stream,
            "status": condition.status,
            "problem": condition.problem,
        })
    };
    let transmitters: Vec<Value> = transmitters.iter().map(transmitter).collect();
    let is_ready = health.failing.is_none() && keyless.is_empty() && !stopping;
    let body = json!({
        "ready": is_ready,
        "stopping": stopping,
        "store": {
            "file": service.store.file().display().to_string(),
            "failing": health.failing.as_ref().map(|(what, since)| json!({"what": what, "since": since.as_secs()})),
            "unsaved": health.unsaved,
            "records": service.store.read(cae_core::state::StateTable::len),
            "held": health.held,
        },
        "keys": keys.iter().map(|source| json!({
            "issuer": source.issuer, "present": source.has_keys, "problem": source.failure,
        })).collect::<Vec<_>>(),
        "transmitters": transmitters,
        "entra": service.entra.load_full().map(|tenant| tenant.view()),
        "configuration": {"loadedAt": loaded.at, "faults": loaded.faults},
        "engineFaults": engines.faults(),
    });
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    http::json(status, format!("{body}\n"))
}

/// Decides a request that is told as JSON, in the form of `cae decide`; `now` is now unless it is given.
pub(crate) async fn decide(
    service: &Service,
    request: Request<Incoming>,
    explains: bool,
) -> Answer {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return fault(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the content type is application/json",
        );
    }
    let body = match http::body(request, QUESTION_BYTES).await {
        Ok(body) => body,
        Err(error) => return fault(error.status(), error.words()),
    };
    let mut question = match json::parse(&body, Limits::EVENT) {
        Ok(Value::Object(question)) => question,
        Ok(_) => return fault(StatusCode::BAD_REQUEST, "/: must be an object"),
        Err(error) => return fault(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let explain = match question.remove("explain") {
        None => false,
        Some(Value::Bool(explain)) => explain,
        Some(_) => return fault(StatusCode::BAD_REQUEST, "/explain: must be true or false"),
    };
    if explain && !explains {
        let what = "explanations are given on the administration listener: they name policies and subjects";
        return fault(StatusCode::FORBIDDEN, what);
    }
    question
        .entry("now")
        .or_insert_with(|| clock::now().as_secs().into());
    question.entry("id").or_insert_with(|| "".into());
    let line = match RequestLine::read(&Value::Object(question).to_string()) {
        Ok(line) => line,
        Err(error) => return fault(StatusCode::BAD_REQUEST, &error),
    };
    let borrowed = line.borrow();
    let asked = line.request(&borrowed);
    let detail = if explain {
        Detail::Explain
    } else {
        Detail::Decision
    };
    let confirmed = line.confirmed.clone();
    let prove = |_: &ProofNeed| confirmed.clone();
    let decided = service.decide(&line.token, &asked, &prove, detail).await;
    let json = decided.verdict.json.unwrap_or_default();
    let members = json.strip_prefix('{').unwrap_or("}");
    let status = if decided.verdict.status == 503 {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    http::json(status, format!(r#"{{"id":{},{members}"#, line.id))
}

/// A subject, and whose it is where several issuers are configured.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    subject: String,
    issuer: Option<String>,
}

impl Subject {
    fn select(&self, service: &Service) -> Result<Vec<Selected>, String> {
        let engines = service.engines.load();
        let scopes = Scopes::Configured(&engines.configuration, self.issuer.as_deref());
        select(&self.subject, scopes).map_err(|error| error.to_string())
    }
}

/// What is known about a subject: `?subject=user:adele&issuer=…`.
fn state(service: &Service, query: &str) -> Answer {
    let mut subject = None;
    let mut issuer = None;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "subject" => subject = form_decoded(value),
            "issuer" => issuer = form_decoded(value),
            _ => {}
        }
    }
    let Some(subject) = subject else {
        return fault(
            StatusCode::BAD_REQUEST,
            "`subject` is missing, such as user:adele",
        );
    };
    match (Subject { subject, issuer }).select(service) {
        Err(error) => fault(StatusCode::BAD_REQUEST, &error),
        Ok(selected) => http::json(StatusCode::OK, views(service, &selected)),
    }
}

fn views(service: &Service, selected: &[Selected]) -> String {
    let view = |one: &Selected| {
        let record = service.store.read(|table| table.get(&one.key))?;
        let record = serde_json::to_value(RecordView(&record)).unwrap_or_default();
        Some(json!({
            "key": one.key.to_string(), "scope": one.scope, "kind": one.kind.name(),
            "nameSpace": one.name_space.name(), "record": record,
        }))
    };
    let records: Vec<Value> = selected.iter().filter_map(view).collect();
    json!({ "records": records }).to_string()
}

/// Forgets what is known about a subject, as a change of now: what happened before counts no more.
async fn clear(service: &Service, request: Request<Incoming>) -> Answer {
    let body = match http::body(request, QUESTION_BYTES).await {
        Ok(body) => body,
        Err(error) => return fault(error.status(), error.words()),
    };
    let subject: Subject = match serde_json::from_slice(&body) {
        Ok(subject) => subject,
        Err(error) => return fault(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let selected = match subject.select(service) {
        Ok(selected) => selected,
        Err(error) => return fault(StatusCode::BAD_REQUEST, &error),
    };
    let now = clock::now();
    let changes: Vec<Change> = {
        let engines = service.engines.load();
        let change = |one: &Selected| {
            let known = service
                .store
                .read(|table| table.get(&one.key))
                .unwrap_or_default();
            Change {
                key: one.key,
                record: one.cleared(&known, now, &engines.configuration).to_bytes(),
            }
        };
        selected.iter().map(change).collect()
    };
    service.store.remember(changes).await;
    // By its keys: who it was is nobody's business in a log.
    let keys: Vec<String> = selected.iter().map(|one| one.key.to_string()).collect();
    service.tell(&format!("an operator cleared {}", keys.join(", ")));
    http::json(StatusCode::OK, views(service, &selected))
}

/// Everything that is known, as `cae state` reads it.
fn snapshot(service: &Service) -> Answer {
    let bytes: Vec<u8> = service
        .store
        .read(|table| SnapshotWriter::new(table).flatten().collect());
    http::with(
        StatusCode::OK,
        bytes.into(),
        Some("application/octet-stream"),
    )
}

/// Applies what the brake of a transmitter holds.
async fn release(service: &Service, name: &str) -> Answer {
    let Some(watched) = service.named(name) else {
        return fault(StatusCode::NOT_FOUND, "no transmitter has this name");
    };
    match service.store.release(watched.settings.issuer.clone()).await {
        Ok(count) => http::json(StatusCode::OK, json!({"released": count}).to_string()),
        Err(_) => fault(
            StatusCode::SERVICE_UNAVAILABLE,
            "the store takes nothing just now",
        ),
    }
}

fn fault(status: StatusCode, what: &str) -> Answer {
    http::json(status, json!({"error": what}).to_string())
}
