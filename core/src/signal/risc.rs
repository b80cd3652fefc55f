//! Risk Incident Sharing and Coordination Profile 1.0.

use super::event::Event;
use super::rejection::Rejection;
use super::set::Payload;
use crate::state::record::AccountStatus;

/// Reads the event `name` of this vocabulary.
pub(super) fn read(name: &str, payload: &Payload<'_>) -> Result<Event, Rejection> {
    match name {
        "account-disabled" => Ok(Event::Account(AccountStatus::Disabled)),
        "account-enabled" => Ok(Event::Account(AccountStatus::Enabled)),
        "account-purged" => Ok(Event::Account(AccountStatus::Purged)),
        "sessions-revoked" => Ok(Event::SessionsRevoked),
        "credential-compromise" => {
            payload.text("credential_type")?;
            Ok(Event::CredentialCompromise)
        }
        _ => Ok(Event::NotYetUnderstood),
    }
}
