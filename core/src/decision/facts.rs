//! The facts of one request, from the token first and from the host where the token does not say.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::request::Request;
use crate::configuration::settings::PrivateAddresses;
use crate::configuration::{Configuration, Issuer};
use crate::json::{self, Limits, Value};
use crate::policy::device::{Attribute, Device, TextProperty};
use crate::policy::{Facts, Identity, Target, UserKinds, address};
use crate::state::record::DeviceCompliance;
use crate::token::{AccessToken, Principal, UserType};

/// What the host gave as text, in the form in which policies compare them.
#[derive(Debug)]
pub(super) struct HostIds {
    member_of: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    external_tenant: Option<String>,
    country: Option<String>,
}

impl HostIds {
    pub(super) fn new(request: &Request<'_>) -> Self {
        let lower = |ids: &[&str]| ids.iter().map(|id| id.to_ascii_lowercase()).collect();
        Self {
            member_of: request.facts.member_of.map(lower),
            roles: request.facts.roles.map(lower),
            external_tenant: request.facts.external_tenant.map(str::to_ascii_lowercase),
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
        // An identity provider elsewhere makes a user external, not a guest: members come from there too (row 14).
        user_type: match (&token.external_tenant, token.user_type_shown) {
            (Some(_), false) => None,
            _ => token.user_type.known().copied(),
        },
        external_tenant: token.external_tenant.as_deref(),
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
    device: Option<&'a Device>,
) -> Facts<'a> {
    let mut facts = of_token(token, configuration);
    // What kind of user this is comes from one source, so that what that source leaves out is a fact.
    if facts.user_type.is_none() {
        facts.external_user_type = request
            .facts
            .external_user_type
            .and_then(UserKinds::external);
        facts.external_tenant = facts.external_tenant.or(host.external_tenant.as_deref());
        facts.user_type = request.facts.user_type.and_then(user_type);
    }
    facts.member_of = facts.member_of.or(host.member_of.as_deref());
    facts.roles = facts.roles.or(host.roles.as_deref());
    facts.device = device;
    facts.client_app_type = request.facts.client_app_type;
    facts.platform = request.facts.platform;
    facts.address = address.filter(|address| is_usable(*address, issuer, configuration));
    facts.country = host
        .country
        .as_deref()
        .filter(|_| configuration.settings.country_at_resource);
    facts
}

/// What is known about the device: the directory of the host first for what it says, then the token, and what events
/// said of its compliance above both, because it is newer.
pub(super) fn device(
    token: &AccessToken,
    issuer: &Issuer,
    request: &Request<'_>,
    compliance: Option<DeviceCompliance>,
) -> Device {
    let given = request
        .facts
        .device
        .and_then(|text| json::parse(text.as_bytes(), Limits::EVENT).ok());
    let mut device = given
        .as_ref()
        .and_then(Value::as_object)
        .map(Device::read)
        .unwrap_or_default();
    let unsaid = |device: &Device, property| *device.text(property) == Attribute::Unknown;
    if let Some(id) = &token.device_id
        && unsaid(&device, TextProperty::DeviceId)
    {
        device.set_text(
            TextProperty::DeviceId,
            Attribute::Is(id.to_ascii_lowercase()),
        );
    }
    if token.shows_hybrid_joined_device(issuer) == Some(true)
        && unsaid(&device, TextProperty::TrustType)
    {
        device.set_text(TextProperty::TrustType, Attribute::Is("serverad".into()));
    }
    // Claims are as old as the token, what a host looks up is not.
    let looked_up = match device.is_compliant() {
        Attribute::Is(compliant) => Some(compliant),
        Attribute::Absent => Some(false),
        Attribute::Unknown => request.facts.device_compliant,
    };
    let unregistered = device.is_compliant() == Attribute::Absent;
    let compliant = match compliance {
        Some(compliance) => Some(compliance == DeviceCompliance::Compliant),
        None => looked_up.or_else(|| token.shows_compliant_device(issuer)),
    };
    // An unregistered device has no such attribute, unless an event was about it.
    if let Some(compliant) = compliant.filter(|_| !unregistered || compliance.is_some()) {
        device.set_compliant(compliant);
    }
    device
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
