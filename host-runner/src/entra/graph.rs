//! Requests to Microsoft Graph: one token for all of them, one pause for all of them when Graph asks for it.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cae_core::json::{self, Limits, Value};
use ureq::http::{Method, StatusCode};

use super::host::Host;
use super::schedule::pause;
use crate::component::random;
use crate::serve::client::{Ask, Reply};
use crate::serve::settings::entra::Entra;
use crate::text::{elements, member, word};

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(120);

/// Characters of a code of an error, and such numbers, that are shown.
const LONGEST_CODE: usize = 64;
const MOST_CODES: usize = 8;

/// Why Graph gave no answer of use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GraphError {
    /// The credential is not accepted, or a token that was issued a moment ago.
    Credential(String),
    /// The application may not do this.
    Forbidden(String),
    NotFound,
    /// A delta token or a page is too old: everything has to be read again.
    Gone,
    /// Graph asks to be left alone for so long.
    Throttled(Duration),
    /// Another status, and for how long to wait if Graph says so.
    Status(u16, Option<Duration>),
    Unreachable(String),
    /// A link leads to another place than Graph: one that was kept, and another `graphUri` is asked now.
    Elsewhere,
    /// Pages name one another in a circle, or there is no last one.
    Endless,
    /// An answer that is not what the documentation says.
    Answer(String),
    /// What was learned could not be kept.
    NotKept,
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(what) => write!(f, "no token for Graph: {what}"),
            Self::Forbidden(what) => write!(f, "Graph answers 403: {what}"),
            Self::NotFound => f.write_str("Graph answers 404"),
            Self::Gone => f.write_str("Graph answers 410: everything has to be read again"),
            Self::Throttled(wait) => {
                write!(f, "Graph asks to wait for {} seconds", wait.as_secs())
            }
            Self::Status(status, _) => write!(f, "Graph answers {status}"),
            Self::Unreachable(what) => write!(f, "Graph cannot be reached: {what}"),
            Self::Elsewhere => f.write_str("a link leads to another place than Graph"),
            Self::Endless => f.write_str("the pages of an answer of Graph have no end"),
            Self::Answer(what) => write!(f, "an answer of Graph cannot be read: {what}"),
            Self::NotKept => f.write_str("the store takes nothing just now"),
        }
    }
}

impl std::error::Error for GraphError {}

impl GraphError {
    /// Whether the link that was asked is of no use any more: whoever holds one that was kept begins anew. Graph has more words
    /// for that than its documentation, and a request that it refuses once it refuses again.
    pub(crate) const fn ends_link(&self) -> bool {
        matches!(
            self,
            Self::Gone | Self::NotFound | Self::Status(400, _) | Self::Elsewhere | Self::Endless
        )
    }

    /// For how long not to ask again, if somebody said so.
    pub(crate) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled(wait) => Some(*wait),
            Self::Status(_, wait) => *wait,
            _ => None,
        }
    }
}

type Result<T> = std::result::Result<T, GraphError>;

/// One page of a collection.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) value: Vec<Value>,
    /// Where the next page is.
    pub(crate) next: Option<String>,
    /// Where to ask for what changes from now on.
    pub(crate) delta: Option<String>,
    /// The entity tag of the answer, where it has one.
    pub(crate) etag: Option<String>,
}

/// A session with Graph.
pub(crate) struct Graph {
    settings: Entra,
    token: Option<Token>,
    /// Until when nobody asks anything, in the host's elapsed time.
    not_before: Duration,
    /// How often in a row Graph throttled.
    throttles: u32,
}

struct Token {
    header: String,
    until: Duration,
    roles: Option<Vec<String>>,
}

/// Never prints the token.
impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("tenant", &self.settings.tenant)
            .finish_non_exhaustive()
    }
}

impl Graph {
    pub(crate) const fn new(settings: Entra) -> Self {
        Self {
            settings,
            token: None,
            not_before: Duration::ZERO,
            throttles: 0,
        }
    }

    /// A URL of the stable version.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/v1.0{path}", self.settings.graph)
    }

    /// A URL of the beta version, for what has no stable one.
    pub(crate) fn beta_url(&self, path: &str) -> String {
        format!("{}/beta{path}", self.settings.graph)
    }

    /// The permissions that the token carries (`roles`); `None` if it cannot be read, which its resource may want.
    pub(crate) fn roles(&mut self, host: &dyn Host) -> Result<Option<Vec<String>>> {
        self.authorize(host)?;
        Ok(self.token.as_ref().and_then(|token| token.roles.clone()))
    }

    /// Asks for a new token the next time: permissions may have been given meanwhile.
    pub(crate) fn forget_token(&mut self) {
        self.token = None;
    }

    /// One object.
    pub(crate) fn get(&mut self, host: &dyn Host, url: &str) -> Result<Value> {
        let reply = self.ask(host, Method::GET, url, None, &[])?;
        read(&reply)
    }

    /// One page.
    pub(crate) fn page(&mut self, host: &dyn Host, url: &str) -> Result<Page> {
        let reply = self.ask(host, Method::GET, url, None, &[])?;
        page(&reply)
    }

    /// One page, unless it still has this entity tag.
    pub(crate) fn page_unless(
        &mut self,
        host: &dyn Host,
        url: &str,
        etag: Option<&str>,
    ) -> Result<Option<Page>> {
        let headers: Vec<(&'static str, String)> = etag
            .map(|etag| ("if-none-match", etag.to_owned()))
            .into_iter()
            .collect();
        let reply = self.ask(host, Method::GET, url, None, &headers)?;
        if reply.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        page(&reply).map(Some)
    }

    /// Sends a document.
    pub(crate) fn send(
        &mut self,
        host: &dyn Host,
        method: Method,
        url: &str,
        document: Option<&Value>,
    ) -> Result<Value> {
        let body = document.map(|document| ("application/json", document.to_string()));
        let reply = self.ask(host, method, url, body, &[])?;
        if reply.body.is_empty() {
            return Ok(Value::Null);
        }
        read(&reply)
    }

    fn ask(
        &mut self,
        host: &dyn Host,
        method: Method,
        url: &str,
        body: Option<(&'static str, String)>,
        headers: &[(&'static str, String)],
    ) -> Result<Reply> {
        // A page names the next one: the token goes to no other place.
        if !url.starts_with(&format!("{}/", self.settings.graph)) {
            return Err(GraphError::Elsewhere);
        }
        let mut is_second = false;
        loop {
            self.may_ask(host)?;
            let authorization = self.authorize(host)?;
            let sent = host.send(Ask {
                method: method.clone(),
                url,
                authorization: Some(&authorization),
                headers,
                body: body.clone(),
            });
            let reply = match sent {
                Ok(reply) => reply,
                Err(error) => {
                    host.count(0);
                    return Err(GraphError::Unreachable(error.0));
                }
            };
            host.count(reply.status.as_u16());
            return match reply.status {
                status if status.is_success() || status == StatusCode::NOT_MODIFIED => {
                    self.throttles = 0;
                    Ok(reply)
                }
                // Revoked before its end, by continuous access evaluation say: a new one may do.
                StatusCode::UNAUTHORIZED if !is_second => {
                    self.token = None;
                    is_second = true;
                    continue;
                }
                StatusCode::UNAUTHORIZED => {
                    Err(GraphError::Credential("Graph answers 401".to_owned()))
                }
                StatusCode::FORBIDDEN => Err(GraphError::Forbidden(error_code(&reply))),
                StatusCode::NOT_FOUND => Err(GraphError::NotFound),
                StatusCode::GONE => Err(GraphError::Gone),
                // SPEC: <https://learn.microsoft.com/graph/throttling>: whoever goes on asking is throttled for longer.
                StatusCode::TOO_MANY_REQUESTS => Err(self.throttled(host, &reply)),
                // SPEC: <https://learn.microsoft.com/graph/delta-query-overview>: a token may also be too old by its code.
                StatusCode::BAD_REQUEST if is_resync(&error_code(&reply)) => Err(GraphError::Gone),
                status => {
                    let wait = reply.retry_after();
                    if let Some(wait) = wait {
                        self.leave_alone(host, wait);
                    }
                    Err(GraphError::Status(status.as_u16(), wait))
                }
            };
        }
    }

    /// Whether no pause is to be kept.
    fn may_ask(&self, host: &dyn Host) -> Result<()> {
        let left = self.not_before.saturating_sub(host.elapsed());
        match left.is_zero() {
            true => Ok(()),
            false => Err(GraphError::Throttled(left)),
        }
    }

    /// Nobody asks for as long as Graph says; without a word longer and longer.
    fn throttled(&mut self, host: &dyn Host, reply: &Reply) -> GraphError {
        self.throttles = self.throttles.saturating_add(1);
        let wait = reply.retry_after();
        let wait = wait.unwrap_or_else(|| pause(self.throttles.saturating_add(2), random()));
        self.leave_alone(host, wait);
        GraphError::Throttled(wait)
    }

    fn leave_alone(&mut self, host: &dyn Host, wait: Duration) {
        let until = host.elapsed().saturating_add(wait);
        self.not_before = self.not_before.max(until);
    }

    /// The value of `Authorization`, with a new token if the one before ends soon.
    fn authorize(&mut self, host: &dyn Host) -> Result<String> {
        if let Some(token) = &self.token
            && host.elapsed() < token.until
        {
            return Ok(token.header.clone());
        }
        self.may_ask(host)?;
        let form = self.settings.token_request(host.now());
        let form = form.map_err(GraphError::Credential)?;
        let sent = host.send(Ask {
            method: Method::POST,
            url: &self.settings.token_endpoint(),
            authorization: None,
            headers: &[],
            body: Some(("application/x-www-form-urlencoded", form)),
        });
        let reply = sent.map_err(|error| {
            host.count(0);
            GraphError::Unreachable(error.0)
        })?;
        host.count(reply.status.as_u16());
        let document = reply.json().unwrap_or_default();
        match reply.status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(self.throttled(host, &reply));
            }
            status if status.is_server_error() => {
                let wait = reply.retry_after();
                if let Some(wait) = wait {
                    self.leave_alone(host, wait);
                }
                return Err(GraphError::Status(status.as_u16(), wait));
            }
            status => {
                // Entra names its reason by number, which is safe to show: the text quotes the request.
                let error = word(&document, "error").unwrap_or("no reason");
                let error: String = error.chars().take(LONGEST_CODE).collect();
                let codes = elements(&document, "error_codes").filter_map(Value::as_u64);
                let codes = codes.take(MOST_CODES);
                let codes: Vec<String> = codes.map(|code| format!("AADSTS{code}")).collect();
                return Err(GraphError::Credential(format!(
                    "the token endpoint answers {}: {error} {}; look at tenant, clientId and the credential",
                    status.as_u16(),
                    codes.join(" ")
                )));
            }
        }
        let token = word(&document, "access_token").ok_or_else(|| {
            GraphError::Credential("the token endpoint issues no `access_token`".to_owned())
        })?;
        let lifetime = member(&document, "expires_in").as_u64().unwrap_or(300);
        let lifetime = Duration::from_secs(lifetime);
        let margin = MARGIN.min(lifetime.checked_div(5).unwrap_or_default());
        let header = format!("Bearer {token}");
        self.token = Some(Token {
            header: header.clone(),
            until: host
                .elapsed()
                .saturating_add(lifetime.saturating_sub(margin)),
            roles: roles(token),
        });
        Ok(header)
    }
}

/// The application permissions in a token that is ours to use, not to judge.
fn roles(token: &str) -> Option<Vec<String>> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims = json::parse(&payload, Limits::TOKEN).ok()?;
    claims.get("roles")?;
    let roles = elements(&claims, "roles").filter_map(Value::as_str);
    Some(roles.map(str::to_owned).collect())
}

fn read(reply: &Reply) -> Result<Value> {
    let document = reply.json();
    document.ok_or_else(|| GraphError::Answer("it is no JSON".to_owned()))
}

fn page(reply: &Reply) -> Result<Page> {
    let etag = reply.headers.get("etag").and_then(|tag| tag.to_str().ok());
    let mut document = read(reply)?;
    let text = |document: &Value, name: &str| word(document, name).map(str::to_owned);
    let next = text(&document, "@odata.nextLink");
    let delta = text(&document, "@odata.deltaLink");
    match document.get_mut("value").map(Value::take) {
        Some(Value::Array(value)) => Ok(Page {
            value,
            next,
            delta,
            etag: etag.map(str::to_owned),
        }),
        _ => Err(GraphError::Answer(
            "a page has no list as its `value`".to_owned(),
        )),
    }
}

/// SPEC: <https://learn.microsoft.com/graph/errors>: `{"error": {"code", "message"}}`.
fn error_code(reply: &Reply) -> String {
    let document = reply.json().unwrap_or_default();
    let code = word(member(&document, "error"), "code").unwrap_or("no code");
    code.chars().take(LONGEST_CODE).collect()
}

fn is_resync(code: &str) -> bool {
    [
        "resyncRequired",
        "syncStateNotFound",
        "syncStateInvalid",
        "Directory_ExpiredPageToken",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(code))
}
