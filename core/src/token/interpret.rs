//! From the claims of one token to typed facts, by the claim map of its issuer.
//!
//! A claim that names somebody has to be readable, or the token is refused: an identifier that is lost here is
//! an event that is missed later. A claim that only describes the sign-in and cannot be read is unknown.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use super::access_token::{AccessToken, Confirmation, Fact, Principal, UserType};
use super::claims::Part;
use super::issuer_match::scope_of;
use super::numeric_date::{self, Rounding};
use super::read::Refusal;
use super::subject_keys::{KeyList, canonical_identifier};
use crate::configuration::issuer::Preset;
use crate::configuration::{Issuer, Settings};
use crate::decision::ReasonCode;
use crate::json::Value;
use crate::policy::is_guid;
use crate::state::key::{NameSpace, SubjectKind};
use crate::time::UnixTime;

/// SPEC: `enforcement.md` §3: a later `nbf` counts as issue time up to here, plus the skew, after `iat`.
const NBF_TOLERANCE: u64 = 300;

/// Whose token it is.
pub(super) struct Origin<'a> {
    /// Index in `Configuration::issuers`.
    pub(super) index: usize,
    pub(super) issuer: &'a Issuer,
    /// For Entra, in lower case.
    pub(super) tenant: Option<String>,
}

/// The settings that tell how old a token may become, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Ages {
    pub(super) skew: u64,
    pub(super) capable: u64,
    pub(super) other: u64,
}

impl From<&Settings> for Ages {
    fn from(settings: &Settings) -> Self {
        Self {
            skew: settings.clock_skew,
            capable: settings.max_token_age_capable,
            other: settings.max_token_age_other,
        }
    }
}

/// Reads every claim that decisions need; does not look at the clock.
pub(super) fn interpret(
    claims: Value,
    origin: &Origin<'_>,
    ages: Ages,
) -> Result<AccessToken, Refusal> {
    let issuer = origin.issuer;
    let read = Reader {
        issuer,
        claims: &claims,
    };
    let issuer_url = read.text("iss")?.ok_or_else(|| missing("iss"))?;
    let issued_at = read
        .date("iat", Rounding::Down)?
        .ok_or_else(|| missing("iat"))?;
    let expires = read
        .date("exp", Rounding::Down)?
        .ok_or_else(|| missing("exp"))?;
    let not_before = read.date("nbf", Rounding::Up)?;

    let sub = read.text("sub")?;
    let user = read.identifier(Part::User)?;
    let pairwise = read.identifier(Part::UserPairwise)?;
    let client = read.identifier(Part::Client)?;
    let session = read.identifier(Part::Session)?;
    let device = read.identifier(Part::Device)?;
    let token_id = read.identifier(Part::TokenId)?;
    let tenant = read.identifier(Part::Tenant)?;
    let principal = read.principal(sub, user, client);
    let service_principal = match principal {
        Principal::Application => user.or(sub).or(client),
        Principal::User => None,
    };
    read.required(principal, user, client, token_id)?;

    let scope = scope_of(issuer, origin.tenant.as_deref());
    let mut keys = KeyList::new(&scope);
    // SPEC: `enforcement.md` §2: an app-only token yields a user key only if `sub` differs from the client.
    if principal == Principal::User || sub != client {
        keys.native(SubjectKind::User, user);
        keys.native(SubjectKind::User, pairwise);
        for (name_space, text) in read.contacts(user) {
            keys.add(SubjectKind::User, name_space, Some(text));
        }
    }
    keys.native(SubjectKind::Session, session);
    keys.native(SubjectKind::Device, device);
    keys.native(SubjectKind::Token, token_id);
    keys.native(SubjectKind::ClientApplication, client);
    keys.native(SubjectKind::ServicePrincipal, service_principal);
    keys.native(SubjectKind::Tenant, origin.tenant.as_deref().or(tenant));
    let keys = keys.into_vec();

    let capable = read.capable();
    let cap = match capable || read.continuous_access() {
        true => ages.capable,
        false => ages.other,
    };
    let issued_latest = issued_at.saturating_add(Duration::from_secs(issuer.issue_time_backdated));
    let tolerance = Duration::from_secs(NBF_TOLERANCE.saturating_add(ages.skew));
    let issued_earliest = not_before
        .filter(|nbf| issuer.honours_nbf && *nbf <= issued_at.saturating_add(tolerance))
        .map_or(issued_at, |nbf| nbf.max(issued_at));

    let token = AccessToken {
        issuer: origin.index,
        issuer_url: issuer_url.to_string(),
        tenant: origin.tenant.clone(),
        principal,
        subject: service_principal.or(user).map(str::to_lowercase),
        client_application: client.map(String::from),
        token_id: token_id.map(String::from),
        keys,
        issued_earliest,
        issued_latest,
        issued_at,
        not_before,
        good_until: expires.min(issued_latest.saturating_add(Duration::from_secs(cap))),
        expires,
        capable,
        confirmation: claims.get("cnf").map(confirmation),
        groups: read.groups(),
        directory_roles: lower_case(read.list(Part::DirectoryRoles)),
        user_type: read.user_type(principal, issuer_url, origin.tenant.as_deref()),
        user_type_shown: read.value(Part::UserType).is_some(),
        external_tenant: read.external_tenant(principal, issuer_url, origin.tenant.as_deref()),
        amr: read.list(Part::Amr),
        acr: read.acr(),
        acrs: read.list(Part::Acrs),
        signin_state: read.list(Part::SigninState),
        auth_time: read
            .value(Part::AuthTime)
            .and_then(|value| numeric_date::read(value, Rounding::Down))
            .map_or(Fact::Unknown, Fact::Known),
        device_id: device.map(String::from),
        scopes: read.scopes(principal),
        scope,
        claims: Value::Null,
    };
    // Everything above is read out of the claims; only now can they move in.
    Ok(AccessToken { claims, ..token })
}

/// Whether the issuer left the groups out because there are too many (`access-token.md` §2.3).
pub(super) fn groups_overage(claims: &Value, name: Option<&str>) -> bool {
    let distributed = match claims.get("_claim_names") {
        None => false,
        Some(Value::Object(names)) => {
            names.contains_key("groups") || name.is_some_and(|name| names.contains_key(name))
        }
        Some(_) => true,
    };
    let implicit = !matches!(claims.get("hasgroups"), None | Some(Value::Bool(false)));
    distributed || implicit || claims.get("groups:src1").is_some()
}

/// Reads claims by the part that they play.
struct Reader<'a> {
    issuer: &'a Issuer,
    claims: &'a Value,
}

impl<'a> Reader<'a> {
    fn value(&self, part: Part) -> Option<&'a Value> {
        self.issuer.claims.value(part, self.claims)
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(unreadable(name, "a string")),
        }
    }

    fn date(&self, name: &str, rounding: Rounding) -> Result<Option<UnixTime>, Refusal> {
        let date = |value| {
            numeric_date::read(value, rounding)
                .ok_or_else(|| unreadable(name, "a number of seconds in range"))
        };
        self.claims.get(name).map(date).transpose()
    }

    /// A claim that names somebody or something.
    fn identifier(&self, part: Part) -> Result<Option<&'a str>, Refusal> {
        match self.value(part) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => {
                let name = self.issuer.claims.name(part).unwrap_or(part.name());
                Err(unreadable(name, "a string that is not empty"))
            }
        }
    }

    /// SPEC: `access-token.md` §2: `idtyp` decides; without it an Entra token without delegated permissions is
    /// app-only if `sub` is the service principal. Roles are no evidence: users have them too, and a user taken for an
    /// application escapes every policy for users.
    fn principal(&self, sub: Option<&str>, user: Option<&str>, client: Option<&str>) -> Principal {
        match self.value(Part::PrincipalType).and_then(Value::as_str) {
            Some("app") => return Principal::Application,
            Some("user") => return Principal::User,
            _ => {}
        }
        let app_permissions = self.issuer.preset.is_entra()
            && self.value(Part::Scopes).is_none()
            && sub.is_some()
            && sub == user;
        // SPEC: RFC 9068 §2.2: `sub` of a client-credentials token names the client.
        if app_permissions || (sub.is_some() && sub == client) {
            Principal::Application
        } else {
            Principal::User
        }
    }

    /// The claims without which an event could not find the token.
    fn required(
        &self,
        principal: Principal,
        user: Option<&str>,
        client: Option<&str>,
        token_id: Option<&str>,
    ) -> Result<(), Refusal> {
        let require = |part: Part, found: Option<&str>| {
            let name = self.issuer.claims.name(part).unwrap_or(part.name());
            found.map(|_| ()).ok_or_else(|| missing(name))
        };
        if self.issuer.preset == Preset::Rfc9068 {
            // SPEC: RFC 9068 §2.2.
            require(Part::User, user)?;
            require(Part::Client, client)?;
            require(Part::TokenId, token_id)?;
        }
        match principal {
            Principal::User => require(Part::User, user),
            Principal::Application => require(Part::Client, client),
        }
    }

    /// Verified or configured addresses and numbers of the user.
    ///
    /// SPEC: `enforcement.md` §2: never `upn` or `preferred_username`.
    fn contacts(&self, user: Option<&str>) -> Vec<(NameSpace, &'a str)> {
        let verified = |part| self.value(part).is_some_and(is_affirmative);
        let mut contacts = Vec::new();
        let email = self.value(Part::Email).and_then(Value::as_str);
        if self.issuer.email_is_stable || verified(Part::EmailVerified) {
            contacts.extend(email.map(|email| (NameSpace::Email, email)));
        }
        let phone = self.value(Part::PhoneNumber).and_then(Value::as_str);
        if verified(Part::PhoneNumberVerified) {
            contacts.extend(phone.map(|phone| (NameSpace::PhoneNumber, phone)));
        }
        let aliases = user.and_then(|user| {
            let canonical = canonical_identifier(NameSpace::Native, user);
            let table = &self.issuer.aliases;
            table.get(user).or_else(|| table.get(&canonical))
        });
        for alias in aliases.into_iter().flatten() {
            let name_space = match alias.contains('@') {
                true => NameSpace::Email,
                false => NameSpace::PhoneNumber,
            };
            contacts.push((name_space, alias));
        }
        contacts
    }

    /// A list of strings. A plain string counts as a list of one, which some issuers write.
    fn list(&self, part: Part) -> Fact<Vec<String>> {
        let absent_is_a_fact = self.issuer.always_present.contains(part.name());
        match self.value(part) {
            None if absent_is_a_fact => Fact::Known(Vec::new()),
            None => Fact::Unknown,
            Some(value) => strings(value).map_or(Fact::Unknown, Fact::Known),
        }
    }

    fn groups(&self) -> Fact<Vec<String>> {
        if groups_overage(self.claims, self.issuer.claims.name(Part::Groups)) {
            return Fact::Unknown;
        }
        lower_case(self.list(Part::Groups))
    }

    fn acr(&self) -> Fact<String> {
        match self.value(Part::Acr) {
            Some(Value::String(acr)) => Fact::Known(acr.clone()),
            None if self.issuer.always_present.contains(Part::Acr.name()) => {
                Fact::Known(String::new())
            }
            _ => Fact::Unknown,
        }
    }

    /// SPEC: `access-token.md` §11: `xms_cc` is compared without case; a plain string is tolerated as one value.
    fn capable(&self) -> bool {
        let capabilities = self.value(Part::Capabilities).and_then(strings);
        capabilities
            .into_iter()
            .flatten()
            .any(|capability| capability.eq_ignore_ascii_case("cp1"))
    }

    /// `xms_cae` or `xms_ssm`: the token may live long, though the client may not take a challenge.
    fn continuous_access(&self) -> bool {
        let mut names = self.issuer.claims.names(Part::ContinuousAccess);
        names.any(|name| self.claims.get(name).is_some_and(is_affirmative))
    }

    fn scopes(&self, principal: Principal) -> Vec<String> {
        let mut scopes = match self.value(Part::Scopes) {
            Some(Value::String(text)) => text
                .split(' ')
                .filter(|scope| !scope.is_empty())
                .map(String::from)
                .collect(),
            Some(value) => strings(value).unwrap_or_default(),
            None => Vec::new(),
        };
        // In a user's token the same claim holds the roles of the person, which are no permissions of the client.
        if principal == Principal::Application {
            let roles = self.value(Part::ApplicationRoles).and_then(strings);
            scopes.extend(roles.into_iter().flatten());
        }
        scopes
    }

    /// Whether `idp` is the issuer itself, by this or another of its URLs: those of one tenant hold its id.
    fn is_home(&self, idp: &str, iss: &str, tenant: Option<&str>) -> bool {
        let names_tenant =
            |tenant: &str| idp.split('/').any(|part| part.eq_ignore_ascii_case(tenant));
        idp == iss || (self.issuer.preset.is_entra() && tenant.is_some_and(names_tenant))
    }

    /// The tenant that `idp` names, where it is not the token's own (`access-token.md` §10, "guest").
    fn external_tenant(
        &self,
        principal: Principal,
        iss: &str,
        tenant: Option<&str>,
    ) -> Option<String> {
        let idp = self.value(Part::IdentityProvider)?.as_str()?;
        if principal == Principal::Application || self.is_home(idp, iss, tenant) {
            return None;
        }
        let named = idp.split('/').find(|part| is_guid(part))?;
        Some(named.to_ascii_lowercase())
    }

    fn user_type(&self, principal: Principal, iss: &str, tenant: Option<&str>) -> Fact<UserType> {
        if principal == Principal::Application {
            return Fact::Unknown;
        }
        match self.value(Part::UserType) {
            Some(value) => match (value.as_u64(), value.as_str()) {
                (Some(0), _) | (_, Some("0")) => Fact::Known(UserType::Member),
                (Some(1), _) | (_, Some("1")) => Fact::Known(UserType::Guest),
                (_, Some(name)) if name.eq_ignore_ascii_case("member") => {
                    Fact::Known(UserType::Member)
                }
                (_, Some(name)) if name.eq_ignore_ascii_case("guest") => {
                    Fact::Known(UserType::Guest)
                }
                _ => Fact::Unknown,
            },
            None => match self.value(Part::IdentityProvider).and_then(Value::as_str) {
                Some(idp) if !self.is_home(idp, iss, tenant) => Fact::Known(UserType::Guest),
                _ => Fact::Unknown,
            },
        }
    }
}

/// `cnf` (RFC 7800 §3). Several members would need several proofs, which nobody sends.
fn confirmation(value: &Value) -> Confirmation {
    let Some(members) = value.as_object() else {
        return Confirmation::Unknown;
    };
    let mut members = members.iter();
    let (Some((member, Value::String(thumbprint))), None) = (members.next(), members.next()) else {
        return Confirmation::Unknown;
    };
    // SHA-256 in base64url: 43 characters.
    let well_formed = thumbprint.len() == 43
        && thumbprint
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match member.as_str() {
        "jkt" if well_formed => Confirmation::Jkt(thumbprint.clone()),
        "x5t#S256" if well_formed => Confirmation::X5tS256(thumbprint.clone()),
        _ => Confirmation::Unknown,
    }
}

/// True as issuers write it: `true`, 1, or the same as text.
fn is_affirmative(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_u64() == Some(1),
        Value::String(text) => text == "1" || text == "true",
        _ => false,
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some([one.clone()].into()),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(String::from))
            .collect(),
        _ => None,
    }
}

fn lower_case(list: Fact<Vec<String>>) -> Fact<Vec<String>> {
    match list {
        Fact::Known(values) => {
            Fact::Known(values.iter().map(|value| value.to_lowercase()).collect())
        }
        Fact::Unknown => Fact::Unknown,
    }
}

fn missing(claim: &str) -> Refusal {
    Refusal::new(ReasonCode::TokenClaims, format!("`{claim}` is missing"))
}

fn unreadable(claim: &str, expected: &str) -> Refusal {
    Refusal::new(
        ReasonCode::TokenClaims,
        format!("`{claim}` is not {expected}"),
    )
}

#[cfg(test)]
mod tests;
