//! How the events of one transmitter are read: its configuration and the engine's settings.

use alloc::string::String;
use core::time::Duration;

use crate::configuration::transmitter::SessionRevokedByUser;
use crate::configuration::{Configuration, Transmitter};
use crate::state::record::{RiskLevel, TransmitterId, UnseenMember};

/// The settings that concern events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) transmitter: TransmitterId,
    pub(super) legacy: bool,
    pub(super) session_revoked_by_user: SessionRevokedByUser,
    pub(super) mfa_enabled_by_user: bool,
    /// `None` keeps the rule of `enforcement.md` §2, which looks at the event.
    pub(super) unseen_member: Option<UnseenMember>,
    pub(super) critical_subject_members: &'a [String],
    pub(super) critical_risk_level: RiskLevel,
    pub(super) allow_tenant_wide: bool,
    pub(super) skew: Duration,
}

impl<'a> Rules<'a> {
    pub(super) fn of(configuration: &Configuration, transmitter: &'a Transmitter) -> Self {
        let settings = &configuration.settings;
        Self {
            transmitter: transmitter.id,
            legacy: transmitter.legacy,
            session_revoked_by_user: transmitter.session_revoked_by_user,
            mfa_enabled_by_user: transmitter.mfa_enabled_by_user,
            unseen_member: transmitter.unseen_member.or(settings.unseen_member),
            critical_subject_members: &transmitter.critical_subject_members,
            critical_risk_level: settings.critical_risk_level,
            allow_tenant_wide: settings.allow_tenant_wide,
            skew: Duration::from_secs(settings.signal_skew),
        }
    }

    /// The defaults of `enforcement.md` §8, for reading a SET without configuration.
    pub(super) fn unconfigured(issuer: &str) -> Self {
        Self {
            transmitter: TransmitterId::of(issuer),
            legacy: false,
            session_revoked_by_user: SessionRevokedByUser::Revoke,
            mfa_enabled_by_user: false,
            unseen_member: None,
            critical_subject_members: &[],
            critical_risk_level: RiskLevel::High,
            allow_tenant_wide: false,
            skew: Duration::from_secs(300),
        }
    }
}
