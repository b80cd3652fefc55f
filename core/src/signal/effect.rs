//! What an event does to records: the table of `enforcement.md` §4.

use super::event::{Credential, CredentialChange, Event, Initiator};
use super::rules::Rules;
use crate::configuration::transmitter::SessionRevokedByUser;
use crate::state::SubjectKind;
use crate::state::record::{AccountStatus, Cause, DeviceCompliance, RiskLevel};

/// What an event does, before it is known to whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Effect {
    /// What a simple subject stands for, and the member of a complex one that standing state belongs to.
    pub describes: SubjectKind,
    /// Tokens issued before the event are refused.
    pub cut_off: Option<CutOff>,
    /// Tokens issued before the event need evidence of multi-factor authentication.
    pub mfa_enabled: bool,
    /// What holds from the event on.
    pub standing: Option<Standing>,
}

/// A cut-off, and which subjects it is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CutOff {
    /// The reason that is told.
    pub cause: Cause,
    /// Which members of the subject it is filed under.
    pub reach: Reach,
}

/// Which members of a subject a cut-off is filed under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// The principal that the whole subject denotes.
    Subject,
    /// As [`Reach::Subject`]; an opaque simple subject may be the session as well as the user.
    SubjectOrSession,
    /// As [`Reach::SubjectOrSession`], unless it is the user alone: an ordinary sign-out.
    SessionOnly,
    /// The member that the event describes, whatever else is named.
    Described,
}

/// A value that holds until another one replaces it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Account status.
    Status(AccountStatus),
    /// Risk level.
    Risk(RiskLevel),
    /// Device compliance.
    Compliance(DeviceCompliance),
}

impl Effect {
    /// The effect of `event`; `None` if it has none on tokens.
    #[must_use]
    pub(super) fn of(event: Event, initiator: Initiator, rules: &Rules<'_>) -> Option<Self> {
        let on = |describes| Self {
            describes,
            cut_off: None,
            mfa_enabled: false,
            standing: None,
        };
        let user = on(SubjectKind::User);
        let by_user = initiator == Initiator::User;
        match event {
            Event::SessionRevoked => {
                let sign_out =
                    by_user && rules.session_revoked_by_user == SessionRevokedByUser::Ignore;
                let reach = if sign_out {
                    Reach::SessionOnly
                } else {
                    Reach::SubjectOrSession
                };
                Some(user.cutting_off(Cause::SessionRevoked, reach))
            }
            Event::SessionsRevoked => {
                let sign_out =
                    by_user && rules.session_revoked_by_user == SessionRevokedByUser::Ignore;
                (!sign_out).then(|| user.cutting_off(Cause::SessionRevoked, Reach::Subject))
            }
            Event::CredentialChange { credential, change } => {
                use CredentialChange::{Create, Delete, Revoke, Update};
                match (credential, change) {
                    (Credential::Secret, Revoke | Update | Delete) => {
                        Some(user.cutting_off(Cause::PasswordChange, Reach::Subject))
                    }
                    (Credential::Factor, Revoke | Delete) => (!by_user)
                        .then(|| user.cutting_off(Cause::CredentialChange, Reach::Subject)),
                    (Credential::Factor, Create) => (!by_user || rules.mfa_enabled_by_user)
                        .then_some(Self {
                            mfa_enabled: true,
                            ..user
                        }),
                    (Credential::Secret, Create) | (Credential::Factor, Update) => None,
                }
            }
            Event::CredentialCompromise => {
                Some(user.cutting_off(Cause::CredentialCompromise, Reach::Subject))
            }
            Event::RiskLevelChange {
                principal,
                current,
                previous,
            } => {
                let level = on(principal?).setting(Standing::Risk(current));
                // Risk that was critical before has cut off already; saying so again must not log out everybody
                // who signed in since.
                let is_critical = |level| level >= rules.critical_risk_level;
                let rose = is_critical(current) && !previous.is_some_and(is_critical);
                Some(if rose {
                    level.cutting_off(Cause::RiskLevel, Reach::Subject)
                } else {
                    level
                })
            }
            Event::DeviceComplianceChange { current } => {
                let status = on(SubjectKind::Device).setting(Standing::Compliance(current));
                Some(match current {
                    DeviceCompliance::Compliant => status,
                    // SPEC: enforcement §4: every token that carries that device id.
                    DeviceCompliance::NotCompliant => {
                        status.cutting_off(Cause::DeviceCompliance, Reach::Described)
                    }
                })
            }
            Event::Account(status) => {
                let standing = user.setting(Standing::Status(status));
                Some(match status {
                    AccountStatus::Enabled => standing,
                    AccountStatus::Disabled => {
                        standing.cutting_off(Cause::AccountDisabled, Reach::Subject)
                    }
                    AccountStatus::Purged => {
                        standing.cutting_off(Cause::AccountPurged, Reach::Subject)
                    }
                })
            }
            Event::Verification | Event::StreamUpdated | Event::NotYetUnderstood => None,
        }
    }

    const fn cutting_off(mut self, cause: Cause, reach: Reach) -> Self {
        self.cut_off = Some(CutOff { cause, reach });
        self
    }

    const fn setting(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }
}
