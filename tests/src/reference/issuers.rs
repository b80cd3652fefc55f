//! `enforcement.md` §2: whose name an issuer URL is, and in which scope that issuer's subjects stand.

use serde_json::Value;

use super::text;

/// An issuer as it speaks under one URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Realm {
    /// Position in the configuration.
    pub issuer: usize,
    /// Scope of its subjects.
    pub scope: String,
    /// The tenant, for Entra.
    pub tenant: Option<String>,
}

/// The preset of an issuer.
#[must_use]
pub fn preset(issuer: &Value) -> &str {
    let claims = &issuer["claims"];
    claims
        .as_str()
        .or_else(|| text(claims, "preset"))
        .unwrap_or_default()
}

/// Whether it is one of the Entra presets.
#[must_use]
pub fn is_entra(issuer: &Value) -> bool {
    preset(issuer).starts_with("entra")
}

/// Every realm of the issuer at this position: one, or one for each tenant.
#[must_use]
pub fn realms(configuration: &Value, issuer: usize) -> Vec<Realm> {
    let configured = &configuration["issuers"][issuer];
    let url = text(configured, "issuer").unwrap_or_default();
    let tenants: Vec<Option<String>> = if let Some(tenants) = configured["tenants"].as_array() {
        tenants
            .iter()
            .map(|tenant| tenant.as_str().map(str::to_ascii_lowercase))
            .collect()
    } else if is_entra(configured) {
        vec![
            url.split('/')
                .find(|part| part.len() == 36)
                .map(str::to_ascii_lowercase),
        ]
    } else {
        vec![None]
    };
    tenants
        .into_iter()
        .map(|tenant| Realm {
            issuer,
            scope: text(configured, "scope").map_or_else(
                || tenant.clone().unwrap_or_else(|| url.into()),
                String::from,
            ),
            tenant,
        })
        .collect()
}

/// Every URL under which a realm speaks; for Okta `ORG/oauth2/*` stands for all servers of an org.
fn urls(configuration: &Value, realm: &Realm) -> Vec<String> {
    let configured = &configuration["issuers"][realm.issuer];
    let mut urls: Vec<String> = [text(configured, "issuer")]
        .into_iter()
        .flatten()
        .chain(
            configured["issuerAliases"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        )
        .map(|url| match &realm.tenant {
            Some(tenant) => url.replace("{tenantid}", tenant),
            None => url.into(),
        })
        .collect();
    let own = urls.first().cloned().unwrap_or_default();
    match (preset(configured), &realm.tenant) {
        ("entra-v1" | "entra-v2", Some(tenant)) => {
            urls.push(format!("https://sts.windows.net/{tenant}/"));
            urls.push(format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        }
        ("google", _) => urls.push(match own.strip_suffix('/') {
            Some(without) => without.into(),
            None => format!("{own}/"),
        }),
        ("okta", _) => {
            let org = own
                .split_once("/oauth2/")
                .map_or(own.as_str(), |(org, _)| org);
            urls.push(org.into());
            urls.push(format!("{org}/oauth2/*"));
        }
        _ => {}
    }
    urls
}

/// The realm that speaks under `iss`, through its aliases.
#[must_use]
pub fn by_url(configuration: &Value, iss: &str) -> Option<Realm> {
    let issuers = configuration["issuers"].as_array()?;
    (0..issuers.len())
        .flat_map(|issuer| realms(configuration, issuer))
        .find(|realm| is_called(configuration, realm, iss))
}

/// Whether `url` is a name of this realm.
#[must_use]
pub fn is_called(configuration: &Value, realm: &Realm, url: &str) -> bool {
    urls(configuration, realm)
        .iter()
        .any(|own| match own.strip_suffix('*') {
            Some(servers) => url
                .strip_prefix(servers)
                .is_some_and(|server| !server.is_empty() && !server.contains('/')),
            None => own == url,
        })
}

/// The realms that a transmitter may speak for.
#[must_use]
pub fn spoken_for(configuration: &Value, transmitter: &Value) -> Vec<Realm> {
    let named: Vec<&str> = transmitter["speaksFor"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let issuers = configuration["issuers"].as_array().map_or(0, Vec::len);
    (0..issuers)
        .filter(|issuer| {
            let configured = &configuration["issuers"][*issuer];
            named.iter().any(|name| {
                text(configured, "issuer") == Some(*name)
                    || realms(configuration, *issuer)
                        .iter()
                        .any(|realm| is_called(configuration, realm, name))
            })
        })
        .flat_map(|issuer| realms(configuration, issuer))
        .collect()
}
