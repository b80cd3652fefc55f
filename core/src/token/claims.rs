//! Which claim plays which part in the tokens of an issuer.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use crate::configuration::issuer::Preset;
use crate::json::Value;

macro_rules! parts {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// A part that a claim can play.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Part {
            $($(#[doc = $doc])+ $variant),+
        }

        impl Part {
            /// The name of the part in the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The part with exactly this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        /// The names of all parts, for configuration readers.
        pub const PARTS: &[&str] = &[$($name),+];
    };
}

parts! {
    /// The user, or the service principal of an app-only Entra token.
    User = "user",
    /// The user as one client sees them (Entra's `sub`).
    UserPairwise = "userPairwise",
    /// The sign-in session.
    Session = "session",
    /// The client application.
    Client = "client",
    /// How the client authenticated (Entra's `azpacr`).
    ClientAuthentication = "clientAuthentication",
    /// The device.
    Device = "device",
    /// The tenant.
    Tenant = "tenant",
    /// The token itself.
    TokenId = "tokenId",
    /// Group ids.
    Groups = "groups",
    /// Directory role template ids.
    DirectoryRoles = "directoryRoles",
    /// Member or guest.
    UserType = "userType",
    /// Who signed the user in, where that is not the issuer.
    IdentityProvider = "identityProvider",
    /// User or application.
    PrincipalType = "principalType",
    /// Delegated permissions.
    Scopes = "scopes",
    /// Application permissions.
    ApplicationRoles = "applicationRoles",
    /// Authentication methods.
    Amr = "amr",
    /// Authentication context class.
    Acr = "acr",
    /// Authentication contexts.
    Acrs = "acrs",
    /// Flags of the sign-in.
    SigninState = "signinState",
    /// Time of the last authentication.
    AuthTime = "authTime",
    /// Client capabilities.
    Capabilities = "capabilities",
    /// Says that the token may live as long as those of capable clients.
    ContinuousAccess = "continuousAccess",
    /// Client address at issue.
    Address = "address",
    /// E-mail address.
    Email = "email",
    /// Whether that address is verified.
    EmailVerified = "emailVerified",
    /// Phone number.
    PhoneNumber = "phoneNumber",
    /// Whether that number is verified.
    PhoneNumberVerified = "phoneNumberVerified",
}

/// Claim names by part.
///
/// A name that starts with `/` is a JSON pointer (RFC 6901) into the claims, for issuers that nest them.
///
/// ```
/// use cae_core::configuration::issuer::Preset;
/// use cae_core::token::claims::{ClaimMap, Part};
///
/// let mut claims = ClaimMap::preset(Preset::Keycloak);
/// assert!(claims.set("groups", "/resource_access/groups"));
/// assert!(!claims.set("nickname", "nick"), "no such part");
/// assert_eq!(claims.name(Part::Client), Some("azp"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimMap {
    /// The first name that a token has counts.
    names: BTreeMap<Part, Vec<String>>,
}

impl ClaimMap {
    /// The claim names of a preset.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        let mut map = Self::default();
        let parts = COMMON.iter().chain(match preset {
            Preset::EntraV1 | Preset::EntraV2 => ENTRA,
            Preset::Keycloak => KEYCLOAK,
            Preset::Okta => OKTA,
            Preset::Google => GOOGLE,
            Preset::Rfc9068 => RFC9068,
        });
        for (part, names) in parts {
            let names = names.iter().copied().map(String::from).collect();
            map.names.insert(*part, names);
        }
        map
    }

    /// Lets `claim` play `part`, instead of what played it before; the empty string leaves the part unplayed.
    /// False if there is no such part.
    pub fn set(&mut self, part: &str, claim: &str) -> bool {
        let Some(part) = Part::from_name(part) else {
            return false;
        };
        if claim.is_empty() {
            self.names.remove(&part);
        } else {
            self.names.insert(part, vec![claim.to_string()]);
        }
        true
    }

    /// The name of the claim that plays `part`; the preferred one where several may.
    #[must_use]
    pub fn name(&self, part: Part) -> Option<&str> {
        self.names(part).next()
    }

    /// All names of claims that may play `part`, the preferred one first.
    pub(super) fn names(&self, part: Part) -> impl Iterator<Item = &str> {
        self.names
            .get(&part)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The claim that plays `part` in `claims`.
    #[must_use]
    pub fn value<'c>(&self, part: Part, claims: &'c Value) -> Option<&'c Value> {
        self.names(part)
            .find_map(|name| match name.starts_with('/') {
                true => claims.pointer(name),
                false => claims.get(name),
            })
    }
}

type Names = &'static [(Part, &'static [&'static str])];

/// Registered names (RFC 7519, OpenID Connect Core §2 and §5.1, RFC 9068 §2.2) and the client capability.
const COMMON: Names = &[
    (Part::User, &["sub"]),
    (Part::TokenId, &["jti"]),
    (Part::Scopes, &["scope"]),
    (Part::Groups, &["groups"]),
    (Part::Amr, &["amr"]),
    (Part::Acr, &["acr"]),
    (Part::AuthTime, &["auth_time"]),
    (Part::Capabilities, &["xms_cc"]),
    (Part::Email, &["email"]),
    (Part::EmailVerified, &["email_verified"]),
    (Part::PhoneNumber, &["phone_number"]),
    (Part::PhoneNumberVerified, &["phone_number_verified"]),
];

/// Both versions: since the issuer URLs of a tenant are aliases, a token of the other one may come along, and
/// only the name of the client differs.
const ENTRA: Names = &[
    (Part::User, &["oid"]),
    (Part::UserPairwise, &["sub"]),
    (Part::Session, &["sid"]),
    (Part::Client, &["azp", "appid"]),
    (Part::ClientAuthentication, &["azpacr", "appidacr"]),
    (Part::Device, &["deviceid"]),
    (Part::Tenant, &["tid"]),
    (Part::TokenId, &["uti"]),
    (Part::DirectoryRoles, &["wids"]),
    (Part::UserType, &["acct"]),
    (Part::IdentityProvider, &["idp"]),
    (Part::PrincipalType, &["idtyp"]),
    (Part::Scopes, &["scp"]),
    (Part::ApplicationRoles, &["roles"]),
    (Part::Acrs, &["acrs"]),
    (Part::SigninState, &["signin_state"]),
    (Part::ContinuousAccess, &["xms_cae", "xms_ssm"]),
    (Part::Address, &["ipaddr"]),
    (Part::EmailVerified, &["xms_edov"]),
];

const KEYCLOAK: Names = &[
    (Part::Session, &["sid"]),
    (Part::Client, &["azp"]),
    (Part::ApplicationRoles, &["/realm_access/roles"]),
];

/// The token's `sub` is the login, which can change hands; `uid` is the user.
const OKTA: Names = &[
    (Part::User, &["uid"]),
    (Part::Client, &["cid"]),
    (Part::Scopes, &["scp"]),
];

const GOOGLE: Names = &[(Part::Client, &["azp"])];

const RFC9068: Names = &[
    (Part::Session, &["sid"]),
    (Part::Client, &["client_id"]),
    (Part::ApplicationRoles, &["roles"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_part_has_a_name_that_reads_back() {
        for name in PARTS {
            assert_eq!(Part::from_name(name).map(Part::name), Some(*name));
        }
        assert_eq!(Part::from_name("User"), None);
    }

    #[test]
    fn presets_name_the_claims_of_the_table() {
        for (preset, user, session, client, device) in [
            (Preset::EntraV1, "oid", Some("sid"), "azp", Some("deviceid")),
            (Preset::EntraV2, "oid", Some("sid"), "azp", Some("deviceid")),
            (Preset::Keycloak, "sub", Some("sid"), "azp", None),
            (Preset::Okta, "uid", None, "cid", None),
            (Preset::Google, "sub", None, "azp", None),
            (Preset::Rfc9068, "sub", Some("sid"), "client_id", None),
        ] {
            let map = ClaimMap::preset(preset);
            assert_eq!(map.name(Part::User), Some(user), "{preset:?}");
            assert_eq!(map.name(Part::Session), session, "{preset:?}");
            assert_eq!(map.name(Part::Client), Some(client), "{preset:?}");
            assert_eq!(map.name(Part::Device), device, "{preset:?}");
        }
    }

    #[test]
    fn a_part_can_be_played_by_another_claim_or_by_none() {
        let mut map = ClaimMap::preset(Preset::EntraV2);
        let claims = json!({"appid": "a", "x": {"y": ["c"]}, "sid": "s"});
        assert_eq!(map.value(Part::Client, &claims), Some(&json!("a")));
        assert!(map.set("client", "/x/y/0") && map.set("session", ""));
        assert_eq!(map.value(Part::Client, &claims), Some(&json!("c")));
        assert_eq!(map.value(Part::Session, &claims), None);
        assert!(!map.set("Session", "sid"));
    }
}
