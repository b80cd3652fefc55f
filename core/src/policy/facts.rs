//! What is known about one sign-in or request. `None` is always "unknown", never "absent".

use alloc::string::String;
use core::net::IpAddr;

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
    /// Not known what.
    Unknown,
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
    /// What.
    pub target: Target<'a>,
    /// Graph's name of the client app type.
    pub client_app_type: Option<&'a str>,
    /// Graph's name of the platform.
    pub platform: Option<&'a str>,
    /// Client address; IPv4-mapped already unwrapped.
    pub address: Option<IpAddr>,
    /// ISO 3166-1 alpha-2 country in upper case; the empty string is "maps to no country".
    pub country: Option<&'a str>,
    /// User risk.
    pub user_risk: Option<RiskLevel>,
    /// Sign-in risk.
    pub sign_in_risk: Option<RiskLevel>,
}

impl Facts<'_> {
    /// Nothing known.
    pub const UNKNOWN: Self = Self {
        identity: Identity::Unknown,
        member_of: None,
        roles: None,
        user_type: None,
        target: Target::Unknown,
        client_app_type: None,
        platform: None,
        address: None,
        country: None,
        user_risk: None,
        sign_in_risk: None,
    };
}
