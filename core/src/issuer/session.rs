//! Which sessions outlive which events: the refresh-token revocation matrix.
//!
//! SPEC: cae.md §2, "Refresh-token revocation matrix".

use alloc::vec::Vec;

use crate::time::UnixTime;

/// What a client holds of a session, and whether a password began it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum SessionKind {
    /// A cookie of a session that began with a password.
    PasswordCookie,
    /// A refresh token of such a session.
    #[default]
    PasswordToken,
    /// A cookie of a session that began without a password.
    OtherCookie,
    /// A refresh token of such a session.
    OtherToken,
    /// A refresh token of a confidential client.
    ConfidentialClientToken,
}

impl SessionKind {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "passwordCookie" => Self::PasswordCookie,
            "passwordToken" => Self::PasswordToken,
            "otherCookie" => Self::OtherCookie,
            "otherToken" => Self::OtherToken,
            "confidentialClientToken" => Self::ConfidentialClientToken,
            _ => return None,
        })
    }

    /// The bit of its column.
    const fn bit(self) -> u8 {
        match self {
            Self::PasswordCookie => 1,
            Self::PasswordToken => 1 << 1,
            Self::OtherCookie => 1 << 2,
            Self::OtherToken => 1 << 3,
            Self::ConfidentialClientToken => 1 << 4,
        }
    }
}

/// What happened to an account or its sessions: a row of the matrix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SessionEvent {
    PasswordExpired,
    PasswordChangedByUser,
    PasswordResetByUser,
    PasswordResetInAzurePortal,
    PasswordResetInEntraAdminCenter,
    RevokedByUser,
    RevokedByAdmin,
    SingleSignOut,
}

impl SessionEvent {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "passwordExpired" => Self::PasswordExpired,
            "passwordChangedByUser" => Self::PasswordChangedByUser,
            "passwordResetByUser" => Self::PasswordResetByUser,
            "passwordResetInAzurePortal" => Self::PasswordResetInAzurePortal,
            "passwordResetInEntraAdminCenter" => Self::PasswordResetInEntraAdminCenter,
            "revokedByUser" => Self::RevokedByUser,
            "revokedByAdmin" => Self::RevokedByAdmin,
            "singleSignOut" => Self::SingleSignOut,
            _ => return None,
        })
    }

    /// What it revokes.
    const fn revokes(self) -> u8 {
        use SessionKind::{
            ConfidentialClientToken, OtherCookie, OtherToken, PasswordCookie, PasswordToken,
        };
        let by_password = PasswordCookie.bit() | PasswordToken.bit();
        let other_tokens = OtherToken.bit() | ConfidentialClientToken.bit();
        match self {
            Self::PasswordExpired => 0,
            Self::PasswordChangedByUser
            | Self::PasswordResetByUser
            | Self::PasswordResetInAzurePortal => by_password,
            Self::PasswordResetInEntraAdminCenter => by_password | other_tokens,
            Self::RevokedByUser | Self::RevokedByAdmin => {
                by_password | other_tokens | OtherCookie.bit()
            }
            Self::SingleSignOut => PasswordCookie.bit() | OtherCookie.bit(),
        }
    }
}

/// A session, and what happened since it began.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) kind: SessionKind,
    pub(super) events: Vec<(SessionEvent, UnixTime)>,
}

impl Session {
    /// Whether an event after the authentication ended the session, so that only a new sign-in helps. What
    /// survives is renewed silently.
    pub(super) fn is_revoked(&self, authenticated: UnixTime) -> bool {
        self.events
            .iter()
            .any(|(event, at)| *at > authenticated && event.revokes() & self.kind.bit() != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_row_by_row() {
        const KINDS: [&str; 5] = [
            "passwordCookie",
            "passwordToken",
            "otherCookie",
            "otherToken",
            "confidentialClientToken",
        ];
        for (event, revoked) in [
            ("passwordExpired", [false; 5]),
            ("passwordChangedByUser", [true, true, false, false, false]),
            ("passwordResetByUser", [true, true, false, false, false]),
            (
                "passwordResetInAzurePortal",
                [true, true, false, false, false],
            ),
            (
                "passwordResetInEntraAdminCenter",
                [true, true, false, true, true],
            ),
            ("revokedByUser", [true; 5]),
            ("revokedByAdmin", [true; 5]),
            ("singleSignOut", [true, false, true, false, false]),
        ] {
            for (kind, expected) in KINDS.into_iter().zip(revoked) {
                let session = |at| Session {
                    kind: SessionKind::from_name(kind).unwrap(),
                    events: alloc::vec![(
                        SessionEvent::from_name(event).unwrap(),
                        UnixTime::from_secs(at)
                    )],
                };
                let began = UnixTime::from_secs(100);
                assert_eq!(
                    session(101).is_revoked(began),
                    expected,
                    "{event} and {kind}"
                );
                assert!(!session(100).is_revoked(began), "{event} came first");
            }
        }
        assert!(SessionEvent::from_name("x").is_none() && SessionKind::from_name("").is_none());
    }
}
