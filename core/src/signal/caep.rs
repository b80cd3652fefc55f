//! Continuous Access Evaluation Profile 1.0.

use super::event::{Credential, CredentialChange, Event};
use super::rejection::Rejection;
use super::set::Payload;
use crate::state::SubjectKind;
use crate::state::record::{DeviceCompliance, RiskLevel};

/// Reads the event `name` of this vocabulary.
pub(super) fn read(name: &str, payload: &Payload<'_>) -> Result<Event, Rejection> {
    match name {
        "session-revoked" => Ok(Event::SessionRevoked),
        "credential-change" => credential_change(payload),
        "risk-level-change" => risk_level_change(payload),
        "device-compliance-change" => device_compliance_change(payload),
        _ => Ok(Event::NotYetUnderstood),
    }
}

fn credential_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    let change = payload.choice(
        "change_type",
        &[
            ("create", CredentialChange::Create),
            ("revoke", CredentialChange::Revoke),
            ("update", CredentialChange::Update),
            ("delete", CredentialChange::Delete),
        ],
    )?;
    let credential_type = payload.text("credential_type")?;
    let is_secret = ["password", "pin"]
        .iter()
        .any(|secret| secret.eq_ignore_ascii_case(credential_type));
    let credential = if is_secret {
        Credential::Secret
    } else {
        Credential::Factor
    };
    Ok(Event::CredentialChange { credential, change })
}

fn risk_level_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    const LEVELS: &[(&str, RiskLevel)] = &[
        ("LOW", RiskLevel::Low),
        ("MEDIUM", RiskLevel::Medium),
        ("HIGH", RiskLevel::High),
    ];
    const PRINCIPALS: &[(&str, SubjectKind)] = &[
        ("USER", SubjectKind::User),
        ("DEVICE", SubjectKind::Device),
        ("SESSION", SubjectKind::Session),
        ("TENANT", SubjectKind::Tenant),
        ("ORG_UNIT", SubjectKind::OrganizationalUnit),
        ("GROUP", SubjectKind::Group),
        // "or another SSF principal": the one left that a token shows.
        ("APPLICATION", SubjectKind::ClientApplication),
    ];
    let principal = payload.text("principal")?;
    let mut principals = PRINCIPALS.iter();
    Ok(Event::RiskLevelChange {
        principal: principals
            .find(|(name, _)| name.eq_ignore_ascii_case(principal))
            .map(|(_, kind)| *kind),
        current: payload.choice("current_level", LEVELS)?,
        previous: payload.optional_choice("previous_level", LEVELS)?,
    })
}

fn device_compliance_change(payload: &Payload<'_>) -> Result<Event, Rejection> {
    const STATUSES: &[(&str, DeviceCompliance)] = &[
        ("compliant", DeviceCompliance::Compliant),
        ("not-compliant", DeviceCompliance::NotCompliant),
    ];
    payload.choice("previous_status", STATUSES)?;
    let current = payload.choice("current_status", STATUSES)?;
    Ok(Event::DeviceComplianceChange { current })
}
