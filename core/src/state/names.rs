//! The number and the name of each value that records hold: numbers in bytes, names in JSON.

use super::key::{NameSpace, SubjectKind};
use super::record::{
    AccountStatus, Cause, DeviceCompliance, MultiFactor, OptOut, RiskLevel, UnseenMember,
};

/// A value with a fixed number and a fixed name. Neither ever changes: stored records rest on them.
pub trait Named: Copy + Sized + 'static {
    /// Every value with its number and its name, in the order of the numbers.
    const ALL: &'static [(Self, u8, &'static str)];

    /// The number in record bytes.
    #[must_use]
    fn number(self) -> u8;

    /// The value with this number.
    #[must_use]
    fn from_number(number: u8) -> Option<Self>;

    /// The name in JSON.
    #[must_use]
    fn name(self) -> &'static str;

    /// The value with this name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, _, known)| *known == name)
            .map(|(value, ..)| *value)
    }
}

macro_rules! named {
    ($($type:ident { $($variant:ident = $number:literal $name:literal),+ $(,)? })+) => {$(
        impl Named for $type {
            const ALL: &'static [(Self, u8, &'static str)] =
                &[$((Self::$variant, $number, $name)),+];

            fn number(self) -> u8 {
                match self { $(Self::$variant => $number),+ }
            }

            fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    )+};
}

named! {
    SubjectKind {
        User = 1 "user",
        Session = 2 "session",
        Device = 3 "device",
        Token = 4 "token",
        ClientApplication = 5 "clientApplication",
        ServicePrincipal = 6 "servicePrincipal",
        Tenant = 7 "tenant",
        Group = 8 "group",
        OrganizationalUnit = 9 "organizationalUnit",
    }
    NameSpace {
        Native = 1 "native",
        Email = 2 "email",
        PhoneNumber = 3 "phoneNumber",
        Account = 4 "account",
        Did = 5 "did",
        Uri = 6 "uri",
    }
    Cause {
        Cleared = 0 "cleared",
        ClaimsChange = 1 "claimsChange",
        SessionRevoked = 2 "sessionRevoked",
        CredentialChange = 3 "credentialChange",
        IdentifierChange = 4 "identifierChange",
        PasswordChange = 5 "passwordChange",
        CredentialChangeRequired = 6 "credentialChangeRequired",
        CredentialCompromise = 7 "credentialCompromise",
        RiskLevel = 8 "riskLevel",
        DeviceCompliance = 9 "deviceCompliance",
        AccountDisabled = 10 "accountDisabled",
        AccountPurged = 11 "accountPurged",
    }
    MultiFactor {
        Cleared = 0 "cleared",
        Enabled = 1 "enabled",
    }
    OptOut {
        OptedIn = 0 "optedIn",
        Initiated = 1 "initiated",
        OptedOut = 2 "optedOut",
    }
    AccountStatus {
        Enabled = 0 "enabled",
        Disabled = 1 "disabled",
        Purged = 2 "purged",
    }
    RiskLevel {
        None = 0 "none",
        Low = 1 "low",
        Medium = 2 "medium",
        High = 3 "high",
    }
    DeviceCompliance {
        Compliant = 0 "compliant",
        NotCompliant = 1 "notCompliant",
    }
    UnseenMember {
        Precise = 0 "precise",
        FailSafeSession = 1 "failSafeSession",
        FailSafe = 2 "failSafe",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<T: Named + Ord + core::fmt::Debug>() {
        for (value, number, name) in T::ALL {
            assert_eq!(value.number(), *number);
            assert_eq!(T::from_number(*number), Some(*value));
            assert_eq!(value.name(), *name);
            assert_eq!(T::from_name(name), Some(*value));
        }
        assert!(T::ALL.is_sorted(), "numbers keep the order of the values");
        assert_eq!(T::from_number(200), None);
        assert_eq!(T::from_name("Nobody"), None);
    }

    #[test]
    fn numbers_and_names_lead_back_to_the_value() {
        table::<SubjectKind>();
        table::<NameSpace>();
        table::<Cause>();
        table::<MultiFactor>();
        table::<OptOut>();
        table::<AccountStatus>();
        table::<RiskLevel>();
        table::<DeviceCompliance>();
        table::<UnseenMember>();
    }

    #[test]
    fn keys_and_record_bytes_use_the_same_numbers() {
        for (kind, number, _) in <SubjectKind as Named>::ALL {
            assert_eq!(SubjectKind::number(*kind), *number);
        }
        for (name_space, number, _) in <NameSpace as Named>::ALL {
            assert_eq!(NameSpace::number(*name_space), *number);
        }
    }
}
