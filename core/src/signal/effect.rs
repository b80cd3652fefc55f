//! What an event does to records: the table of `enforcement.md` §4.

use alloc::vec::Vec;
use core::fmt;

use super::event::{Credential, CredentialChange, Event, Initiator};
use super::rules::Rules;
use crate::configuration::transmitter::SessionRevokedByUser;
use crate::state::SubjectKind;
use crate::state::claim::{ClaimName, ClaimValue};
use crate::state::names::Named as _;
use crate::state::record::{
    AccountStatus, AssuranceLevel, Cause, DeviceCompliance, MultiFactor, OptOut, RiskLevel,
};

/// What an event does, before it is known to whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Effect {
    /// What a simple subject stands for.
    pub stands_for: SubjectKind,
    /// To which member of a complex subject a standing value belongs: the first of these that is there.
    pub belongs_to: &'static [SubjectKind],
    /// Tokens issued before the event are refused.
    pub cut_off: Option<CutOff>,
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

/// A value that is remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Account status.
    Status(AccountStatus),
    /// Risk level.
    Risk(RiskLevel),
    /// Device compliance.
    Compliance(DeviceCompliance),
    /// Tokens issued before the event need evidence of multi-factor authentication.
    MultiFactor(MultiFactor),
    /// Tokens issued before the event must not claim a higher level.
    Assurance(AssuranceLevel),
    /// Tokens issued before the event must show these values.
    Claims(Vec<(ClaimName, ClaimValue)>),
    /// Whether events are sent about the account.
    OptOut(OptOut),
}

impl Standing {
    /// Whether the value holds until another one replaces it, rather than until the tokens of before it are gone.
    pub(super) const fn lasts(&self) -> bool {
        match self {
            Self::Status(_) | Self::Risk(_) | Self::Compliance(_) | Self::OptOut(_) => true,
            Self::MultiFactor(_) | Self::Assurance(_) | Self::Claims(_) => false,
        }
    }
}

impl Effect {
    /// The effect of `event`; `None` if it has none.
    #[must_use]
    pub(super) fn of(event: &Event, initiator: Initiator, rules: &Rules<'_>) -> Option<Self> {
        use SubjectKind::{ClientApplication, Device, ServicePrincipal, Session, Token, User};
        let by_user = initiator == Initiator::User;
        let is_sign_out = by_user && rules.session_revoked_by_user == SessionRevokedByUser::Ignore;
        let user = Self::about(User, &[User]);
        let client = Self::about(ClientApplication, &[ClientApplication, ServicePrincipal]);
        match event {
            Event::SessionRevoked => {
                let reach = if is_sign_out {
                    Reach::SessionOnly
                } else {
                    Reach::SubjectOrSession
                };
                Some(user.cutting_off(Cause::SessionRevoked, reach))
            }
            Event::SessionsRevoked | Event::TokensRevoked => {
                (!is_sign_out).then(|| user.cutting_off(Cause::SessionRevoked, Reach::Subject))
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
                        .then(|| user.setting(Standing::MultiFactor(MultiFactor::Enabled))),
                    (Credential::Secret, Create) | (Credential::Factor, Update) => None,
                }
            }
            Event::ClientCredentialChange => {
                Some(client.cutting_off(Cause::CredentialChange, Reach::Subject))
            }
            Event::CredentialChangeRequired => {
                Some(user.cutting_off(Cause::CredentialChangeRequired, Reach::Subject))
            }
            Event::CredentialCompromise => {
                Some(user.cutting_off(Cause::CredentialCompromise, Reach::Subject))
            }
            Event::IdentifierChange => {
                Some(user.cutting_off(Cause::IdentifierChange, Reach::Subject))
            }
            Event::AccessChange | Event::MembershipEnd(_) => {
                Some(user.cutting_off(Cause::ClaimsChange, Reach::Subject))
            }
            Event::TokenClaimsChange(claims) => {
                // The token itself, or the narrowest of what it is about.
                let narrowest = &[
                    Token,
                    Session,
                    User,
                    ClientApplication,
                    ServicePrincipal,
                    Device,
                ];
                let change = Self::about(User, narrowest);
                Some(change.setting(Standing::Claims(claims.clone())))
            }
            Event::AssuranceDecrease(level) => {
                let change = Self::about(User, &[Session, User]);
                Some(change.setting(Standing::Assurance(level.clone())))
            }
            Event::RiskLevelChange {
                principal,
                current,
                previous,
            } => {
                let principal = (*principal)?;
                let level = Self::about(principal, alone(principal));
                let level = level.setting(Standing::Risk(*current));
                // Risk that was critical before has cut off already; saying so again must not log out everybody
                // who signed in since.
                let is_critical = |level| level >= rules.critical_risk_level;
                let rose = is_critical(*current) && !previous.is_some_and(is_critical);
                Some(if rose {
                    level.cutting_off(Cause::RiskLevel, Reach::Subject)
                } else {
                    level
                })
            }
            Event::DeviceComplianceChange { current } => {
                let status = Self::about(Device, &[Device]);
                let status = status.setting(Standing::Compliance(*current));
                Some(match current {
                    DeviceCompliance::Compliant => status,
                    // SPEC: enforcement §4: every token that carries that device id.
                    DeviceCompliance::NotCompliant => {
                        status.cutting_off(Cause::DeviceCompliance, Reach::Described)
                    }
                })
            }
            // SPEC: enforcement §4: a service principal as a user, on the application keys.
            Event::Account(status) => {
                let account = Self::about(User, &[User, ClientApplication, ServicePrincipal]);
                Some(account.with_status(*status))
            }
            Event::Client(status) => Some(client.with_status(*status)),
            Event::OptOut(state) => Some(user.setting(Standing::OptOut(*state))),
            Event::Verification | Event::StreamUpdated | Event::Informational | Event::Unknown => {
                None
            }
        }
    }

    const fn about(stands_for: SubjectKind, belongs_to: &'static [SubjectKind]) -> Self {
        Self {
            stands_for,
            belongs_to,
            cut_off: None,
            standing: None,
        }
    }

    const fn cutting_off(mut self, cause: Cause, reach: Reach) -> Self {
        self.cut_off = Some(CutOff { cause, reach });
        self
    }

    fn setting(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    fn with_status(self, status: AccountStatus) -> Self {
        let standing = self.setting(Standing::Status(status));
        match status {
            AccountStatus::Enabled => standing,
            AccountStatus::Disabled => standing.cutting_off(Cause::AccountDisabled, Reach::Subject),
            AccountStatus::Purged => standing.cutting_off(Cause::AccountPurged, Reach::Subject),
        }
    }
}

/// The members that stand for one kind of principal; an application is known by two ids.
pub(super) const fn alone(kind: SubjectKind) -> &'static [SubjectKind] {
    match kind {
        SubjectKind::User => &[SubjectKind::User],
        SubjectKind::Session => &[SubjectKind::Session],
        SubjectKind::Device => &[SubjectKind::Device],
        SubjectKind::Token => &[SubjectKind::Token],
        SubjectKind::ClientApplication | SubjectKind::ServicePrincipal => &[
            SubjectKind::ClientApplication,
            SubjectKind::ServicePrincipal,
        ],
        SubjectKind::Tenant => &[SubjectKind::Tenant],
        SubjectKind::Group => &[SubjectKind::Group],
        SubjectKind::OrganizationalUnit => &[SubjectKind::OrganizationalUnit],
    }
}

/// `cut-off: CAUSE, status: VALUE`, in the words of records as JSON.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cut_off) = self.cut_off {
            write!(f, "cut-off: {}", cut_off.cause.name())?;
            if self.standing.is_some() {
                f.write_str(", ")?;
            }
        }
        match &self.standing {
            None => Ok(()),
            Some(Standing::Status(value)) => write!(f, "status: {}", value.name()),
            Some(Standing::Risk(value)) => write!(f, "risk: {}", value.name()),
            Some(Standing::Compliance(value)) => write!(f, "compliance: {}", value.name()),
            Some(Standing::MultiFactor(value)) => {
                write!(f, "multi-factor authentication: {}", value.name())
            }
            Some(Standing::Assurance(level)) => write!(f, "assurance: {}", level.as_str()),
            Some(Standing::Claims(claims)) => {
                f.write_str("claims:")?;
                claims
                    .iter()
                    .try_for_each(|(name, _)| write!(f, " {}", name.as_str()))
            }
            Some(Standing::OptOut(value)) => write!(f, "opt-out: {}", value.name()),
        }
    }
}
