//! `enforcement.md` §4, the table: what each type of event says.

use serde_json::Value;

use super::shapes::Event;
use super::subjects::{Role, Subject};
use super::text;

/// Status of an account; a later one in this order is stricter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Status {
    /// In use.
    Enabled,
    /// Not now.
    Disabled,
    /// Never again.
    Purged,
}

/// One thing that an event says about its subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// Tokens issued before it are refused, for this cause.
    CutOff(&'static str),
    /// The account is so from now on.
    Status(Status),
    /// Tokens issued before it need evidence of multi-factor authentication.
    MfaEnabled,
    /// The risk is so from now on: 0 low, 1 medium, 2 high.
    Risk(u8),
    /// The device is compliant, or is not.
    Compliant(bool),
    /// Tokens issued before it need this claim to have this value.
    Claim(String, Value),
    /// Tokens issued before it are good for no more than this level.
    Assurance(String),
}

impl Says {
    /// Whether this stands until something else is said: then it goes to one member only.
    #[must_use]
    pub const fn stands(&self) -> bool {
        !matches!(self, Self::CutOff(_))
    }
}

/// What an event says, each with the principal that it describes.
#[must_use]
pub fn effects(configuration: &Value, transmitter: &Value, event: &Event) -> Vec<(Role, Says)> {
    let said = |member: &str| text(&event.payload, member).unwrap_or_default();
    let by_user = said("initiating_entity") == "user";
    let user = Role::User;
    let account = account_role(&event.subject);
    let cut = |cause| vec![(user, Says::CutOff(cause))];
    match event.kind.as_str() {
        "risc/account-disabled" => disabled(account, Status::Disabled),
        "risc/account-purged" => disabled(account, Status::Purged),
        "risc/account-enabled" => vec![(account, Says::Status(Status::Enabled))],
        "caep/session-revoked" | "risc/sessions-revoked" | "oauth/tokens-revoked" | "logout" => {
            cut("session_revoked")
        }
        "caep/credential-change" => credential_change(
            said("credential_type"),
            said("change_type"),
            by_user,
            transmitter,
        ),
        "risc/credential-compromise" => cut("credential_compromised"),
        "risc/account-credential-change-required" => cut("credential_change_required"),
        "caep/risk-level-change" => risk(
            configuration,
            said("current_level"),
            said("previous_level"),
            principal(said("principal")),
        ),
        "okta/user-risk-change" => risk(
            configuration,
            said("current_level"),
            said("previous_level"),
            user,
        ),
        "okta/device-risk-change" => risk(
            configuration,
            said("current_level"),
            said("previous_level"),
            Role::Device,
        ),
        "caep/device-compliance-change" => match said("current_status") {
            "compliant" => vec![(Role::Device, Says::Compliant(true))],
            "not-compliant" => vec![
                (Role::Device, Says::Compliant(false)),
                (Role::Device, Says::CutOff("device_not_compliant")),
            ],
            _ => Vec::new(),
        },
        "caep/token-claims-change" => event.payload["claims"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let says = Says::Claim(name.clone(), value.clone());
                (narrowest(&event.subject), says)
            })
            .collect(),
        "caep/assurance-level-change" if is_decrease(event) => {
            let level = said("current_level").into();
            vec![(narrowest(&event.subject), Says::Assurance(level))]
        }
        "risc/identifier-changed" | "risc/identifier-recycled" if is_address(&event.subject) => {
            cut("identifier_changed")
        }
        _ => provisioning(event),
    }
}

/// "account disabled, purged, deleted: status, and cut-off".
fn disabled(account: Role, status: Status) -> Vec<(Role, Says)> {
    let cause = match status {
        Status::Purged => "account_purged",
        _ => "account_disabled",
    };
    vec![
        (account, Says::Status(status)),
        (account, Says::CutOff(cause)),
    ]
}

/// The rows "credential-change" and "MFA enabled".
fn credential_change(
    credential: &str,
    change: &str,
    by_user: bool,
    transmitter: &Value,
) -> Vec<(Role, Says)> {
    let mfa_enabled_by_user = transmitter["mfaEnabledByUser"] == true;
    let says = match (credential, change) {
        ("password" | "pin", "create") => return Vec::new(),
        ("password" | "pin", _) => Says::CutOff("password_changed"),
        (_, "revoke" | "delete") if !by_user => Says::CutOff("credential_changed"),
        (_, "create") if !by_user || mfa_enabled_by_user => Says::MfaEnabled,
        _ => return Vec::new(),
    };
    vec![(Role::User, says)]
}

/// The row "risk-level-change".
fn risk(configuration: &Value, current: &str, previous: &str, about: Role) -> Vec<(Role, Says)> {
    let Some(level) = level(current) else {
        return Vec::new();
    };
    let critical = text(&configuration["settings"], "criticalRiskLevel").unwrap_or("high");
    let critical = self::level(critical).unwrap_or(2);
    let mut says = vec![(about, Says::Risk(level))];
    let was_critical = self::level(previous).is_some_and(|previous| previous >= critical);
    if level >= critical && !was_critical {
        says.push((about, Says::CutOff("risk_level_high")));
    }
    says
}

/// `LOW`, `MEDIUM`, `HIGH` in any case.
fn level(name: &str) -> Option<u8> {
    match name.to_ascii_lowercase().as_str() {
        "low" => Some(0),
        "medium" => Some(1),
        "high" => Some(2),
        _ => None,
    }
}

/// Whose risk it is.
fn principal(name: &str) -> Role {
    match name {
        "USER" => Role::User,
        "DEVICE" => Role::Device,
        "SESSION" => Role::Session,
        "TENANT" => Role::Tenant,
        "APPLICATION" | "SERVICE_PRINCIPAL" => Role::Application,
        _ => Role::Other,
    }
}

/// "assurance to the session, else the user"; what changes in tokens follows the same way.
fn narrowest(subject: &Subject) -> Role {
    let members = [
        ("session", Role::Session),
        ("user", Role::User),
        ("application", Role::Application),
        ("device", Role::Device),
    ];
    let there = members.into_iter().find(|(name, _)| has(subject, name));
    there.map_or(Role::User, |(_, role)| role)
}

/// As `change_direction` says; where it says nothing, as the two levels tell; where they tell nothing, to be safe.
fn is_decrease(event: &Event) -> bool {
    let said = |member: &str| text(&event.payload, member);
    match said("change_direction") {
        Some(direction) => direction == "decrease",
        None => {
            let (current, previous) = (said("current_level"), said("previous_level"));
            !previous
                .zip(current)
                .is_some_and(|(previous, current)| is_at_most(previous, current))
        }
    }
}

/// Levels of one scale end in a number.
#[must_use]
pub fn is_at_most(level: &str, most: &str) -> bool {
    let split = |level: &str| {
        let scale = level.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: Option<u64> = level
            .get(scale.len()..)
            .and_then(|digits| digits.parse().ok());
        (scale.to_lowercase(), number)
    };
    let ((scale, number), (other_scale, most_number)) = (split(level), split(most));
    level == most || scale == other_scale && number.is_some() && number <= most_number
}

/// "service principal disabled, deleted: as for users, on the application keys".
fn account_role(subject: &Subject) -> Role {
    match has(subject, "application") && !has(subject, "user") {
        true => Role::Application,
        false => Role::User,
    }
}

fn has(subject: &Subject, member: &str) -> bool {
    matches!(subject, Subject::Complex(members) if members.iter().any(|(name, _)| name == member))
}

/// RISC 1.0 §2.5: the subject of these is an e-mail address or a phone number.
fn is_address(subject: &Subject) -> bool {
    subject.identifiers().all(|identifier| {
        matches!(
            text(identifier, "format"),
            Some("email" | "phone_number" | "phone")
        )
    })
}

/// RFC 9967 §2.3 and §2.4, and the draft of OAuth event types: what becomes of accounts, by name.
fn provisioning(event: &Event) -> Vec<(Role, Says)> {
    let account = account_role(&event.subject);
    let data = &event.payload["data"];
    let became = |status| match status {
        Status::Enabled => vec![(account, Says::Status(status))],
        _ => disabled(account, status),
    };
    let password = vec![(Role::User, Says::CutOff("password_changed"))];
    match event.kind.as_str() {
        "scim/prov:delete" => became(Status::Purged),
        "scim/prov:deactivate" => became(Status::Disabled),
        "scim/prov:activate" | "scim/prov:create:notice" => became(Status::Enabled),
        "scim/prov:create:full" => became(active(&data["active"]).unwrap_or(Status::Enabled)),
        "scim/prov:put:notice" | "scim/prov:patch:notice" => {
            let attributes = event.payload["attributes"].as_array();
            let attributes = attributes.into_iter().flatten().filter_map(Value::as_str);
            touched(account, attributes.map(|attribute| (attribute, None, true)))
        }
        "scim/prov:put:full" => {
            let attributes = data.as_object().into_iter().flatten();
            let attributes = attributes.filter(|(attribute, _)| !is_access(attribute));
            touched(
                account,
                attributes.map(|(name, value)| (name.as_str(), Some(value), true)),
            )
        }
        "scim/prov:patch:full" => {
            let operations = data["Operations"].as_array().into_iter().flatten();
            let operations = operations.map(|operation| {
                let removes = text(operation, "op") != Some("add");
                let path = text(operation, "path").unwrap_or_default();
                (path, operation.get("value"), removes)
            });
            touched(account, operations)
        }
        "scim/sig:pwdReset" => password,
        "oauth/client-disabled" => disabled(Role::Application, Status::Disabled),
        "oauth/client-enabled" => vec![(Role::Application, Says::Status(Status::Enabled))],
        "oauth/client-credential-changed" => {
            vec![(Role::Application, Says::CutOff("credential_changed"))]
        }
        _ => Vec::new(),
    }
}

fn active(value: &Value) -> Option<Status> {
    value.as_bool().map(|active| match active {
        true => Status::Enabled,
        false => Status::Disabled,
    })
}

/// Attributes that say what a user may do.
fn is_access(attribute: &str) -> bool {
    ["roles", "entitlements", "groups"].contains(&attribute)
}

/// What changed attributes come to: their values where they are told, else that something changed.
fn touched<'v>(
    account: Role,
    attributes: impl Iterator<Item = (&'v str, Option<&'v Value>, bool)>,
) -> Vec<(Role, Says)> {
    let mut says = Vec::new();
    for (attribute, value, removes) in attributes {
        match (attribute, value.and_then(active)) {
            ("active", Some(Status::Enabled)) => {
                says.push((account, Says::Status(Status::Enabled)));
            }
            ("active", Some(status)) => says.extend(disabled(account, status)),
            ("active", None) => says.push((account, Says::CutOff("claims_changed"))),
            ("password", _) => says.push((Role::User, Says::CutOff("password_changed"))),
            (access, _) if is_access(access) && removes => {
                says.push((Role::User, Says::CutOff("claims_changed")));
            }
            _ => {}
        }
    }
    says
}
