//! The facts of one request, from the token first and from the host where the token does not say.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::request::Request;
use crate::configuration::settings::PrivateAddresses;
use crate::configuration::{Configuration, Issuer};
use crate::policy::{Facts, Identity, Target, address};
use crate::token::{AccessToken, Principal, UserType};

/// What the host gave as text, in the form in which policies compare them.
#[derive(Debug)]
pub(super) struct HostIds {
    member_of: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    country: Option<String>,
}

impl HostIds {
    pub(super) fn new(request: &Request<'_>) -> Self {
        let lower = |ids: &[&str]| ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        Self {
            member_of: request.facts.member_of.map(lower),
            roles: request.facts.roles.map(lower),
            country: request.country.and_then(country),
        }
    }
}

/// A country code, or the empty string of an address that maps to no country. Whatever else a lookup gives (a name,
/// Tor's `T1`) is no country, and a policy that asks for one misses it.
fn country(text: &str) -> Option<String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_code || text.is_empty()).then(|| text.to_ascii_uppercase())
}

/// What the token alone says: the facts that hold for every request with it.
pub(crate) fn of_token<'a>(token: &'a AccessToken, configuration: &'a Configuration) -> Facts<'a> {
    let subject = token.subject.as_deref();
    Facts {
        identity: match token.principal {
            Principal::User => Identity::User(subject),
            Principal::Application => Identity::ServicePrincipal(subject),
        },
        member_of: token.groups.known().map(Vec::as_slice),
        roles: token.directory_roles.known().map(Vec::as_slice),
        user_type: token.user_type.known().copied(),
        target: Target::Application(configuration.resource.application_id.as_deref()),
        ..Facts::UNKNOWN
    }
}

/// The same with what the host says about this request; risk comes from the records and is the caller's to add.
pub(super) fn of_request<'a>(
    token: &'a AccessToken,
    issuer: &Issuer,
    configuration: &'a Configuration,
    request: &Request<'a>,
    address: Option<IpAddr>,
    host: &'a HostIds,
) -> Facts<'a> {
    let of_token = of_token(token, configuration);
    Facts {
        member_of: of_token.member_of.or(host.member_of.as_deref()),
        roles: of_token.roles.or(host.roles.as_deref()),
        user_type: of_token
            .user_type
            .or_else(|| request.facts.user_type.and_then(user_type)),
        client_app_type: request.facts.client_app_type,
        platform: request.facts.platform,
        address: address.filter(|address| is_usable(*address, issuer, configuration)),
        country: host
            .country
            .as_deref()
            .filter(|_| configuration.settings.country_at_resource),
        ..of_token
    }
}

/// Whether an address stands for a client. A private one outside every named location is a proxy's, not the client's
/// (`enforcement.md` §6).
fn is_usable(address: IpAddr, issuer: &Issuer, configuration: &Configuration) -> bool {
    configuration.settings.private_addresses != PrivateAddresses::Missing
        || !address::is_private(address)
        || issuer.policies.named_locations().holds(address)
}

fn user_type(name: &str) -> Option<UserType> {
    if name.eq_ignore_ascii_case("member") {
        Some(UserType::Member)
    } else if name.eq_ignore_ascii_case("guest") {
        Some(UserType::Guest)
    } else {
        None
    }
}
