//! Access tokens in the shapes of known issuers (`access-token.md` §2, `enforcement.md` §2).

use alloc::format;
use alloc::string::String;

use serde_json::json;

use super::model::{Client, Device, DirectoryUserType, SignsIn, TokenIssuer, User};
use crate::configuration::issuer::Preset;
use crate::json::{Map, Value};
use crate::time::UnixTime;

/// What a token is to say.
pub(super) struct Contents<'a> {
    pub(super) issuer: &'a TokenIssuer,
    pub(super) client: &'a Client,
    pub(super) user: Option<&'a User>,
    pub(super) device: Option<&'a Device>,
    /// Address as the issuer sees it.
    pub(super) address: Option<&'a str>,
    pub(super) issued: UnixTime,
    pub(super) lifetime: u64,
    pub(super) authenticated: UnixTime,
    /// Grant controls met.
    pub(super) satisfied: &'a [String],
    /// Claims by which the token shows what the issuer decided.
    pub(super) granted: &'a Map<String, Value>,
    /// Unique within the run.
    pub(super) id: u64,
}

impl Contents<'_> {
    /// JOSE header members besides `alg` and `kid`.
    pub(super) fn header(&self) -> Map<String, Value> {
        // SPEC: RFC 9068 §2.1; everybody else writes `JWT`.
        let kind = match self.issuer.preset {
            Preset::Rfc9068 => "at+jwt",
            _ => "JWT",
        };
        Map::from_iter([("typ".into(), kind.into())])
    }

    /// The claims.
    pub(super) fn claims(&self) -> Value {
        let mut claims = self.of_every_issuer();
        let own = match self.issuer.preset {
            Preset::EntraV1 | Preset::EntraV2 => self.of_entra(),
            Preset::Keycloak => self.of_keycloak(),
            Preset::Okta => self.of_okta(),
            Preset::Google => self.of_google(),
            Preset::Rfc9068 => self.of_rfc9068(),
        };
        let layers = [
            own.as_object(),
            Some(self.granted),
            Some(&self.issuer.claims),
            Some(&self.client.claims),
            self.user.map(|user| &user.claims),
        ];
        for layer in layers {
            overlay(&mut claims, layer);
        }
        Value::Object(claims)
    }

    fn of_every_issuer(&self) -> Map<String, Value> {
        let issued = self.issued.as_secs();
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.issuer.as_str().into());
        claims.insert("aud".into(), self.issuer.audience.clone());
        claims.insert(
            "iat".into(),
            issued
                .saturating_sub(self.issuer.issue_time_backdated)
                .into(),
        );
        claims.insert("exp".into(), issued.saturating_add(self.lifetime).into());
        claims
    }

    fn of_entra(&self) -> Value {
        let first_version = self.issuer.preset == Preset::EntraV1;
        let backdated = self
            .issued
            .as_secs()
            .saturating_sub(self.issuer.issue_time_backdated);
        let client = if first_version { "appid" } else { "azp" };
        let user = self.user;
        let amr = || {
            let methods: &[&str] = if self.met("mfa") {
                &["pwd", "mfa"]
            } else {
                &["pwd"]
            };
            (first_version && user.is_some()).then_some(methods)
        };
        json!({
            "nbf": backdated,
            "tid": self.issuer.tenant,
            "ver": if first_version { "1.0" } else { "2.0" },
            "uti": self.token_id(),
            client: self.client.application_id,
            "oid": self.principal(),
            "sub": self.subject(),
            "idtyp": if user.is_some() { "user" } else { "app" },
            "sid": user.and_then(|user| user.session_id.as_deref()),
            "scp": user.map(|_| self.client.scopes.join(" ")),
            "roles": user.is_none().then_some(&self.client.scopes),
            "groups": user.and_then(|user| non_empty(&user.groups)),
            "wids": user.and_then(|user| non_empty(&user.roles)),
            "acct": user.map(|user| u8::from(user.user_type == DirectoryUserType::Guest)),
            "amr": amr(),
            "auth_time": user.map(|_| self.authenticated.as_secs()),
            "deviceid": self.device.map(|device| &device.id),
            "ipaddr": self.address,
        })
    }

    fn of_keycloak(&self) -> Value {
        json!({
            "jti": self.token_id(),
            "typ": "Bearer",
            "azp": self.client.application_id,
            "sub": self.subject(),
            "sid": self.user.and_then(|user| user.session_id.as_deref()),
            "acr": if self.met("mfa") { "2" } else { "1" },
            "auth_time": self.user.map(|_| self.authenticated.as_secs()),
            "scope": self.client.scopes.join(" "),
            "email": self.user.and_then(|user| user.email.as_deref()),
            "email_verified": self.user.and_then(|user| user.email.as_ref()).map(|_| true),
            "preferred_username": self.user.and_then(|user| user.email.as_deref()),
        })
    }

    fn of_okta(&self) -> Value {
        // The subject of an Okta token is the login, `uid` the user.
        let login = self.user.and_then(|user| user.email.as_deref());
        json!({
            "ver": 1,
            "jti": format!("AT.{}", self.token_id()),
            "cid": self.client.application_id,
            "uid": self.user.map(|user| &user.object_id),
            "sub": login.or(self.subject()),
            "scp": self.client.scopes,
            "auth_time": self.user.map(|_| self.authenticated.as_secs()),
        })
    }

    fn of_google(&self) -> Value {
        json!({
            "azp": self.client.application_id,
            "sub": self.subject(),
            "email": self.user.and_then(|user| user.email.as_deref()),
            "email_verified": self.user.and_then(|user| user.email.as_ref()).map(|_| true),
            "scope": self.client.scopes.join(" "),
        })
    }

    fn of_rfc9068(&self) -> Value {
        json!({
            "jti": self.token_id(),
            "client_id": self.client.application_id,
            "sub": self.subject(),
            "sid": self.user.and_then(|user| user.session_id.as_deref()),
            "scope": self.client.scopes.join(" "),
            "auth_time": self.user.map(|_| self.authenticated.as_secs()),
            "amr": self.user.map(|_| if self.met("mfa") { ["pwd", "mfa"].as_slice() } else { &["pwd"] }),
            "groups": self.user.and_then(|user| non_empty(&user.groups)),
        })
    }

    fn token_id(&self) -> String {
        format!("{:016x}", self.id)
    }

    fn met(&self, control: &str) -> bool {
        self.satisfied.iter().any(|met| met == control)
    }

    /// The object id of whoever the token speaks for.
    fn principal(&self) -> Option<&str> {
        match (&self.client.signs_in, self.user) {
            (_, Some(user)) => Some(&user.object_id),
            (
                SignsIn::Itself {
                    service_principal_id,
                    ..
                },
                None,
            ) => Some(service_principal_id),
            (SignsIn::Users, None) => None,
        }
    }

    fn subject(&self) -> Option<&str> {
        match self.user {
            Some(user) => user.subject.as_deref().or(Some(&user.object_id)),
            // SPEC: RFC 9068 §2.2: the subject of an app-only token is the client.
            None if self.issuer.preset.is_entra() => self.principal(),
            None => Some(&self.client.application_id),
        }
    }
}

fn non_empty(list: &[String]) -> Option<&[String]> {
    (!list.is_empty()).then_some(list)
}

/// Puts `more` over `claims`; `null` removes.
pub(super) fn overlay(claims: &mut Map<String, Value>, more: Option<&Map<String, Value>>) {
    for (name, value) in more.into_iter().flatten() {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
}

/// Numbers that a real issuer would draw: SplitMix64 over the seed and the step.
pub(super) fn random(seed: u64, step: usize) -> u64 {
    let step = u64::try_from(step).unwrap_or(u64::MAX);
    let mut state = seed.wrapping_add(step.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
