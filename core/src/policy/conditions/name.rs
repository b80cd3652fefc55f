//! The names of conditions, in the order in which they are evaluated.

macro_rules! conditions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $bit:literal $name:literal),+ $(,)?) => {
        /// A condition of a policy, in the order of `policy-semantics.md` row 4 (the order of Graph's
        /// `conditionalAccessWhatIfReasons`, then names of ours).
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Condition {
            $($(#[doc = $doc])+ $variant),+
        }

        impl Condition {
            /// All conditions, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Graph's name of it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            const fn bit(self) -> u32 {
                match self { $(Self::$variant => 1 << $bit),+ }
            }
        }
    };
}

conditions! {
    /// Users, groups, roles and guests of a user sign-in.
    Users = 0 "users",
    /// The service principal of a workload.
    WorkloadIdentities = 1 "workloadIdentities",
    /// The application that is asked for.
    Application = 2 "application",
    /// The user action that is asked for.
    UserActions = 3 "userActions",
    /// The authentication context that is asked for.
    AuthenticationContext = 4 "authenticationContext",
    /// The platform of the device.
    DevicePlatform = 5 "devicePlatform",
    /// The device filter.
    Devices = 6 "devices",
    /// The client app type.
    ClientApps = 7 "clientApps",
    /// The network location.
    Location = 8 "location",
    /// Sign-in risk.
    SignInRisk = 9 "signInRisk",
    /// User risk.
    UserRisk = 10 "userRisk",
    /// Times of day.
    Time = 11 "time",
    /// Insider risk.
    InsiderRisk = 12 "insiderRisk",
    /// Device code flow, authentication transfer.
    AuthenticationFlow = 13 "authenticationFlow",
    /// Service principal risk.
    ServicePrincipalRisk = 14 "servicePrincipalRisk",
    /// A condition that the reference does not know.
    InvalidCondition = 15 "invalidCondition",
    /// A misspelt member of the policy itself.
    InvalidPolicy = 16 "invalidPolicy",
    /// The policy is disabled, or its state is not understood.
    PolicyNotEnabled = 17 "policyNotEnabled",
    /// The policy holds no control in effect.
    EmptyPolicy = 18 "emptyPolicy",
}

/// A set of conditions.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ConditionSet(u32);

impl ConditionSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Adds a condition.
    pub const fn insert(&mut self, condition: Condition) {
        self.0 |= condition.bit();
    }

    /// Takes a condition out.
    pub const fn remove(&mut self, condition: Condition) {
        self.0 &= !condition.bit();
    }

    /// Whether a condition is a member.
    #[must_use]
    pub const fn contains(self, condition: Condition) -> bool {
        self.0 & condition.bit() != 0
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = Condition> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let condition = usize::try_from(rest.trailing_zeros())
                .ok()
                .and_then(|position| Condition::ALL.get(position))?;
            rest &= rest.wrapping_sub(1);
            Some(*condition)
        })
    }
}

impl FromIterator<Condition> for ConditionSet {
    fn from_iter<I: IntoIterator<Item = Condition>>(conditions: I) -> Self {
        let mut set = Self::EMPTY;
        conditions
            .into_iter()
            .for_each(|condition| set.insert(condition));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_set_gives_its_members_in_order() {
        let all: ConditionSet = Condition::ALL.iter().rev().copied().collect();
        assert_eq!(all.iter().collect::<Vec<_>>(), Condition::ALL);
        let mut set = all;
        set.remove(Condition::Location);
        assert!(!set.contains(Condition::Location) && set.contains(Condition::EmptyPolicy));
        assert_eq!(ConditionSet::EMPTY.iter().count(), 0);
    }
}
