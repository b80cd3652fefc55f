//! Records for engines elsewhere, in workers at the edge say: read by key, and merged, under a token of their own.
//!
//! Keys and records are hexadecimal. What is merged is on disk and in force before it is answered.

use cae_core::engine::Change;
use cae_core::json::{self, Limits};
use cae_core::state::{Record, StateKey};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::http::{self, Answer, empty};
use super::secret;
use super::service::Service;
use crate::encoding::{hexadecimal, hexadecimal_of};

/// Where records are read.
pub(crate) const READ: &str = "/v1/records";
/// Where records are merged.
pub(crate) const MERGE: &str = "/v1/records/merge";

/// Most bytes of a question.
const BYTES: usize = 1 << 20;
/// Most records of a question: many times what one token or one event touches.
const MOST: usize = 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merged {
    changes: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: String,
    record: String,
}

/// Answers one record for each key, in the order of the keys; `null` where there is none.
pub(crate) async fn read(service: &Service, request: Request<Incoming>) -> Answer {
    let wanted: Wanted = match question(service, request).await {
        Ok(wanted) => wanted,
        Err(answer) => return answer,
    };
    let keys: Option<Vec<StateKey>> = wanted.keys.iter().map(|it| it.parse().ok()).collect();
    let Some(keys) = keys.filter(|keys| keys.len() <= MOST) else {
        return refused("`keys` are at most 1,024, each of 32 lower-case hexadecimal digits");
    };
    let record = |record: Record| hexadecimal_of(&record.to_bytes());
    let records: Vec<Option<String>> = service
        .store
        .read(|table| keys.iter().map(|key| table.get(key).map(record)).collect());
    http::json(StatusCode::OK, json!({ "records": records }).to_string())
}

/// Merges all of the changes or none.
pub(crate) async fn merge(service: &Service, request: Request<Incoming>) -> Answer {
    let merged: Merged = match question(service, request).await {
        Ok(merged) => merged,
        Err(answer) => return answer,
    };
    let change = |entry: &Entry| {
        let record = hexadecimal(&entry.record)?;
        Record::from_bytes(&record).ok()?;
        let key = entry.key.parse().ok()?;
        Some(Change { key, record })
    };
    let changes: Option<Vec<Change>> = merged.changes.iter().map(change).collect();
    let Some(changes) = changes.filter(|changes| changes.len() <= MOST) else {
        return refused(
            "`changes` are at most 1,024, each a key and a record, in lower-case hexadecimal digits",
        );
    };
    match service.store.merge(changes).await {
        Ok(()) => empty(StatusCode::NO_CONTENT),
        Err(_) => http::json(
            StatusCode::SERVICE_UNAVAILABLE,
            json!({"error": "the store takes nothing just now"}).to_string(),
        ),
    }
}

/// The question of whoever knows the token; without a token in the settings there is nobody to ask.
async fn question<T: for<'a> Deserialize<'a>>(
    service: &Service,
    request: Request<Incoming>,
) -> Result<T, Answer> {
    let Some(file) = service.settings.load().store.records_token.clone() else {
        return Err(empty(StatusCode::NOT_FOUND));
    };
    let Ok(expected) = secret(&file) else {
        service.tell("the file with the token for records cannot be read");
        return Err(empty(StatusCode::SERVICE_UNAVAILABLE));
    };
    if !http::bears(&request, &expected) {
        return Err(empty(StatusCode::UNAUTHORIZED));
    }
    let body = http::body(request, BYTES)
        .await
        .map_err(|error| http::text(error.status(), error.words()))?;
    let question =
        json::parse(&body, Limits::EVENT).map_err(|error| refused(&error.to_string()))?;
    serde_json::from_value(question).map_err(|error| refused(&error.to_string()))
}

fn refused(what: &str) -> Answer {
    http::json(
        StatusCode::BAD_REQUEST,
        json!({ "error": what }).to_string(),
    )
}
