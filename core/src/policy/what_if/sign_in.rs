//! One line: the body of Graph's What If request, with what Graph would look up in the directory.
//!
//! Read strictly, so that a slip does not turn a fact into an unknown one; absent facts and odd values are unknown
//! (`policy-semantics.md` rows 2 and 3).

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::members::{Members, fault};
use crate::json::{self, Limits, Value};
use crate::policy::address::parse_address;
use crate::policy::device::Device;
use crate::policy::fact_names::{country, risk_level};
use crate::policy::facts::{Facts, Identity, InsiderRisk, Target, UserAction, UserKinds};
use crate::state::record::RiskLevel;
use crate::token::UserType;

/// Longest line in bytes.
pub(super) const LIMITS: Limits = Limits::EVENT;

/// A sign-in as its line gives it; ids are in lower case.
#[derive(Debug, Default)]
pub(super) struct SignIn {
    /// Goes into the answer unchanged.
    pub(super) id: Value,
    principal: Principal,
    /// Grant controls that are met, in lower case; nothing else is (row 2: closed).
    satisfied: BTreeSet<String>,
    member_of: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    user_type: Option<UserType>,
    external_user_type: Option<UserKinds>,
    external_tenant: Option<String>,
    target: SignInTarget,
    conditions: Conditions,
}

/// Who signs in (row 13).
#[derive(Debug, Default)]
enum Principal {
    User(Option<String>),
    /// A service principal.
    Workload(Option<String>),
    /// Absent, or of another type.
    #[default]
    Unknown,
}

/// What is asked for (row 19).
#[derive(Debug, Default)]
enum SignInTarget {
    /// None is one unknown application.
    Applications(Vec<String>),
    /// As written; for people and for the engine.
    UserAction(Option<String>),
    AuthenticationContext(Option<String>),
    /// Absent, or of another type.
    #[default]
    Unknown,
}

/// `signInConditions`.
#[derive(Debug, Default)]
struct Conditions {
    platform: Option<String>,
    client_app_type: Option<String>,
    device: Option<Device>,
    address: Option<IpAddr>,
    country: Option<String>,
    user_risk: Option<RiskLevel>,
    sign_in_risk: Option<RiskLevel>,
    service_principal_risk: Option<RiskLevel>,
    insider_risk: Option<InsiderRisk>,
    transfer_method: Option<String>,
}

impl SignIn {
    /// Reads a line.
    ///
    /// # Errors
    /// What cannot be used, with its JSON pointer, on one line.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let value = json::parse(line.as_bytes(), LIMITS).map_err(|error| error.to_string())?;
        let line = Members::open(Some(&value), "", &LINE)?;
        let identity = Members::open(line.get("signInIdentity"), "/signInIdentity", &IDENTITY)?;
        let context = Members::open(line.get("signInContext"), "/signInContext", &CONTEXT)?;
        let id = match line.get("id") {
            None => Value::Null,
            Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
            Some(_) => return Err(fault("", "id", "a string or a number")),
        };
        let user_type = match either(identity, line, "userType")? {
            Some(name) if name.eq_ignore_ascii_case("member") => Some(UserType::Member),
            Some(name) if name.eq_ignore_ascii_case("guest") => Some(UserType::Guest),
            _ => None,
        };
        let satisfied = line.texts("satisfied")?.unwrap_or_default();
        Ok(Self {
            id,
            principal: Principal::read(identity)?,
            satisfied: satisfied.into_iter().collect(),
            member_of: line.texts("memberOf")?,
            roles: line.texts("roles")?,
            user_type,
            external_user_type: either(identity, line, "externalUserType")?
                .and_then(UserKinds::external),
            external_tenant: either(identity, line, "externalTenantId")?
                .filter(|tenant| !tenant.is_empty())
                .map(str::to_ascii_lowercase),
            target: SignInTarget::read(context)?,
            conditions: Conditions::read(line.get("signInConditions"))?,
        })
    }

    /// Whether a grant control, by its name in lower case, is met.
    pub(super) fn satisfies(&self, control: &str) -> bool {
        self.satisfied.contains(control)
    }

    /// Who signs in, as far as that is known.
    pub(super) fn person(&self) -> Option<&str> {
        match &self.principal {
            Principal::User(id) | Principal::Workload(id) => id.as_deref(),
            Principal::Unknown => None,
        }
    }

    /// What is asked for, for people: application ids, a user action, an authentication context.
    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        let ids = match &self.target {
            SignInTarget::Applications(ids) => ids.as_slice(),
            SignInTarget::UserAction(name) | SignInTarget::AuthenticationContext(name) => {
                name.as_slice()
            }
            SignInTarget::Unknown => &[],
        };
        ids.iter().map(String::as_str)
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        let conditions = &self.conditions;
        Facts {
            identity: match &self.principal {
                Principal::User(id) => Identity::User(id.as_deref()),
                Principal::Workload(id) => Identity::ServicePrincipal(id.as_deref()),
                Principal::Unknown => Identity::Unknown,
            },
            member_of: self.member_of.as_deref(),
            roles: self.roles.as_deref(),
            user_type: self.user_type,
            external_user_type: self.external_user_type,
            external_tenant: self.external_tenant.as_deref(),
            target: match &self.target {
                SignInTarget::Applications(ids) => match ids.as_slice() {
                    [] => Target::Application(None),
                    [id] => Target::Application(Some(id)),
                    ids => Target::Applications(ids),
                },
                SignInTarget::UserAction(name) => {
                    Target::UserAction(name.as_deref().and_then(UserAction::from_name))
                }
                SignInTarget::AuthenticationContext(id) => {
                    Target::AuthenticationContext(id.as_deref())
                }
                SignInTarget::Unknown => Target::Unknown,
            },
            client_app_type: conditions.client_app_type.as_deref(),
            platform: conditions.platform.as_deref(),
            device: conditions.device.as_ref(),
            address: conditions.address,
            country: conditions.country.as_deref(),
            user_risk: conditions.user_risk,
            sign_in_risk: conditions.sign_in_risk,
            service_principal_risk: conditions.service_principal_risk,
            insider_risk: conditions.insider_risk,
            transfer_method: conditions.transfer_method.as_deref(),
        }
    }
}

impl Principal {
    fn read(identity: Members<'_>) -> Result<Self, String> {
        let id = |name| {
            let id = identity.text(name)?.map(str::to_ascii_lowercase);
            // Nobody has an empty id: it says as little as none.
            Ok::<_, String>(id.filter(|id| !id.is_empty()))
        };
        let (user, service_principal) = (id("userId")?, id("servicePrincipalId")?);
        Ok(match identity.type_name()?.as_str() {
            "usersignin" => Self::User(user),
            "serviceprincipalsignin" => Self::Workload(service_principal),
            _ => Self::Unknown,
        })
    }
}

impl SignInTarget {
    fn read(context: Members<'_>) -> Result<Self, String> {
        let applications = context.texts("includeApplications")?;
        let lower = |name| Ok::<_, String>(context.text(name)?.map(str::to_ascii_lowercase));
        let (action, id) = (lower("userAction")?, lower("authenticationContextValue")?);
        Ok(match context.type_name()?.as_str() {
            "applicationcontext" => Self::Applications(applications.unwrap_or_default()),
            "useractioncontext" => Self::UserAction(action),
            "authcontext" => Self::AuthenticationContext(id),
            _ => Self::Unknown,
        })
    }
}

impl Conditions {
    fn read(value: Option<&Value>) -> Result<Self, String> {
        let members = Members::open(value, "/signInConditions", &CONDITIONS)?;
        let owned = |name| Ok::<_, String>(members.text(name)?.map(String::from));
        let risk = |name| Ok::<_, String>(members.text(name)?.and_then(risk_level));
        Ok(Self {
            platform: owned("devicePlatform")?,
            client_app_type: owned("clientAppType")?,
            device: read_device(members.get("deviceInfo"))?,
            address: members.text("ipAddress")?.and_then(parse_address),
            country: members.text("country")?.map(country),
            user_risk: risk("userRiskLevel")?,
            sign_in_risk: risk("signInRiskLevel")?,
            service_principal_risk: risk("servicePrincipalRiskLevel")?,
            insider_risk: members
                .text("insiderRiskLevel")?
                .and_then(InsiderRisk::from_name),
            transfer_method: Members::open(
                members.get("authenticationFlow"),
                "/signInConditions/authenticationFlow",
                &["transferMethod"],
            )?
            .text("transferMethod")?
            .map(String::from),
        })
    }
}

/// `deviceInfo`, of which every member has its type.
fn read_device(value: Option<&Value>) -> Result<Option<Device>, String> {
    let members = Members::open(value, "/signInConditions/deviceInfo", &DEVICE)?;
    for name in DEVICE {
        match name {
            "isCompliant" => drop(members.flag(name)?),
            "physicalIds" | "systemLabels" => drop(members.texts(name)?),
            _ => drop(members.text(name)?),
        }
    }
    Ok(value.and_then(Value::as_object).map(Device::read))
}

/// Facts about the user stand in Graph's identity or beside it; the identity speaks first.
fn either<'a>(
    identity: Members<'a>,
    line: Members<'a>,
    name: &str,
) -> Result<Option<&'a str>, String> {
    Ok(identity.text(name)?.or(line.text(name)?))
}

const LINE: [&str; 11] = [
    "id",
    "signInIdentity",
    "signInContext",
    "signInConditions",
    "memberOf",
    "roles",
    "userType",
    "externalUserType",
    "externalTenantId",
    "satisfied",
    "appliedPoliciesOnly",
];

const IDENTITY: [&str; 6] = [
    "userId",
    "servicePrincipalId",
    "userType",
    "externalUserType",
    "externalTenantId",
    // Graph's beta: an agent matches neither kind of identity (row 13).
    "agentServicePrincipalId",
];

const CONTEXT: [&str; 3] = [
    "includeApplications",
    "userAction",
    "authenticationContextValue",
];

const CONDITIONS: [&str; 11] = [
    "devicePlatform",
    "clientAppType",
    "signInRiskLevel",
    "userRiskLevel",
    "servicePrincipalRiskLevel",
    "insiderRiskLevel",
    // Graph's beta; no policy of an agent is for users or service principals (row 13).
    "agentIdRiskLevel",
    "country",
    "ipAddress",
    "deviceInfo",
    "authenticationFlow",
];

const DEVICE: [&str; 29] = [
    "deviceId",
    "displayName",
    "enrollmentProfileName",
    "isCompliant",
    "manufacturer",
    "mdmAppId",
    "model",
    "operatingSystem",
    "operatingSystemVersion",
    "ownership",
    "physicalIds",
    "profileType",
    "systemLabels",
    "trustType",
    "extensionAttribute1",
    "extensionAttribute2",
    "extensionAttribute3",
    "extensionAttribute4",
    "extensionAttribute5",
    "extensionAttribute6",
    "extensionAttribute7",
    "extensionAttribute8",
    "extensionAttribute9",
    "extensionAttribute10",
    "extensionAttribute11",
    "extensionAttribute12",
    "extensionAttribute13",
    "extensionAttribute14",
    "extensionAttribute15",
];
