//! `cae issuer dev`: a token issuer and SSF transmitter for trying things out on one machine.
//!
//! Everything is in memory and everybody who asks is let in: never put it where others reach it. [`accounts`] is who there
//! is, [`tokens`] the OAuth side, [`streams`] the transmitter.

mod accounts;
mod streams;
mod tokens;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cae_core::json::{self, Limits, Value};
use cae_core::signal::make::{Wish, make};
use cae_core::time::UnixTime;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::clock;
use crate::serve::Client;
use crate::serve::http::{self, Answer, Bounds, empty};
use crate::signing::{SigningKey, fresh_id};
use accounts::Accounts;
pub(crate) use accounts::Happening;
use streams::Streams;

/// Most bytes of a request.
const MOST: usize = 64 << 10;

/// How the issuer is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) listen: SocketAddr,
    /// Its issuer URL, if not that of `listen`.
    pub(crate) issuer: Option<String>,
    /// `aud` of access tokens.
    pub(crate) audience: String,
    /// `aud` of events.
    pub(crate) receiver: String,
    pub(crate) algorithm: String,
    /// How long tokens live, in seconds; those of capable clients live a day.
    pub(crate) lifetime: u64,
    /// Where logout tokens go.
    pub(crate) logout_uri: Option<String>,
}

/// The issuer.
#[derive(Debug)]
struct Issuer {
    url: String,
    setup: Setup,
    key: SigningKey,
    accounts: Mutex<Accounts>,
    streams: Mutex<Streams>,
    /// Somebody who polls may find something.
    news: Notify,
    client: Client,
}

/// Runs the issuer until the process is stopped.
///
/// # Errors
/// One line that says why it does not start.
pub(crate) fn run(setup: Setup, started: impl FnOnce(&str, &str)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let key = SigningKey::generate(Some(&setup.algorithm), Some("dev-1"))
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let listener = TcpListener::bind(setup.listen).await;
        let listener = listener.map_err(|error| format!("{}: {error}", setup.listen))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let url = setup
            .issuer
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let issuer = Arc::new(Issuer {
            accounts: Mutex::default(),
            streams: Mutex::default(),
            news: Notify::new(),
            client: Client::new(None)?,
            key,
            setup,
            url,
        });
        let configuration = issuer.service_configuration();
        started(&issuer.url, &configuration);
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::clone(&issuer);
        let serving = http::serve(
            listener,
            None,
            None,
            Bounds::new(1_024),
            move |request, _| answer(Arc::clone(&shared), request),
            stopped,
        );
        let serving = tokio::spawn(serving);
        let _ = tokio::signal::ctrl_c().await;
        let _ = stop.send(true);
        issuer.news.notify_waiters();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), serving).await;
        Ok(())
    })
}

async fn answer(issuer: Arc<Issuer>, request: Request<Incoming>) -> Answer {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let authorization = request
        .headers()
        .get(hyper::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = match http::body(request, MOST).await {
        Ok(body) => body,
        Err(error) => return http::text(error.status(), error.words()),
    };
    match (&method, path.as_str()) {
        (
            &Method::GET,
            "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server",
        ) => http::json(StatusCode::OK, issuer.openid_configuration().to_string()),
        (&Method::GET, "/.well-known/ssf-configuration") => {
            http::json(StatusCode::OK, issuer.ssf_configuration().to_string())
        }
        (&Method::GET, "/keys") => http::json(
            StatusCode::OK,
            issuer.key.jwks().unwrap_or_default().to_string(),
        ),
        (&Method::POST, "/token") => issuer.token(&body, authorization.as_deref()).await,
        (&Method::POST, "/happens") => issuer.happens(&body).await,
        (_, path) if path.starts_with("/ssf/") => {
            issuer
                .stream(&method, path, &query, authorization.as_deref(), &body)
                .await
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

impl Issuer {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn openid_configuration(&self) -> Value {
        let url = &self.url;
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.setup.algorithm],
            "grant_types_supported": ["client_credentials", "password", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "claims_parameter_supported": true,
        })
    }

    /// What a service needs that trusts this issuer, as the whole of its `cae.toml`.
    fn service_configuration(&self) -> String {
        format!(
            r#"# Written by `cae issuer dev`: a service in front of an API that this issuer issues tokens for.
[engine.resource]
audiences = ["{audience}"]

[[engine.issuers]]
issuer = "{url}"
claims = {{ preset = "rfc9068", acrs = "acrs", device = "deviceid" }}
algorithms = ["{algorithm}"]
jwksUri = "{url}/keys"
challenge = "entra"
honoursNbf = true

[[engine.transmitters]]
issuer = "{url}"
audience = "{receiver}"
jwksUri = "{url}/keys"
speaksFor = ["{url}"]

[authorization]
proxy = "nginx"
trustedProxies = 1

[[transmitter]]
name = "dev"
issuer = "{url}"
delivery = "poll"
pollIntervalSeconds = 1
accessTokenFile = "dev-token"
"#,
            audience = self.setup.audience,
            receiver = self.setup.receiver,
            algorithm = self.setup.algorithm,
            url = self.url,
        )
    }

    /// Something happens to somebody: the account changes, and every stream is told.
    async fn happens(self: &Arc<Self>, body: &[u8]) -> Answer {
        let happening = json::parse(body, Limits::EVENT)
            .map_err(|error| error.to_string())
            .and_then(|value| {
                serde_json::from_value::<Happening>(value).map_err(|error| error.to_string())
            });
        let happening = match happening {
            Ok(happening) => happening,
            Err(error) => return fault(StatusCode::BAD_REQUEST, "invalid_request", &error),
        };
        let now = clock::now();
        let told = self.accounts().happens(&happening, now);
        let Some((event, members, subject)) = told else {
            return fault(
                StatusCode::NOT_FOUND,
                "not_found",
                "nobody with this name has signed in yet",
            );
        };
        if happening.what == "logout" {
            return self.log_out(&happening.user, now).await;
        }
        match self.event(event, &members, &subject, now) {
            Ok(set) => {
                let count = self.tell(set);
                http::json(StatusCode::OK, json!({"streams": count}).to_string())
            }
            Err(error) => fault(StatusCode::BAD_REQUEST, "invalid_request", &error),
        }
    }

    /// A SET about somebody.
    fn event(
        &self,
        event: &str,
        members: &[String],
        subject: &Value,
        now: UnixTime,
    ) -> Result<(String, String), String> {
        let jti = fresh_id().map_err(|error| error.to_string())?;
        let mut subject = subject.clone();
        put_issuer(&mut subject, &self.url);
        let made = make(&Wish {
            event,
            issuer: &self.url,
            audiences: std::slice::from_ref(&self.setup.receiver),
            subject: Some(&subject),
            members,
            claims: &[],
            at: Some(now),
            issued: now,
            jti: &jti,
        });
        let made = made.map_err(|error| error.to_string())?;
        let set = self
            .key
            .sign(made.typ, &made.claims)
            .map_err(|error| error.to_string())?;
        Ok((jti, set))
    }

    async fn log_out(self: &Arc<Self>, user: &str, now: UnixTime) -> Answer {
        let Some(uri) = self.setup.logout_uri.clone() else {
            return fault(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "no --logout-uri was given",
            );
        };
        let jti = fresh_id().unwrap_or_default();
        let sid = self.accounts().session_of(user).unwrap_or_default();
        let claims = json!({
            "iss": self.url, "aud": self.setup.receiver, "sub": user, "sid": sid,
            "iat": now.as_secs(), "exp": now.as_secs().saturating_add(120), "jti": jti,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let token = match self.key.sign("logout+jwt", &claims) {
            Ok(token) => token,
            Err(error) => {
                return fault(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    &error.to_string(),
                );
            }
        };
        let client = self.client.clone();
        let sent = tokio::task::spawn_blocking(move || {
            let form = (
                "application/x-www-form-urlencoded",
                format!("logout_token={token}"),
            );
            client.send(
                ureq::http::Method::POST,
                &uri,
                None,
                Some(form),
                std::time::Duration::from_secs(10),
            )
        });
        match sent.await {
            Ok(Ok(reply)) => http::json(
                StatusCode::OK,
                json!({"status": reply.status.as_u16()}).to_string(),
            ),
            Ok(Err(error)) => fault(StatusCode::BAD_GATEWAY, "unreachable", &error.0),
            Err(error) => fault(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                &error.to_string(),
            ),
        }
    }
}

/// Says whose subjects these are, wherever the subject names one.
fn put_issuer(subject: &mut Value, issuer: &str) {
    if let Value::Object(members) = subject {
        if members.get("format").and_then(Value::as_str) == Some("iss_sub") {
            members.insert("iss".to_owned(), issuer.into());
        }
        members
            .values_mut()
            .for_each(|member| put_issuer(member, issuer));
    }
}

/// An error in the form of RFC 6749 §5.2.
fn fault(status: StatusCode, error: &str, description: &str) -> Answer {
    http::json(
        status,
        json!({"error": error, "error_description": description}).to_string(),
    )
}
