//! Which configured issuer speaks, and in which scope its subjects are filed (`enforcement.md` §2).
//!
//! URLs are compared as strings: no prefix, no folding of case, no forgiven slash. The only pattern is
//! `{tenantid}`, and what stands in its place has to be a GUID that the configuration lists.

use alloc::string::{String, ToString as _};

use super::preset::okta_org;
use crate::configuration::issuer::Preset;
use crate::configuration::{Configuration, Issuer};

/// Stands for the tenant in issuer URLs, as in Entra's multi-tenant metadata.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// An issuer that speaks, by its index in `Configuration::issuers`, and for Entra the tenant in lower case.
pub type Speaker = (usize, Option<String>);

/// Why no configured issuer issued a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// No configured URL equals `iss`.
    #[error("`iss` is not a configured issuer")]
    Unknown,
    /// The tenant is no GUID, or missing.
    #[error("`tid` is missing or is not a GUID")]
    TenantMalformed,
    /// `iss` and `tid` name different tenants.
    #[error("`tid` does not agree with `iss`")]
    TenantDisagrees,
    /// The tenant is not listed.
    #[error("the tenant is not one of the issuer's `tenants`")]
    TenantNotListed,
}

/// The issuer of a token with this `iss` and `tid`.
///
/// # Errors
/// [`IssuerError`] if no issuer is configured for it, or the tenant does not belong to it.
pub fn issuer_of_token(
    configuration: &Configuration,
    iss: &str,
    tid: Option<&str>,
) -> Result<Speaker, IssuerError> {
    let mut refusal = IssuerError::Unknown;
    for (index, issuer) in configuration.issuers.iter().enumerate() {
        for url in urls(issuer) {
            match tenant_of_token(issuer, url, iss, tid) {
                Ok(tenant) => return Ok((index, tenant)),
                Err(IssuerError::Unknown) => {}
                Err(found) => refusal = found,
            }
        }
    }
    Err(refusal)
}

/// The issuer that an `iss` in a subject identifier means, through its aliases.
///
/// Unlike a token such an identifier carries no `tid`; the tenant is the one in the URL. All authorization
/// servers of one Okta org name the same users.
#[must_use]
pub fn resolve_issuer(configuration: &Configuration, iss: &str) -> Option<Speaker> {
    let exactly = |issuer: &Issuer| urls(issuer).find_map(|url| tenant_of_url(issuer, url, iss));
    let same_org = |issuer: &Issuer| {
        (issuer.preset == Preset::Okta && okta_org(&issuer.issuer) == okta_org(iss)).then_some(None)
    };
    let find = |matches: &dyn Fn(&Issuer) -> Option<Option<String>>| {
        let mut issuers = configuration.issuers.iter().enumerate();
        issuers.find_map(|(index, issuer)| Some((index, matches(issuer)?)))
    };
    find(&exactly).or_else(|| find(&same_org))
}

/// The scope in which subjects of `issuer` are filed: as configured, else the tenant for Entra, else its URL.
#[must_use]
pub fn scope_of(issuer: &Issuer, tenant: Option<&str>) -> String {
    match (&issuer.scope, tenant) {
        (Some(scope), _) => scope.clone(),
        (None, Some(tenant)) if issuer.preset.is_entra() => tenant.to_string(),
        (None, _) => issuer.issuer.clone(),
    }
}

/// Whether `text` has the form of a GUID (RFC 9562 §4).
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn urls(issuer: &Issuer) -> impl Iterator<Item = &str> {
    core::iter::once(&issuer.issuer)
        .chain(&issuer.issuer_aliases)
        .map(String::as_str)
}

fn tenant_of_token(
    issuer: &Issuer,
    url: &str,
    iss: &str,
    tid: Option<&str>,
) -> Result<Option<String>, IssuerError> {
    let pattern = url.split_once(TENANT_PLACEHOLDER);
    if pattern.is_none() && url != iss {
        return Err(IssuerError::Unknown);
    }
    if pattern.is_none() && !issuer.preset.is_entra() {
        return Ok(None);
    }
    let in_place = pattern.map(|pattern| in_place(pattern, iss));
    if in_place == Some(None) {
        return Err(IssuerError::Unknown);
    }
    // Checked before it is used for anything: `tid` is text from an unverified token.
    let tid = tid
        .filter(|tid| is_guid(tid))
        .ok_or(IssuerError::TenantMalformed)?;
    let agrees = match in_place {
        Some(tenant) => tenant == Some(tid),
        None => iss.split('/').any(|part| part == tid),
    };
    if !agrees {
        return Err(IssuerError::TenantDisagrees);
    }
    let tenant = tid.to_ascii_lowercase();
    if pattern.is_some() && !issuer.tenants.contains(&tenant) {
        return Err(IssuerError::TenantNotListed);
    }
    Ok(Some(tenant))
}

/// `Some` if `iss` is `url`, with the tenant that it names.
fn tenant_of_url(issuer: &Issuer, url: &str, iss: &str) -> Option<Option<String>> {
    match url.split_once(TENANT_PLACEHOLDER) {
        None if url != iss => None,
        None if issuer.preset.is_entra() => Some(
            iss.split('/')
                .find(|part| is_guid(part))
                .map(str::to_ascii_lowercase),
        ),
        None => Some(None),
        Some(pattern) => {
            let tenant = in_place(pattern, iss).filter(|tenant| is_guid(tenant))?;
            let tenant = tenant.to_ascii_lowercase();
            issuer.tenants.contains(&tenant).then_some(Some(tenant))
        }
    }
}

/// What stands in `iss` in the place of the placeholder.
fn in_place<'a>((before, after): (&str, &str), iss: &'a str) -> Option<&'a str> {
    iss.strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::token::testing;

    const A: &str = "aaaaaaaa-1111-1111-1111-111111111111";
    const B: &str = "bbbbbbbb-2222-2222-2222-222222222222";

    fn v2(tenant: &str) -> String {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    }

    fn v1(tenant: &str) -> String {
        format!("https://sts.windows.net/{tenant}/")
    }

    fn many() -> Configuration {
        let mut entra = testing::issuer(Preset::EntraV2, &v2(TENANT_PLACEHOLDER));
        entra.tenants = vec![A.into()];
        let fixed = testing::issuer(Preset::EntraV1, &v1(B));
        let okta = testing::issuer(Preset::Okta, "https://org.okta.com/oauth2/default");
        let other = testing::issuer(Preset::Rfc9068, "https://as.example");
        testing::configuration(vec![entra, fixed, okta, other])
    }

    #[test]
    fn a_token_is_matched_exactly() {
        use IssuerError::{TenantDisagrees, TenantMalformed, TenantNotListed, Unknown};
        let configuration = many();
        let upper = A.to_ascii_uppercase();
        for (iss, tid, expected) in [
            (v2(A), Some(A), Ok((0, Some(A.to_string())))),
            (v1(A), Some(A), Ok((0, Some(A.to_string())))),
            (
                v2(&upper),
                Some(upper.as_str()),
                Ok((0, Some(A.to_string()))),
            ),
            (v1(B), Some(B), Ok((1, Some(B.to_string())))),
            (v2(B), Some(B), Ok((1, Some(B.to_string())))),
            (v2(A), Some(B), Err(TenantDisagrees)),
            (v2(A), None, Err(TenantMalformed)),
            (v1(B), Some(A), Err(TenantDisagrees)),
            (v1(B), None, Err(TenantMalformed)),
            (v2("../x"), Some("../x"), Err(TenantMalformed)),
            (v2(""), Some(""), Err(TenantMalformed)),
            (
                v2("cccccccc-3333-3333-3333-333333333333"),
                Some("cccccccc-3333-3333-3333-333333333333"),
                Err(TenantNotListed),
            ),
            (format!("{}/", v2(A)), Some(A), Err(Unknown)),
            (v1(A).trim_end_matches('/').into(), Some(A), Err(Unknown)),
            (v2(A).to_uppercase(), Some(A), Err(Unknown)),
            ("https://as.example".into(), None, Ok((3, None))),
            (
                "https://as.example".into(),
                Some("not a guid"),
                Ok((3, None)),
            ),
            ("https://as.example/".into(), None, Err(Unknown)),
            ("https://as.example.evil".into(), None, Err(Unknown)),
            ("HTTPS://as.example".into(), None, Err(Unknown)),
            (
                "https://org.okta.com/oauth2/other".into(),
                None,
                Err(Unknown),
            ),
            (String::new(), None, Err(Unknown)),
        ] {
            assert_eq!(
                issuer_of_token(&configuration, &iss, tid),
                expected,
                "{iss}"
            );
        }
    }

    #[test]
    fn an_event_may_use_any_name_of_the_issuer() {
        let configuration = many();
        for (iss, expected) in [
            (v2(A), Some((0, Some(A.to_string())))),
            (v1(A), Some((0, Some(A.to_string())))),
            (v1(B), Some((1, Some(B.to_string())))),
            (v2(B), Some((1, Some(B.to_string())))),
            (v2("cccccccc-3333-3333-3333-333333333333"), None),
            (v2("x"), None),
            ("https://org.okta.com".into(), Some((2, None))),
            ("https://org.okta.com/oauth2/aus7".into(), Some((2, None))),
            ("https://org.okta.com/oauth2/a/b".into(), None),
            ("https://evil.okta.com".into(), None),
            ("https://as.example".into(), Some((3, None))),
            ("https://as.example/".into(), None),
        ] {
            assert_eq!(resolve_issuer(&configuration, &iss), expected, "{iss}");
        }
    }

    #[test]
    fn the_scope_is_configured_or_the_tenant_or_the_url() {
        let mut issuer = testing::issuer(Preset::EntraV2, &v2(TENANT_PLACEHOLDER));
        assert_eq!(scope_of(&issuer, Some(A)), A);
        issuer.scope = Some("contoso".into());
        assert_eq!(scope_of(&issuer, Some(A)), "contoso");
        let issuer = testing::issuer(Preset::Keycloak, "https://kc.example/realms/a");
        assert_eq!(scope_of(&issuer, Some(A)), "https://kc.example/realms/a");
    }
}
