//! `enforcement.md` §2 and §3: the names that a token bears, and the earliest time at which it may have been issued.

use serde_json::Value;

use super::issuers::{self, Realm, is_entra, preset};
use super::text;

/// What kind of thing a name names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A user, by a stable identifier.
    User,
    /// A user, by an e-mail address.
    Email,
    /// A user, by a phone number.
    Phone,
    /// A session.
    Session,
    /// A device.
    Device,
    /// A client application.
    Client,
    /// A service principal.
    ServicePrincipal,
    /// A tenant.
    Tenant,
    /// One token.
    Token,
    /// A group. No token bears such a name.
    Group,
    /// An organisational unit. No token bears such a name.
    OrganizationalUnit,
}

/// A name of a subject. Two names are the same if they are the same text of the same kind in the same scope.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name {
    /// Scope of the issuer.
    pub scope: String,
    /// Kind.
    pub kind: Kind,
    /// The text.
    pub id: String,
}

impl Name {
    /// A name.
    #[must_use]
    pub fn new(scope: &str, kind: Kind, id: &str) -> Self {
        Self {
            scope: scope.into(),
            kind,
            id: id.into(),
        }
    }
}

/// A token as far as events are concerned.
#[derive(Clone, Debug)]
pub struct Token<'t> {
    /// Its claims.
    pub claims: &'t Value,
    /// Its issuer.
    pub realm: Realm,
    /// Its names.
    pub names: Vec<Name>,
    /// The earliest time at which it may have been issued.
    pub earliest: u64,
    /// Whether it is an app-only token.
    pub app_only: bool,
}

/// The claim that plays a part in the tokens of an issuer (the table of §2).
fn part<'t>(issuer: &Value, claims: &'t Value, part: &str) -> Option<&'t Value> {
    if let Some(name) = text(&issuer["claims"], part) {
        return claims.get(name);
    }
    let names: &[&str] = match (part, preset(issuer)) {
        ("user", "entra-v1" | "entra-v2") => &["oid"],
        ("user", "okta") => &["uid"],
        ("user", _) => &["sub"],
        ("userPairwise", "entra-v1" | "entra-v2") => &["sub"],
        ("session", "okta" | "google") => &[],
        ("session", _) => &["sid"],
        ("client", "entra-v1" | "entra-v2") => &["azp", "appid"],
        ("client", "keycloak" | "google") => &["azp"],
        ("client", "okta") => &["cid"],
        ("client", _) => &["client_id"],
        ("device", "entra-v1" | "entra-v2") => &["deviceid"],
        ("tokenId", "entra-v1" | "entra-v2") => &["uti"],
        ("tokenId", _) => &["jti"],
        _ => &[],
    };
    names.iter().find_map(|name| claims.get(*name))
}

/// Reads a token whose form is known to be sound.
#[must_use]
pub fn read<'t>(configuration: &Value, claims: &'t Value) -> Option<Token<'t>> {
    let realm = issuers::by_url(configuration, text(claims, "iss")?)?;
    let issuer = &configuration["issuers"][realm.issuer];
    let said = |name: &str| part(issuer, claims, name).and_then(Value::as_str);
    let app_only = is_app_only(issuer, claims);
    let mut names = Vec::new();
    let mut bear = |kind, id: Option<&str>| {
        names.extend(id.map(|id| Name::new(&realm.scope, kind, id)));
    };
    bear(Kind::Session, said("session"));
    bear(Kind::Device, said("device"));
    bear(Kind::Client, said("client"));
    bear(Kind::Token, said("tokenId"));
    bear(Kind::Tenant, realm.tenant.as_deref());
    if app_only {
        bear(
            Kind::ServicePrincipal,
            said("user").or_else(|| text(claims, "sub")),
        );
    }
    // "and a user key only if `sub` differs from the client id"
    if !app_only || text(claims, "sub") != said("client") {
        bear(Kind::User, said("user"));
        bear(Kind::User, said("userPairwise"));
        for (kind, address) in addresses(issuer, claims, said("user")) {
            bear(kind, Some(&address));
        }
    }
    Some(Token {
        claims,
        realm,
        names,
        earliest: earliest(configuration, issuer, claims)?,
        app_only,
    })
}

/// `access-token.md` §2.3 and §10.
fn is_app_only(issuer: &Value, claims: &Value) -> bool {
    if is_entra(issuer) {
        return match text(claims, "idtyp") {
            Some(kind) => kind == "app",
            None => claims.get("scp").is_none() && claims.get("roles").is_some(),
        };
    }
    let client = part(issuer, claims, "client").and_then(Value::as_str);
    client.is_some() && text(claims, "sub") == client
}

/// "from a verified claim of the same issuer, from an issuer marked `emailIsStable`, or from the configured alias
/// table; compared without case".
fn addresses(issuer: &Value, claims: &Value, user: Option<&str>) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let verified = if is_entra(issuer) {
        "xms_edov"
    } else {
        "email_verified"
    };
    if claims[verified] == true || issuer["emailIsStable"] == true {
        found.extend(text(claims, "email").map(|email| (Kind::Email, email.to_lowercase())));
    }
    if claims["phone_number_verified"] == true {
        found.extend(text(claims, "phone_number").map(|number| (Kind::Phone, number.into())));
    }
    let table = user.and_then(|user| issuer["aliases"].get(user));
    for alias in table.and_then(Value::as_array).into_iter().flatten() {
        let alias = alias.as_str().unwrap_or_default().to_lowercase();
        let kind = match alias.contains('@') {
            true => Kind::Email,
            false => Kind::Phone,
        };
        found.push((kind, alias));
    }
    found
}

/// "`iat`, or a later `nbf` where `honoursNbf` and at most 300 s + skew after `iat`".
fn earliest(configuration: &Value, issuer: &Value, claims: &Value) -> Option<u64> {
    let iat = claims["iat"].as_u64()?;
    let honours = issuer["honoursNbf"].as_bool().unwrap_or(is_entra(issuer));
    let skew = configuration["settings"]["clockSkewSeconds"]
        .as_u64()
        .unwrap_or(60);
    let latest_nbf = iat.saturating_add(300).saturating_add(skew);
    let nbf = claims["nbf"]
        .as_u64()
        .filter(|nbf| honours && *nbf > iat && *nbf <= latest_nbf);
    Some(nbf.unwrap_or(iat))
}

/// Positive evidence of multi-factor authentication: a method that says so (RFC 8176 §2 `mfa`, Entra's `ngcmfa`),
/// or the `acr` value that is configured to show it.
#[must_use]
pub fn shows_mfa(configuration: &Value, token: &Token<'_>) -> bool {
    let methods = token.claims["amr"].as_array();
    let mut methods = methods.into_iter().flatten().filter_map(Value::as_str);
    let acr = text(
        &configuration["issuers"][token.realm.issuer]["acrValues"],
        "mfa",
    );
    methods.any(|method| method == "mfa" || method == "ngcmfa")
        || acr.is_some() && text(token.claims, "acr") == acr
}
