//! What is known about one sign-in or request. `None` is always "unknown", never "absent".

use alloc::string::String;
use core::net::IpAddr;

use super::conditions::levels::GUEST_TYPES;
use super::device::Device;
use crate::state::record::RiskLevel;
use crate::token::UserType;

/// Who is asking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Identity<'a> {
    /// A user, by object id in lower case.
    User(Option<&'a str>),
    /// A service principal, by object id in lower case.
    ServicePrincipal(Option<&'a str>),
    /// Not known which.
    Unknown,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target<'a> {
    /// An application, by application id in lower case; `None` is one unknown application.
    Application(Option<&'a str>),
    /// Several applications at once, by application id in lower case: a policy for one of them applies.
    Applications(&'a [String]),
    /// A user action; `None` is an unknown one.
    UserAction(Option<UserAction>),
    /// An authentication context, such as `c1`; `None`, or another form, is an unknown one.
    AuthenticationContext(Option<&'a str>),
    /// Not known what.
    Unknown,
}

/// What a user does with the own account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserAction {
    /// Registers or changes ways to authenticate.
    RegisterSecurityInformation,
    /// Registers or joins a device.
    RegisterOrJoinDevices,
}

impl UserAction {
    /// The action with this name, of Graph's What If request or of a policy (`policy-semantics.md` row 19).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |names: [&str; 2]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is([
            "registerSecurityInformation",
            "urn:user:registersecurityinfo",
        ]) {
            Some(Self::RegisterSecurityInformation)
        } else if is(["registerOrJoinDevices", "urn:user:registerdevice"]) {
            Some(Self::RegisterOrJoinDevices)
        } else {
            None
        }
    }

    pub(crate) const fn position(self) -> u8 {
        match self {
            Self::RegisterSecurityInformation => 0,
            Self::RegisterOrJoinDevices => 1,
        }
    }
}

/// A set of the kinds of users that `policy-semantics.md` row 14 tells apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UserKinds(u8);

impl UserKinds {
    const MEMBER: Self = Self(1);
    const INTERNAL_GUEST: Self = Self(1 << 1);
    const B2B_GUEST: Self = Self(1 << 2);
    const B2B_MEMBER: Self = Self(1 << 3);
    const ANY: Self = Self(0b111_1111);
    /// Every kind with a home elsewhere.
    const EXTERNAL: Self = Self(0b111_1100);

    /// Reads Graph's `externalUserType`: several types, separated by commas, are one of them. `None` if a type is not
    /// in the enumeration or there is none, which says nothing.
    #[must_use]
    pub fn external(flags: &str) -> Option<Self> {
        let mut kinds = 0;
        for name in flags.split(',').map(str::trim) {
            let position = GUEST_TYPES.position(name)?;
            if position > 0 {
                kinds |= 1_u8.wrapping_shl(u32::from(position));
            }
        }
        (kinds != 0).then_some(Self(kinds))
    }

    /// Each kind as its position in [`GUEST_TYPES`].
    pub(crate) fn positions(self) -> impl Iterator<Item = u8> {
        (0_u8..7).filter(move |position| self.0 & 1_u8.wrapping_shl(u32::from(*position)) != 0)
    }
}

/// `insiderRiskLevel`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum InsiderRisk {
    /// No risk.
    None,
    /// Minor.
    Minor,
    /// Moderate.
    Moderate,
    /// Elevated.
    Elevated,
}

impl InsiderRisk {
    /// The level with Graph's name of it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Minor, Self::Moderate, Self::Elevated]
            .into_iter()
            .zip(["none", "minor", "moderate", "elevated"])
            .find(|(_, known)| name.eq_ignore_ascii_case(known))
            .map(|(level, _)| level)
    }

    pub(crate) const fn position(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Minor => 1,
            Self::Moderate => 2,
            Self::Elevated => 3,
        }
    }
}

/// Every fact that a condition of this engine reads.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who.
    pub identity: Identity<'a>,
    /// Transitive group ids in lower case.
    pub member_of: Option<&'a [String]>,
    /// Built-in directory role template ids in lower case.
    pub roles: Option<&'a [String]>,
    /// Member or guest.
    pub user_type: Option<UserType>,
    /// The type of an external user, one of these; wins over `user_type`, and comes with it.
    pub external_user_type: Option<UserKinds>,
    /// Home tenant of an external user, in lower case. Its absence beside a known `user_type` is a fact too: such
    /// a user is at home here (row 14).
    pub external_tenant: Option<&'a str>,
    /// What.
    pub target: Target<'a>,
    /// Graph's name of the client app type.
    pub client_app_type: Option<&'a str>,
    /// Graph's name of the platform.
    pub platform: Option<&'a str>,
    /// The device; without it nothing is known of it, not even whether there is one.
    pub device: Option<&'a Device>,
    /// Client address; IPv4-mapped already unwrapped.
    pub address: Option<IpAddr>,
    /// ISO 3166-1 alpha-2 country in upper case; the empty string is "maps to no country".
    pub country: Option<&'a str>,
    /// User risk.
    pub user_risk: Option<RiskLevel>,
    /// Sign-in risk.
    pub sign_in_risk: Option<RiskLevel>,
    /// Service principal risk.
    pub service_principal_risk: Option<RiskLevel>,
    /// Insider risk.
    pub insider_risk: Option<InsiderRisk>,
    /// Graph's name of the transfer method of the authentication flow; `none` is an ordinary flow.
    pub transfer_method: Option<&'a str>,
}

impl Facts<'_> {
    /// Nothing known.
    pub const UNKNOWN: Self = Self {
        identity: Identity::Unknown,
        member_of: None,
        roles: None,
        user_type: None,
        external_user_type: None,
        external_tenant: None,
        target: Target::Unknown,
        client_app_type: None,
        platform: None,
        device: None,
        address: None,
        country: None,
        user_risk: None,
        sign_in_risk: None,
        service_principal_risk: None,
        insider_risk: None,
        transfer_method: None,
    };

    /// The kinds that the user may be of (row 14).
    pub(crate) const fn user_kinds(&self) -> UserKinds {
        let elsewhere = self.external_tenant.is_some();
        match (self.external_user_type, self.user_type) {
            (Some(kinds), _) => kinds,
            (None, Some(UserType::Member)) if elsewhere => UserKinds::B2B_MEMBER,
            (None, Some(UserType::Member)) => UserKinds::MEMBER,
            (None, Some(UserType::Guest)) if elsewhere => UserKinds::B2B_GUEST,
            (None, Some(UserType::Guest)) => {
                UserKinds(UserKinds::INTERNAL_GUEST.0 | UserKinds::B2B_GUEST.0)
            }
            (None, None) if elsewhere => UserKinds::EXTERNAL,
            (None, None) => UserKinds::ANY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn kinds_of_users_follow_row_14() {
        let kinds = |user_type, external: Option<&str>, tenant| {
            let facts = Facts {
                user_type,
                external_user_type: external.and_then(UserKinds::external),
                external_tenant: tenant,
                ..Facts::UNKNOWN
            };
            facts.user_kinds().positions().collect::<Vec<u8>>()
        };
        let (member, guest) = (Some(UserType::Member), Some(UserType::Guest));
        for (user_type, external, tenant, expected) in [
            (member, None, None, &[0][..]),
            (member, None, Some("t"), &[3]),
            (guest, None, None, &[1, 2]),
            (guest, None, Some("t"), &[2]),
            (None, None, Some("t"), &[2, 3, 4, 5, 6]),
            (None, None, None, &[0, 1, 2, 3, 4, 5, 6]),
            (member, Some("internalGuest"), None, &[1]),
            (
                guest,
                Some("B2BCollaborationGuest, serviceProvider"),
                None,
                &[2, 6],
            ),
            (member, Some("internalGuest,unknownFutureValue"), None, &[0]),
            (member, Some("none"), None, &[0]),
        ] {
            assert_eq!(kinds(user_type, external, tenant), expected, "{external:?}");
        }
    }
}
