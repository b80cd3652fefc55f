//! What a preset stands for beside its claim names (`enforcement.md` §2).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::claims::ClaimMap;
use super::keys::{Algorithm, KeySet};
use crate::configuration::issuer::Preset;
use crate::configuration::{Dialect, Issuer};
use crate::policy::PolicySet;

/// In an accepted-`typ` list: a token without `typ` is accepted too.
pub const WITHOUT_TYPE: &str = "";

/// The two forms of the issuer URL of one Entra tenant. National clouds come from configuration.
const ENTRA_V1: (&str, &str) = ("https://sts.windows.net/", "/");
const ENTRA_V2: (&str, &str) = ("https://login.microsoftonline.com/", "/v2.0");

impl Preset {
    /// All presets.
    pub const ALL: &'static [Self] = &[
        Self::EntraV1,
        Self::EntraV2,
        Self::Keycloak,
        Self::Okta,
        Self::Google,
        Self::Rfc9068,
    ];

    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EntraV1 => "entra-v1",
            Self::EntraV2 => "entra-v2",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
            Self::Google => "google",
            Self::Rfc9068 => "rfc9068",
        }
    }

    /// The preset with exactly this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|preset| preset.name() == name)
    }

    /// Accepted `typ` values, in lower case and without `application/`; [`WITHOUT_TYPE`] stands for a token that
    /// has none, as Okta's have.
    #[must_use]
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::EntraV1 | Self::EntraV2 => &["jwt"],
            // `at+jwt` is a switch of the client in newer versions.
            Self::Keycloak => &["jwt", "at+jwt"],
            Self::Okta | Self::Google => &["jwt", "at+jwt", WITHOUT_TYPE],
            Self::Rfc9068 => &["at+jwt"],
        }
    }

    /// Algorithms accepted unless configured otherwise: at most one for each type of key (RFC 8725 §3.1), never
    /// a symmetric one.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::EntraV1 | Self::EntraV2 | Self::Okta | Self::Google => &[Algorithm::Rs256],
            Self::Keycloak | Self::Rfc9068 => {
                &[Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa]
            }
        }
    }

    /// By how many seconds `iat` may lie before the real issue time. Defaults to 300 for Entra, which backdates
    /// by about five minutes; else 0.
    #[must_use]
    pub const fn issue_time_backdated(self) -> u64 {
        if self.is_entra() { 300 } else { 0 }
    }

    /// Whether the issuer answers a challenge's `nbf` with a token whose `nbf` is not earlier.
    #[must_use]
    pub const fn honours_nbf(self) -> bool {
        self.is_entra()
    }

    /// Whether the issuer evaluates the policies listed under it at every issue.
    #[must_use]
    pub const fn enforces_policies(self) -> bool {
        self.is_entra()
    }

    /// How challenges are worded.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        if self.is_entra() {
            Dialect::Entra
        } else {
            Dialect::OAuth
        }
    }

    /// An issuer at `url` with the defaults of this preset; it has no keys, audiences or policies yet.
    #[must_use]
    pub fn issuer_at(self, url: &str) -> Issuer {
        Issuer {
            issuer: url.to_string(),
            tenants: Vec::new(),
            issuer_aliases: self.aliases_of(url),
            preset: self,
            claims: ClaimMap::preset(self),
            scope: None,
            types: self.types().iter().copied().map(String::from).collect(),
            algorithms: self.algorithms().to_vec(),
            keys: KeySet::default(),
            jwks_uri: None,
            audiences: Vec::new(),
            dialect: self.dialect(),
            issue_time_backdated: self.issue_time_backdated(),
            honours_nbf: self.honours_nbf(),
            enforces_policies: self.enforces_policies(),
            email_is_stable: false,
            aliases: BTreeMap::new(),
            always_present: BTreeSet::new(),
            acr_values: BTreeMap::new(),
            assurance_levels: BTreeMap::new(),
            policies: PolicySet::default(),
        }
    }

    /// Other URLs under which the issuer with this URL speaks. `{tenantid}` in it stays.
    ///
    /// For Okta this is the org URL of a custom authorization server; that all servers of one org name the same
    /// people is known to [`resolve_issuer`](super::issuer_match::resolve_issuer), since their URLs cannot be
    /// listed.
    #[must_use]
    pub fn aliases_of(self, issuer: &str) -> Vec<String> {
        match self {
            Self::EntraV1 | Self::EntraV2 => entra_twin(issuer).into_iter().collect(),
            Self::Okta => match okta_org(issuer) {
                org if org == issuer => Vec::new(),
                org => vec![org.to_string()],
            },
            Self::Google => vec![match issuer.strip_suffix('/') {
                Some(without) => without.to_string(),
                None => format!("{issuer}/"),
            }],
            Self::Keycloak | Self::Rfc9068 => Vec::new(),
        }
    }
}

/// The other issuer URL of the same Entra tenant.
pub(crate) fn entra_twin(issuer: &str) -> Option<String> {
    let tenant = |(prefix, suffix): (&str, &str)| {
        issuer
            .strip_prefix(prefix)?
            .strip_suffix(suffix)
            .filter(|tenant| !tenant.is_empty() && !tenant.contains('/'))
    };
    let url = |(prefix, suffix): (&str, &str), tenant: &str| format!("{prefix}{tenant}{suffix}");
    match (tenant(ENTRA_V1), tenant(ENTRA_V2)) {
        (Some(tenant), _) => Some(url(ENTRA_V2, tenant)),
        (_, Some(tenant)) => Some(url(ENTRA_V1, tenant)),
        (None, None) => None,
    }
}

/// The org URL of an Okta issuer: that of a custom authorization server ends in `/oauth2/ID`.
pub(crate) fn okta_org(issuer: &str) -> &str {
    match issuer.rsplit_once("/oauth2/") {
        Some((org, server)) if !server.is_empty() && !server.contains('/') => org,
        _ => issuer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_the_other_forms_of_the_same_issuer() {
        const TENANT: &str = "f0480ff9-86dc-42cb-847e-ca11593942a4";
        let v1 = format!("https://sts.windows.net/{TENANT}/");
        let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        for (preset, issuer, expected) in [
            (Preset::EntraV2, v2.as_str(), Some(v1.as_str())),
            (Preset::EntraV1, v1.as_str(), Some(v2.as_str())),
            (
                Preset::EntraV2,
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                Some("https://sts.windows.net/{tenantid}/"),
            ),
            (
                Preset::EntraV2,
                "https://login.microsoftonline.com/a/b/v2.0",
                None,
            ),
            (Preset::EntraV2, "https://login.example/a/v2.0", None),
            (
                Preset::Okta,
                "https://org.okta.com/oauth2/aus1",
                Some("https://org.okta.com"),
            ),
            (Preset::Okta, "https://org.okta.com", None),
            (
                Preset::Google,
                "https://accounts.google.com",
                Some("https://accounts.google.com/"),
            ),
            (
                Preset::Google,
                "https://accounts.google.com/",
                Some("https://accounts.google.com"),
            ),
            (Preset::Keycloak, "https://kc.example/realms/a", None),
            (Preset::Rfc9068, "https://as.example", None),
        ] {
            let aliases = preset.aliases_of(issuer);
            assert_eq!(aliases.first().map(String::as_str), expected, "{issuer}");
            assert!(aliases.len() <= 1);
        }
    }

    #[test]
    fn names_read_back() {
        for preset in Preset::ALL {
            assert_eq!(Preset::from_name(preset.name()), Some(*preset));
        }
        assert_eq!(Preset::from_name("Entra-V2"), None);
    }
}
