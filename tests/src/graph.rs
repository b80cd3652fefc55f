//! A stand-in for Microsoft Graph and the token endpoint of a tenant: the endpoints that `cae` asks, with their paging,
//! delta tokens, throttling and subscriptions. Each answer has the shape of the page that its function names.

mod audit;
mod delta;
mod policies;
mod subscriptions;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub use self::delta::{Collection, Object};
pub use self::policies::Policies;
pub use self::subscriptions::{Subscription, item};
use crate::server::{Asked, Said, Server};

/// The tenant.
pub const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
/// The application that reads it.
pub const CLIENT: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
/// Its secret.
pub const SECRET: &str = "s3cret value/+=";

/// Every permission that some feature needs.
pub const ROLES: [&str; 8] = [
    "Policy.Read.All",
    "User.Read.All",
    "IdentityRiskyUser.Read.All",
    "AuditLog.Read.All",
    "Application.Read.All",
    "IdentityRiskyServicePrincipal.Read.All",
    "GroupMember.Read.All",
    "RoleManagement.Read.Directory",
];

/// What the tenant is, and how it answers.
#[derive(Debug)]
pub struct State {
    /// The base URL, once it is known.
    pub url: String,
    /// Permissions of the application; `None` issues tokens that do not say.
    pub roles: Option<Vec<String>>,
    /// How long tokens are good for.
    pub token_lifetime: u64,
    /// Tokens that are good.
    tokens: Vec<String>,
    issued: u64,
    /// Users.
    pub users: Collection,
    /// Service principals.
    pub applications: Collection,
    /// Groups, with `members`.
    pub groups: Collection,
    /// Directory roles, with `members` and `roleTemplateId`.
    pub roles_of_directory: Collection,
    /// Conditional Access.
    pub policies: Policies,
    /// `riskyUser` objects.
    pub risky_users: Vec<Value>,
    /// `riskyServicePrincipal` objects.
    pub risky_applications: Vec<Value>,
    /// `directoryAudit` objects.
    pub audits: Vec<Value>,
    /// Subscriptions that are alive.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Whether handshakes are made when a subscription is created.
    pub shakes_hands: bool,
    /// Most objects of a page.
    pub page: usize,
    /// Answers that come first, whatever is asked for, where the path contains the text.
    pub next: VecDeque<(&'static str, Said)>,
    /// Whether nothing is answered at all.
    pub is_out: bool,
    /// Until when everything is throttled.
    pub throttled_until: Option<Instant>,
    /// The keys with which tokens beside resource data are signed.
    pub publisher: Value,
    /// Paths (by what they contain) that are forbidden whatever the token says.
    pub forbidden: Vec<&'static str>,
}

/// A running stand-in.
#[derive(Debug)]
pub struct Graph {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Graph {
    /// Starts one with an empty tenant.
    ///
    /// # Panics
    /// There is no port.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            url: String::new(),
            roles: Some(ROLES.iter().map(|role| (*role).to_owned()).collect()),
            token_lifetime: 3_599,
            tokens: Vec::new(),
            issued: 0,
            users: Collection::new("users"),
            applications: Collection::new("servicePrincipals"),
            groups: Collection::new("groups"),
            roles_of_directory: Collection::new("directoryRoles"),
            policies: Policies::default(),
            risky_users: Vec::new(),
            risky_applications: Vec::new(),
            audits: Vec::new(),
            subscriptions: BTreeMap::new(),
            shakes_hands: true,
            page: 100,
            next: VecDeque::new(),
            is_out: false,
            throttled_until: None,
            publisher: json!({"keys": []}),
            forbidden: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |asked| answer(&shared, asked));
        let graph = Self { server, state };
        graph.state().url = graph.server.url();
        graph
    }

    /// The tenant, to be changed.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What was asked so far, by method and the beginning of the path.
    #[must_use]
    pub fn asked(&self, method: &str, path: &str) -> Vec<Asked> {
        self.server.asked(method, path)
    }

    /// Everything that was asked of Graph so far, however it was answered.
    #[must_use]
    pub fn all(&self) -> Vec<Asked> {
        let mut all = Vec::new();
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            all.extend(self.server.asked(method, "/v1.0/"));
            all.extend(self.server.asked(method, "/beta/"));
        }
        all.sort_by_key(|asked| asked.at);
        all
    }

    /// `[entra]` of a `cae.toml` that reads this tenant, with a client secret in `secret`.
    #[must_use]
    pub fn block(&self) -> String {
        format!(
            "[entra]\ntenant = \"{TENANT}\"\nclientId = \"{CLIENT}\"\nclientSecretFile = \"secret\"\n\
             loginUri = \"{url}\"\ngraphUri = \"{url}\"\n",
            url = self.url()
        )
    }

    /// Throttles everything for so long.
    pub fn throttle(&self, time: Duration) {
        self.state().throttled_until = Some(Instant::now() + time);
    }
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error as Graph writes it: <https://learn.microsoft.com/graph/errors>.
#[must_use]
pub fn error(status: u16, code: &str) -> Said {
    let body = json!({"error": {
        "code": code, "message": "A message.",
        "innerError": {"request-id": "b8a1e7b1", "date": "2026-01-01T00:00:00"},
    }});
    Said::status(status, &body)
}

/// 429 as <https://learn.microsoft.com/graph/throttling> describes it.
#[must_use]
pub fn throttled(seconds: u64) -> Said {
    let body =
        json!({"error": {"code": "TooManyRequests", "message": "Please retry again later."}});
    Said::Reply(
        429,
        vec![("Retry-After", seconds.to_string())],
        body.to_string(),
    )
}

fn answer(state: &Arc<Mutex<State>>, asked: &Asked) -> Said {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let mut held = lock(state);
    if held.is_out {
        return Said::Hangup;
    }
    if path == format!("/{TENANT}/oauth2/v2.0/token") {
        return held.token(&asked.text);
    }
    if path == format!("/{TENANT}/discovery/v2.0/keys") {
        return Said::json(&held.publisher);
    }
    if let Some(until) = held.throttled_until {
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return throttled(left.as_secs() + 1);
        }
    }
    let first = held.next.front();
    if first.is_some_and(|(part, _)| asked.path.contains(part)) {
        return held.next.pop_front().unwrap().1;
    }
    let bearer = asked.header("authorization").unwrap_or_default();
    let bearer = bearer.strip_prefix("Bearer ").unwrap_or_default();
    if !held.tokens.iter().any(|token| token == bearer) {
        return error(401, "InvalidAuthenticationToken");
    }
    let forbidden = held.forbidden.iter().any(|part| asked.path.contains(part));
    if forbidden || !held.may(path) {
        return error(403, "Authorization_RequestDenied");
    }
    let Some(rest) = path
        .strip_prefix("/v1.0/")
        .or_else(|| path.strip_prefix("/beta/"))
    else {
        return error(404, "ResourceNotFound");
    };
    let parameters = parameters(query);
    if rest == "subscriptions" || rest.starts_with("subscriptions/") {
        drop(held);
        return subscriptions::answer(state, asked, rest);
    }
    if asked.method != "GET" {
        return error(405, "Request_BadRequest");
    }
    let page = held.page;
    let url = held.url.clone();
    let mut roles = held.roles.iter().flatten();
    held.groups.shows_hidden = roles.any(|role| role == "Member.Read.Hidden");
    match rest {
        "users/delta" => held.users.delta(&url, &parameters, page),
        "servicePrincipals/delta" => held.applications.delta(&url, &parameters, page),
        "groups/delta" => held.groups.delta(&url, &parameters, page),
        "directoryRoles/delta" => held.roles_of_directory.delta(&url, &parameters, page),
        "identityProtection/riskyUsers" => {
            audit::list(&held.risky_users, &url, rest, &parameters, page)
        }
        "identityProtection/riskyServicePrincipals" => {
            audit::list(&held.risky_applications, &url, rest, &parameters, page)
        }
        "auditLogs/directoryAudits" => audit::list(&held.audits, &url, rest, &parameters, page),
        "identity/continuousAccessEvaluationPolicy" => held.policies.legacy(),
        _ => match rest.strip_prefix("users/") {
            Some(id) => held.users.one(id, &parameters),
            None => held.policies.list(&url, rest, &parameters, asked, page),
        },
    }
}

/// The query, decoded.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut out) = (text.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = String::from_utf8(digits).unwrap_or_default();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl State {
    /// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
    fn token(&mut self, form: &str) -> Said {
        let form = parameters(form);
        let is = |name: &str, value: &str| form.get(name).is_some_and(|found| found == value);
        let proven = is("client_secret", SECRET)
            || is(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ) && form.contains_key("client_assertion");
        let scope = format!("{}/.default", self.url);
        if !(is("grant_type", "client_credentials") && is("client_id", CLIENT) && proven) {
            let body = json!({
                "error": "invalid_client", "error_codes": [7_000_215],
                "error_description": "AADSTS7000215: Invalid client secret provided.",
            });
            return Said::status(401, &body);
        }
        if !is("scope", &scope) {
            let body = json!({"error": "invalid_scope", "error_codes": [70_011]});
            return Said::status(400, &body);
        }
        self.issued += 1;
        let mut claims = json!({
            "aud": self.url, "appid": CLIENT, "tid": TENANT, "uti": self.issued,
        });
        if let Some(roles) = &self.roles {
            claims["roles"] = json!(roles);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(&json!({"typ": "JWT", "alg": "RS256"}));
        let token = format!("{header}.{}.c2lnbmF0dXJl", part(&claims));
        self.tokens.push(token.clone());
        Said::json(&json!({
            "token_type": "Bearer", "expires_in": self.token_lifetime, "access_token": token,
        }))
    }

    /// No token is good any more.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Whether the application has the permission for a path.
    fn may(&self, path: &str) -> bool {
        const NEEDS: [(&str, &str); 9] = [
            ("users", "User.Read.All"),
            ("subscriptions", "User.Read.All"),
            ("servicePrincipals", "Application.Read.All"),
            ("groups", "GroupMember.Read.All"),
            ("directoryRoles", "RoleManagement.Read.Directory"),
            (
                "identityProtection/riskyUsers",
                "IdentityRiskyUser.Read.All",
            ),
            (
                "identityProtection/riskyServicePrincipals",
                "IdentityRiskyServicePrincipal.Read.All",
            ),
            ("auditLogs", "AuditLog.Read.All"),
            ("", "Policy.Read.All"),
        ];
        let Some(roles) = &self.roles else {
            return true;
        };
        let rest = path.splitn(3, '/').nth(2).unwrap_or_default();
        let needed = NEEDS.iter().find(|(begin, _)| rest.starts_with(begin));
        needed.is_none_or(|(_, role)| roles.iter().any(|has| has == role))
    }
}
