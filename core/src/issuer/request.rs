//! What the issuer is asked, read from JSON with every fault at once.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::session::{Session, SessionEvent, SessionKind};
use crate::challenge::ClaimsRequest;
use crate::configuration::{Configuration, Fault, Faults, Issuer};
use crate::json::{Map, Value};
use crate::policy::device::{Attribute, Device};
use crate::policy::fact_names::{country, risk_level};
use crate::policy::{InsiderRisk, UserAction, UserKinds, strength};
use crate::state::record::RiskLevel;
use crate::time::UnixTime;
use crate::token::UserType;

/// 9999-12-31T23:59:59Z. What is larger was meant in milliseconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// A sign-in, a refresh or an answer to a claims challenge: for the issuer they are one thing.
#[derive(Debug)]
pub(super) struct SignIn<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) now: UnixTime,
    pub(super) principal: SignInPrincipal,
    pub(super) member_of: Vec<String>,
    pub(super) roles: Vec<String>,
    /// Declares `cp1`, in any case (`cae.md` §4).
    pub(super) capable: bool,
    pub(super) application: Option<String>,
    pub(super) ip_address: Option<IpAddr>,
    pub(super) country: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) client_app_type: Option<String>,
    pub(super) device: Option<Device>,
    pub(super) user_risk: Option<RiskLevel>,
    pub(super) sign_in_risk: Option<RiskLevel>,
    pub(super) service_principal_risk: Option<RiskLevel>,
    pub(super) insider_risk: Option<InsiderRisk>,
    /// Graph's name of the transfer method; `none` is an ordinary flow.
    pub(super) transfer_method: String,
    /// What the user does instead of asking for an application.
    pub(super) user_action: Option<UserAction>,
    /// Graph's names of the authentication methods that were used.
    pub(super) methods: Vec<String>,
    /// How the session came about, and what happened to it since.
    pub(super) session: Session,
    pub(super) auth_time: UnixTime,
    /// Grant controls and authentication contexts met, compared in lower case.
    pub(super) satisfied: BTreeSet<String>,
    pub(super) account_enabled: bool,
    pub(super) sessions_valid_from: Option<UnixTime>,
    pub(super) claims: ClaimsRequest,
    /// RFC 9470 §4: one of these is needed, in order of preference.
    pub(super) acr_values: Vec<String>,
    /// RFC 9470 §4.
    pub(super) max_age: Option<Duration>,
    pub(super) random: u64,
    pub(super) lifetime_policy: Option<Duration>,
}

/// Who signs in.
#[derive(Debug)]
pub(super) enum SignInPrincipal {
    User {
        id: String,
        kind: Option<UserType>,
        external_kind: Option<UserKinds>,
        external_tenant: Option<String>,
    },
    ServicePrincipal {
        id: String,
    },
}

impl SignInPrincipal {
    pub(super) const fn is_user(&self) -> bool {
        matches!(self, Self::User { .. })
    }
}

/// Reads a request.
///
/// Of the directory and of risk the issuer is the source, so what is absent there is known to be absent (no
/// groups, no roles, no risk). Facts about the connection (address, country, platform, client app type) and the
/// user type stay unknown when absent.
pub(super) fn read<'a>(
    configuration: &'a Configuration,
    request: &Value,
) -> Result<SignIn<'a>, Faults> {
    let Some(members) = request.as_object() else {
        return Err(Faults(alloc::vec![Fault {
            at: String::new(),
            code: "sign_in.bad_value",
            message: "a sign-in must be a JSON object".into(),
        }]));
    };
    let mut reader = Reader {
        members,
        known: BTreeSet::new(),
        faults: Vec::new(),
    };
    let sign_in = reader.sign_in(configuration);
    reader.refuse_unknown_members();
    match sign_in {
        Some(sign_in) if reader.faults.is_empty() => Ok(sign_in),
        _ => Err(Faults(reader.faults)),
    }
}

struct Reader<'r> {
    members: &'r Map<String, Value>,
    known: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// `None` only after a fault.
    fn sign_in<'a>(&mut self, configuration: &'a Configuration) -> Option<SignIn<'a>> {
        let issuer = self.issuer(configuration);
        let now = self.required("now", INSTANT, instant);
        let principal = self.principal();
        let auth_time = match principal {
            // Client credentials authenticate with every request.
            Some(SignInPrincipal::ServicePrincipal { .. }) => {
                self.optional("authTime", INSTANT, instant).or(now)
            }
            _ => self.required("authTime", INSTANT, instant),
        };
        let device_compliant = self.optional("deviceCompliant", "true or false", Value::as_bool);
        let mut satisfied: BTreeSet<String> = self
            .optional("satisfied", LIST, list)
            .unwrap_or_default()
            .iter()
            .map(|control| control.to_ascii_lowercase())
            .collect();
        match device_compliant {
            Some(true) => satisfied.insert("compliantdevice".into()),
            // A claim that the directory contradicts.
            Some(false) => satisfied.remove("compliantdevice"),
            None => false,
        };
        let methods = self
            .optional("authenticationMethods", LIST, list)
            .unwrap_or_default();
        let multi_factor = configuration
            .settings
            .authentication_strengths
            .get(strength::MULTI_FACTOR)
            .is_some_and(|strength| strength.is_met_by(&methods));
        if multi_factor {
            satisfied.insert("mfa".into());
        }
        let device = self.optional("device", "an object like Graph's `deviceInfo`", |value| {
            Some(Device::read(value.as_object()?))
        });
        if let Some(Attribute::Is(compliant)) = device.as_ref().map(Device::is_compliant) {
            match compliant {
                true => satisfied.insert("compliantdevice".into()),
                false => satisfied.remove("compliantdevice"),
            };
        }
        // `deviceCompliant` alone says something about the device too.
        let device = match (device, device_compliant) {
            (device, None) => device,
            (device, Some(compliant)) => {
                let mut device = device.unwrap_or_default();
                if device.is_compliant() == Attribute::Unknown {
                    device.set_compliant(compliant);
                }
                Some(device)
            }
        };
        let insider_risk = self.optional("insiderRisk", TEXT, |value| {
            value.as_str().map(InsiderRisk::from_name)
        });
        let service_principal_risk = self.optional("servicePrincipalRisk", TEXT, |value| {
            value.as_str().map(risk_level)
        });
        let transfer_method = self.optional("transferMethod", TEXT, text);
        let user_action = self.optional(
            "userAction",
            "`registerSecurityInformation` or `registerOrJoinDevices`",
            |value| UserAction::from_name(value.as_str()?),
        );
        let session = self.session();
        let capabilities = self.optional("clientCapabilities", LIST, list);
        // Part of the request for the log; no rule of the issuer depends on the client itself.
        self.optional("clientApplication", TEXT, text);
        let member_of = self.optional("memberOf", LIST, list).unwrap_or_default();
        let roles = self.optional("roles", LIST, list).unwrap_or_default();
        let application = self.optional("application", TEXT, text);
        let ip_address = self.optional("ipAddress", "an IP address", |value| {
            let address: IpAddr = value.as_str()?.parse().ok()?;
            Some(address.to_canonical())
        });
        let country = self.optional("country", "a country code, or \"\" for none", |value| {
            value.as_str().map(country)
        });
        let platform = self.optional("platform", TEXT, text);
        let client_app_type = self.optional("clientAppType", TEXT, text);
        let user_risk = self.optional("userRisk", TEXT, |value| value.as_str().map(risk_level));
        let sign_in_risk =
            self.optional("signInRisk", TEXT, |value| value.as_str().map(risk_level));
        let account_enabled = self.optional("accountEnabled", "true or false", Value::as_bool);
        let sessions_valid_from = self.optional("sessionsValidFrom", INSTANT, instant);
        let claims = self.claims();
        let acr_values = self.optional("acrValues", LIST, list).unwrap_or_default();
        let max_age = self.optional("maxAge", "seconds", Value::as_u64);
        let random = self.required("random", "a whole number", Value::as_u64);
        // SPEC: cae.md §3, "CTL-configured": 10 minutes to 1 day.
        let lifetime_policy = self.optional("lifetimePolicy", "600 to 86400 seconds", |value| {
            value
                .as_u64()
                .filter(|seconds| (600..=86_400).contains(seconds))
        });
        let (now, nbf) = (now?, claims.as_ref().and_then(|claims| claims.nbf));
        if nbf.is_some_and(|nbf| nbf > now.saturating_add(skew(configuration))) {
            let message = "`nbf` lies in the future: no token can answer it yet";
            self.fault("/claims", "sign_in.not_yet", message.into());
        }
        let claims = claims?;
        Some(SignIn {
            issuer: issuer?,
            now,
            principal: principal?,
            member_of: lower(member_of),
            roles: lower(roles),
            capable: capabilities
                .unwrap_or_default()
                .iter()
                .chain(&claims.capabilities)
                .any(|capability| capability.eq_ignore_ascii_case("cp1")),
            application: application
                .map(|id| id.to_ascii_lowercase())
                .or_else(|| configuration.resource.application_id.clone()),
            ip_address,
            country,
            platform,
            client_app_type,
            user_risk: user_risk.unwrap_or(Some(RiskLevel::None)),
            sign_in_risk: sign_in_risk.unwrap_or(Some(RiskLevel::None)),
            device,
            service_principal_risk: service_principal_risk.unwrap_or(Some(RiskLevel::None)),
            insider_risk: insider_risk.unwrap_or(Some(InsiderRisk::None)),
            // The issuer runs the flow, so what is not said is an ordinary one.
            transfer_method: transfer_method.unwrap_or_else(|| "none".into()),
            user_action,
            methods,
            session,
            auth_time: auth_time?,
            satisfied,
            account_enabled: account_enabled.unwrap_or(true),
            sessions_valid_from,
            claims,
            acr_values,
            max_age: max_age.map(Duration::from_secs),
            random: random?,
            lifetime_policy: lifetime_policy.map(Duration::from_secs),
        })
    }

    fn issuer<'a>(&mut self, configuration: &'a Configuration) -> Option<&'a Issuer> {
        let url = self.required("issuer", TEXT, text)?;
        let found = configuration
            .issuers
            .iter()
            .find(|issuer| speaks_as(issuer, &url));
        if found.is_none() {
            let message = "no issuer of the configuration has this URL or alias";
            self.fault("/issuer", "sign_in.unknown_issuer", message.into());
        }
        found
    }

    fn principal(&mut self) -> Option<SignInPrincipal> {
        let user = self.optional("user", TEXT, text);
        let service_principal = self.optional("servicePrincipal", TEXT, text);
        let kind = self.optional("userType", "`member` or `guest`", |value| {
            match value.as_str()?.to_ascii_lowercase().as_str() {
                "member" => Some(UserType::Member),
                "guest" => Some(UserType::Guest),
                _ => None,
            }
        });
        let external_kind = self.optional("externalUserType", "types that Graph knows", |value| {
            UserKinds::external(value.as_str()?)
        });
        let external_tenant = self.optional("externalTenantId", TEXT, text);
        match (user, service_principal) {
            (Some(id), None) => Some(SignInPrincipal::User {
                id: id.to_ascii_lowercase(),
                kind,
                external_kind,
                external_tenant: external_tenant.map(|id| id.to_ascii_lowercase()),
            }),
            (None, Some(id)) => Some(SignInPrincipal::ServicePrincipal {
                id: id.to_ascii_lowercase(),
            }),
            (None, None) | (Some(_), Some(_)) => {
                let message = "exactly one of `user` and `servicePrincipal` must be given";
                self.fault("/user", "sign_in.identity", message.into());
                None
            }
        }
    }

    /// How the session came about, and what happened to it since: `session` and `sessionEvents`.
    fn session(&mut self) -> Session {
        let kind = self.optional(
            "session",
            "`passwordCookie`, `passwordToken`, `otherCookie`, `otherToken` or `confidentialClientToken`",
            |value| SessionKind::from_name(value.as_str()?),
        );
        let events = self.optional(
            "sessionEvents",
            "an array of `{\"event\", \"at\"}` with the events of the revocation matrix",
            |value| {
                let read = |item: &Value| {
                    let event = SessionEvent::from_name(item.get("event")?.as_str()?)?;
                    Some((event, instant(item.get("at")?)?))
                };
                value.as_array()?.iter().map(read).collect()
            },
        );
        Session {
            kind: kind.unwrap_or_default(),
            events: events.unwrap_or_default(),
        }
    }

    /// The claims request: an object, or its text as a client forwards it.
    fn claims(&mut self) -> Option<ClaimsRequest> {
        self.known.insert("claims");
        let read = match self.members.get("claims") {
            None | Some(Value::Null) => return Some(ClaimsRequest::default()),
            Some(Value::String(text)) => ClaimsRequest::read(text),
            Some(value) => ClaimsRequest::from_value(value),
        };
        read.map_err(|error| {
            self.fault(
                "/claims",
                "sign_in.claims",
                format!("claims request: {error}"),
            );
        })
        .ok()
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        if matches!(self.members.get(name), None | Some(Value::Null)) {
            self.known.insert(name);
            let message = format!("`{name}` is missing; it must be {expected}");
            self.fault(&format!("/{name}"), "sign_in.missing_member", message);
            return None;
        }
        self.optional(name, expected, read)
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.known.insert(name);
        let value = self.members.get(name).filter(|value| !value.is_null())?;
        let found = read(value);
        if found.is_none() {
            let message = format!("`{name}` must be {expected}");
            self.fault(&format!("/{name}"), "sign_in.bad_value", message);
        }
        found
    }

    fn refuse_unknown_members(&mut self) {
        for name in self.members.keys() {
            if !self.known.contains(name.as_str()) {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                self.faults.push(Fault {
                    at: format!("/{escaped}"),
                    code: "sign_in.unknown_member",
                    message: "no such member of a sign-in".into(),
                });
            }
        }
    }

    fn fault(&mut self, at: &str, code: &'static str, message: String) {
        self.faults.push(Fault {
            at: at.into(),
            code,
            message,
        });
    }
}

const TEXT: &str = "a string that is not empty";
const LIST: &str = "an array of strings";
const INSTANT: &str = "seconds since 1970";

fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn list(value: &Value) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter();
    texts
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn lower(mut texts: Vec<String>) -> Vec<String> {
    for text in &mut texts {
        text.make_ascii_lowercase();
    }
    texts
}

fn instant(value: &Value) -> Option<UnixTime> {
    let seconds = value.as_u64().filter(|seconds| *seconds <= LAST_SECOND);
    seconds.map(UnixTime::from_secs)
}

fn skew(configuration: &Configuration) -> Duration {
    Duration::from_secs(configuration.settings.clock_skew)
}

fn speaks_as(issuer: &Issuer, url: &str) -> bool {
    core::iter::once(&issuer.issuer)
        .chain(&issuer.issuer_aliases)
        .any(|known| {
            let tenants = &mut issuer.tenants.iter();
            known == url || tenants.any(|tenant| known.replace("{tenantid}", tenant) == url)
        })
}
