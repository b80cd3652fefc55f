//! The other URLs under which products speak, and that no URL means two issuers.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Issuer;
use crate::configuration::fault::Fault;
use crate::configuration::read::{DUPLICATE, quoted};
use crate::json::Value;

/// Adds the URLs that are the same issuer by the make of the product (`enforcement.md` §2).
///
/// One that is configured elsewhere, or that two issuers imply, is nobody's alias: an event that names it would
/// reach the subjects of one of them only.
pub(in crate::configuration) fn imply(issuers: &mut [Issuer]) {
    let implied: Vec<_> = issuers
        .iter()
        .map(|issuer| issuer.preset.aliases_of(&issuer.issuer))
        .collect();
    let mut claims: BTreeMap<String, usize> = BTreeMap::new();
    let configured = issuers
        .iter()
        .flat_map(|issuer| issuer.names().map(String::from));
    for name in configured.chain(implied.iter().flatten().cloned()) {
        let count = claims.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    for (issuer, aliases) in issuers.iter_mut().zip(implied) {
        let own = |alias: &String| claims.get(alias) == Some(&1);
        issuer
            .issuer_aliases
            .extend(aliases.into_iter().filter(own));
    }
}

/// Every configured URL means one issuer.
pub(in crate::configuration) fn check_distinct(
    issuers: &[Issuer],
    document: &Value,
    faults: &mut Vec<Fault>,
) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (index, issuer) in issuers.iter().enumerate() {
        for (nth, name) in issuer.names().filter(|name| !name.is_empty()).enumerate() {
            let urls = issuer.urls(name);
            let earlier = urls.iter().find_map(|url| known.get(url).copied());
            if let Some(earlier) = earlier {
                let at = match nth.checked_sub(1) {
                    None => format!("/issuers/{index}/issuer"),
                    Some(alias) => alias_pointer(document, index, alias),
                };
                let message = format!(
                    "{} already means issuer {earlier}; a token or event could mean either",
                    quoted(name)
                );
                let code = DUPLICATE;
                faults.push(Fault { at, code, message });
            }
            known.extend(urls.into_iter().map(|url| (url, index)));
        }
    }
}

/// Aliases stand on the issuer or in its `claims`.
fn alias_pointer(document: &Value, issuer: usize, alias: usize) -> String {
    let in_claims = format!("/issuers/{issuer}/claims/issuerAliases/{alias}");
    match document.pointer(&in_claims) {
        Some(_) => in_claims,
        None => format!("/issuers/{issuer}/issuerAliases/{alias}"),
    }
}
