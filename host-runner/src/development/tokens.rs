//! The token endpoint (RFC 6749), with claims requests (OpenID Connect Core §5.5 and Microsoft's use of it).

use std::collections::BTreeMap;
use std::time::Duration;

use cae_core::json::{self, Limits, Map, Value};
use hyper::StatusCode;
use serde_json::json;

use super::accounts::Session;
use super::{Issuer, fault};
use crate::clock;
use crate::encoding::form_decoded;
use crate::serve::http::{self, Answer};
use crate::signing::fresh_id;

/// How long tokens of clients live that declare `cp1`.
const DAY: u64 = 86_400;
/// How often a request looks whether its second has come.
const MOST_WAITS: u32 = 50;

/// What a claims request asks of the access token.
#[derive(Debug, Default)]
struct Asked {
    capable: bool,
    not_before: Option<u64>,
    contexts: Vec<String>,
}

impl Issuer {
    pub(super) async fn token(&self, body: &[u8], authorization: Option<&str>) -> Answer {
        let form = form(body);
        let get = |name: &str| form.get(name).map(String::as_str);
        let basic = authorization.and_then(basic);
        let client = get("client_id")
            .map(str::to_owned)
            .or_else(|| basic.map(|(id, _)| id));
        let Some(client) = client.filter(|client| !client.is_empty()) else {
            return fault(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "who asks? send `client_id`",
            );
        };
        let asked = match Asked::read(get("claims")) {
            Ok(asked) => asked,
            Err(error) => return fault(StatusCode::BAD_REQUEST, "invalid_request", &error),
        };
        // A token of a second that has not come would outlive what happens before it: whoever asks for one waits.
        for _ in 0..MOST_WAITS {
            if asked
                .not_before
                .is_none_or(|second| second <= clock::now().as_secs())
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let issued = clock::now().as_secs();
        let fresh = || fresh_id().unwrap_or_default();
        let (session, refresh_token) = match get("grant_type") {
            Some("client_credentials") => {
                if !self.accounts().admits_workload(&client) {
                    return fault(
                        StatusCode::BAD_REQUEST,
                        "unauthorized_client",
                        "this client is disabled",
                    );
                }
                (None, None)
            }
            Some("password") => {
                let Some(user) = get("username").filter(|user| !user.is_empty()) else {
                    return fault(
                        StatusCode::BAD_REQUEST,
                        "invalid_request",
                        "who signs in? send `username`",
                    );
                };
                let session = Session {
                    user: user.to_owned(),
                    client: client.clone(),
                    id: fresh(),
                    began: issued,
                    device: get("device_id").map(str::to_owned),
                };
                let refresh_token = fresh();
                if self
                    .accounts()
                    .sign_in(session.clone(), &refresh_token)
                    .is_none()
                {
                    return fault(
                        StatusCode::BAD_REQUEST,
                        "invalid_grant",
                        "this account is disabled",
                    );
                }
                (Some(session), Some(refresh_token))
            }
            Some("refresh_token") => {
                let given = get("refresh_token").unwrap_or_default();
                let session = self.accounts().session(given);
                let Some(session) = session.filter(|session| session.client == client) else {
                    let why = "the session is over: sign in again";
                    return fault(StatusCode::BAD_REQUEST, "invalid_grant", why);
                };
                (Some(session), Some(given.to_owned()))
            }
            _ => {
                let known = "client_credentials, password or refresh_token";
                return fault(StatusCode::BAD_REQUEST, "unsupported_grant_type", known);
            }
        };
        let lifetime = if asked.capable {
            DAY
        } else {
            self.setup.lifetime
        };
        let scope = get("scope").unwrap_or_default();
        let claims = self.claims(&client, session.as_ref(), &asked, scope, (issued, lifetime));
        let token = match self.key.sign("at+jwt", &claims) {
            Ok(token) => token,
            Err(error) => {
                return fault(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    &error.to_string(),
                );
            }
        };
        let mut answer = Map::new();
        answer.insert("token_type".to_owned(), "Bearer".into());
        answer.insert("access_token".to_owned(), token.into());
        answer.insert("expires_in".to_owned(), lifetime.into());
        answer.insert("scope".to_owned(), scope.into());
        answer.extend(refresh_token.map(|token| ("refresh_token".to_owned(), token.into())));
        http::json(StatusCode::OK, Value::Object(answer).to_string())
    }

    fn claims(
        &self,
        client: &str,
        session: Option<&Session>,
        asked: &Asked,
        scope: &str,
        (issued, lifetime): (u64, u64),
    ) -> Value {
        let subject = session.map_or(client, |session| session.user.as_str());
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        put("iss", self.url.as_str().into());
        put("sub", subject.into());
        put("aud", self.setup.audience.as_str().into());
        put("client_id", client.into());
        put("jti", fresh_id().unwrap_or_default().into());
        put("iat", issued.into());
        put("nbf", issued.into());
        put("exp", issued.saturating_add(lifetime).into());
        put("scope", scope.into());
        if let Some(session) = session {
            put("sid", session.id.as_str().into());
            put("auth_time", session.began.into());
            put("amr", json!(["pwd"]));
            if let Some(device) = &session.device {
                put("deviceid", device.as_str().into());
            }
        }
        if asked.capable {
            put("xms_cc", json!(["cp1"]));
        }
        if !asked.contexts.is_empty() {
            // Nobody is asked for anything here: whoever asks for a context has it.
            put("acrs", json!(asked.contexts));
        }
        Value::Object(claims)
    }
}

impl Asked {
    fn read(claims: Option<&str>) -> Result<Self, String> {
        let Some(claims) = claims else {
            return Ok(Self::default());
        };
        let request = json::parse(claims.as_bytes(), Limits::EVENT)
            .map_err(|error| format!("claims: {error}"))?;
        let of = |name: &str| {
            request
                .get("access_token")
                .and_then(|token| token.get(name))
        };
        let values = |name: &str| -> Vec<String> {
            let wanted = of(name);
            let one = wanted.and_then(|wanted| wanted.get("value")).into_iter();
            let many = wanted
                .and_then(|wanted| wanted.get("values"))
                .and_then(Value::as_array);
            let all = one.chain(many.into_iter().flatten());
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Ok(Self {
            capable: values("xms_cc")
                .iter()
                .any(|value| value.eq_ignore_ascii_case("cp1")),
            not_before: values("nbf").first().and_then(|value| value.parse().ok()),
            contexts: values("acrs"),
        })
    }
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    // What cannot be read is as if it were not there.
    let decoded = |text: &str| form_decoded(text).unwrap_or_default();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(pair)
        .collect()
}

fn basic(authorization: &str) -> Option<(String, String)> {
    use base64::Engine as _;
    let encoded = authorization.strip_prefix("Basic ")?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}
