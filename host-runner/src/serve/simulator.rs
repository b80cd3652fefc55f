//! The policy simulator on the administration listener: the static page, with the policies in force put into it.
//!
//! Nothing else of the configuration goes there: no keys, no records, no names of files.

use std::path::{Path, PathBuf};

use cae_core::json::{self, Limits, Map, Value};
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

use super::http::{self, Answer, empty};
use super::service::Service;

/// Where the page is.
pub(crate) const PATH: &str = "/simulator/";
/// The page itself, in its folder.
pub(crate) const PAGE: &str = "index.html";

/// The page may load its own files and compile its engine, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Answers `GET` of a path at or below [`PATH`]; the name of a file follows it.
pub(crate) async fn answer(service: &Service, path: &str) -> Answer {
    let settings = service.settings.load();
    let Some(folder) = settings.simulator.clone() else {
        return empty(StatusCode::NOT_FOUND);
    };
    let Some(name) = path.strip_prefix(PATH) else {
        // Names in the page are relative to its folder.
        let mut moved = Response::new(http_body_util::Full::default());
        *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
        moved
            .headers_mut()
            .insert(LOCATION, HeaderValue::from_static(PATH));
        return moved;
    };
    let name = if name.is_empty() { PAGE } else { name }.to_owned();
    let Some(kind) = kind(&name) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let file = name.clone();
    let read = tokio::task::spawn_blocking(move || read(&folder, &file)).await;
    let Some(mut bytes) = read.ok().flatten() else {
        return empty(StatusCode::NOT_FOUND);
    };
    if name == PAGE {
        let engines = service.engines.load();
        let Some(page) = with_policies(&bytes, engines.policies()) else {
            return http::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the page is not one that `cargo xtask build --www` made\n",
            );
        };
        bytes = page.into_bytes();
    }
    let mut answer = http::with(StatusCode::OK, bytes.into(), Some(kind));
    let headers = answer.headers_mut();
    for (header, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(
            HeaderName::from_static(header),
            HeaderValue::from_static(value),
        );
    }
    if name.starts_with("assets/") {
        // Their names change with their content.
        let long = HeaderValue::from_static("private, max-age=31536000, immutable");
        headers.insert(CACHE_CONTROL, long);
    }
    answer
}

/// The media type of a file of the page; `None` for a name that none of them has.
fn kind(name: &str) -> Option<&'static str> {
    let is_plain = |part: &str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.starts_with('.') && !part.is_empty() && part.bytes().all(letters)
    };
    if !name.split('/').all(is_plain) {
        return None;
    }
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => return None,
    })
}

/// A file within the folder, links followed.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let folder = folder.canonicalize().ok()?;
    let file: PathBuf = folder.join(name).canonicalize().ok()?;
    if !file.starts_with(&folder) {
        return None;
    }
    std::fs::read(file).ok()
}

/// The page with the policies as data that no browser runs.
fn with_policies(page: &[u8], policies: &str) -> Option<String> {
    let page = std::str::from_utf8(page).ok()?;
    let (head, rest) = page.split_once("</head>")?;
    Some(format!(
        "{head}<script type=\"application/json\" id=\"live\">{policies}</script></head>{rest}"
    ))
}

/// Every policy and named location of an engine configuration, as JSON that may stand in a page:
/// `{"policies": [..], "namedLocations": [..], "applicationGroups": {..}}`.
pub(crate) fn policies_of(configuration: &str) -> String {
    let document = json::parse(configuration.as_bytes(), Limits::DOCUMENT).unwrap_or(Value::Null);
    let issuers = document.get("issuers").and_then(Value::as_array);
    let owners = [&document].into_iter().chain(issuers.into_iter().flatten());
    let mut policies = Vec::new();
    let mut locations = Vec::new();
    for owner in owners {
        policies.extend(items(owner.get("policies")));
        locations.extend(items(owner.get("namedLocations")));
    }
    let groups = document
        .get("settings")
        .and_then(|settings| settings.get("applicationGroups"));
    let mut live = Map::new();
    live.insert("policies".into(), Value::Array(policies));
    live.insert("namedLocations".into(), Value::Array(locations));
    live.insert(
        "applicationGroups".into(),
        groups.cloned().unwrap_or(Value::Null),
    );
    escaped(&Value::Object(live).to_string())
}

/// Graph writes lists as arrays or as `{"value": [..]}`.
fn items(document: Option<&Value>) -> Vec<Value> {
    match document {
        Some(Value::Array(items)) => items.clone(),
        Some(Value::Object(members)) => members
            .get("value")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// JSON without anything that could end an element, begin a comment or be read as an entity.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_of_everybody_are_there_and_nothing_else() {
        let configuration = json!({
            "issuers": [{
                "issuer": "https://a.example", "jwks": {"keys": [{"k": "secret"}]},
                "policies": {"value": [{"displayName": "</script><script>alert(1)</script>"}]},
                "namedLocations": [{"displayName": "a & b"}],
            }],
            "policies": [{"displayName": "own"}],
        });
        let text = policies_of(&configuration.to_string());
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert!(
            !text.contains("secret") && !text.contains("a.example"),
            "{text}"
        );
        let live: Value = serde_json::from_str(&text).unwrap();
        let names = live["policies"].as_array().unwrap().iter();
        let names: Vec<&str> = names.filter_map(|it| it["displayName"].as_str()).collect();
        assert_eq!(names, ["own", "</script><script>alert(1)</script>"]);
        assert_eq!(live["namedLocations"][0]["displayName"], "a & b");
    }

    #[test]
    fn only_files_of_a_page_have_a_kind() {
        for name in ["index.html", "assets/index-B_1.js", "icon.svg"] {
            assert!(kind(name).is_some(), "{name}");
        }
        for name in [
            "",
            "..",
            "../cae.toml",
            "assets/../../x.json",
            "/etc/passwd",
            "a//b.js",
            ".hidden.js",
            "a%2e.js",
            "cae.toml",
            "x",
        ] {
            assert!(kind(name).is_none(), "{name}");
        }
    }
}
