//! The facts of one request, from the token first and from the host where the token does not say.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::request::Request;
use crate::configuration::settings::PrivateAddresses;
use crate::configuration::{Configuration, Issuer};
use crate::policy::{Facts, Identity, Target, address};
use crate::token::{AccessToken, Principal, UserType};

/// Ids that the host gave, in lower case.
#[derive(Debug, Default)]
pub(crate) struct HostIds {
    member_of: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    country: Option<String>,
}

impl HostIds {
    pub(crate) fn new(request: &Request<'_>) -> Self {
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

/// Facts in the form in which policies compare them.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    token: &'a AccessToken,
    member_of: Option<Vec<&'a str>>,
    roles: Option<Vec<&'a str>>,
    user_type: Option<UserType>,
    client_app_type: Option<&'a str>,
    platform: Option<&'a str>,
    address: Option<IpAddr>,
    country: Option<&'a str>,
}

impl<'a> Gathered<'a> {
    /// What the token alone says: the facts that hold for every request with it.
    pub(crate) fn of_token(token: &'a AccessToken) -> Self {
        Self {
            token,
            member_of: token.groups.known().map(|ids| borrowed(ids)),
            roles: token.directory_roles.known().map(|ids| borrowed(ids)),
            user_type: token.user_type.known().copied(),
            client_app_type: None,
            platform: None,
            address: None,
            country: None,
        }
    }

    /// The same with what the host says about this request.
    pub(crate) fn new(
        token: &'a AccessToken,
        issuer: &Issuer,
        configuration: &Configuration,
        request: &Request<'a>,
        host: &'a HostIds,
    ) -> Self {
        let of_token = Self::of_token(token);
        Self {
            member_of: of_token
                .member_of
                .or_else(|| host.member_of.as_deref().map(borrowed)),
            roles: of_token
                .roles
                .or_else(|| host.roles.as_deref().map(borrowed)),
            user_type: of_token
                .user_type
                .or_else(|| request.facts.user_type.and_then(user_type)),
            client_app_type: request.facts.client_app_type,
            platform: request.facts.platform,
            address: usable_address(request.client_ip, issuer, configuration),
            country: host
                .country
                .as_deref()
                .filter(|_| configuration.settings.country_at_resource),
            token,
        }
    }

    /// The facts for the policies; risk comes from the records and is the caller's to add.
    pub(crate) fn facts(&'a self, configuration: &'a Configuration) -> Facts<'a> {
        let subject = self.token.subject.as_deref();
        Facts {
            identity: match self.token.principal {
                Principal::User => Identity::User(subject),
                Principal::Application => Identity::ServicePrincipal(subject),
            },
            member_of: self.member_of.as_deref(),
            roles: self.roles.as_deref(),
            user_type: self.user_type,
            target: Target::Application(configuration.resource.application_id.as_deref()),
            client_app_type: self.client_app_type,
            platform: self.platform,
            address: self.address,
            country: self.country,
            user_risk: None,
            sign_in_risk: None,
        }
    }
}

fn borrowed(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

/// An address that stands for a client. A private one outside every named location is a proxy's, not the client's
/// (`enforcement.md` §6).
fn usable_address(
    text: Option<&str>,
    issuer: &Issuer,
    configuration: &Configuration,
) -> Option<IpAddr> {
    let parsed = address::parse_address(text?)?;
    let hidden = configuration.settings.private_addresses == PrivateAddresses::Missing
        && address::is_private(parsed)
        && !issuer.policies.named_locations().holds(parsed);
    (!hidden).then_some(parsed)
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
