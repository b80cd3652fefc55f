//! Which application permission each feature needs: the least one, and those that include it.
//!
//! SPEC: <https://learn.microsoft.com/graph/permissions-reference>, and the page of each request.

use crate::serve::settings::entra::Feature;

impl Feature {
    /// The least permission, then those that do as well.
    pub(crate) const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Policies => &["Policy.Read.All"],
            Self::Users => &[
                "User.Read.All",
                "User.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::UserRisk => &[
                "IdentityRiskyUser.Read.All",
                "IdentityRiskyUser.ReadWrite.All",
            ],
            Self::SecondFactors => &["AuditLog.Read.All"],
            Self::Applications => &[
                "Application.Read.All",
                "Application.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::ApplicationRisk => &[
                "IdentityRiskyServicePrincipal.Read.All",
                "IdentityRiskyServicePrincipal.ReadWrite.All",
            ],
            Self::Groups => &[
                "GroupMember.Read.All",
                "GroupMember.ReadWrite.All",
                "Group.Read.All",
                "Group.ReadWrite.All",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
            Self::Roles => &[
                "RoleManagement.Read.Directory",
                "RoleManagement.ReadWrite.Directory",
                "Directory.Read.All",
                "Directory.ReadWrite.All",
            ],
        }
    }

    /// Why the feature is off, given the permissions of the application.
    pub(crate) fn lacks(self, roles: &[String]) -> Option<String> {
        let has = |name: &&str| roles.iter().any(|role| role == name);
        if self.permissions().iter().any(has) {
            return None;
        }
        let least = self.permissions().first().copied().unwrap_or_default();
        Some(format!(
            "the application lacks the permission {least}: {}; give it with an administrator's consent, or leave `{}` \
             out of [entra] features",
            self.loss(),
            self.name()
        ))
    }

    /// What is lost without it.
    const fn loss(self) -> &'static str {
        match self {
            Self::Policies => "the policies of the tenant are not enforced here",
            Self::Users => {
                "disabled and deleted users, revoked sessions and changed passwords are not learned"
            }
            Self::UserRisk => "the risk of users is not learned",
            Self::SecondFactors => "the registration of second factors is not learned",
            Self::Applications => "disabled and deleted service principals are not learned",
            Self::ApplicationRisk => "the risk of service principals is not learned",
            Self::Groups => "the groups of users whose tokens do not name them are not known",
            Self::Roles => "the roles of users whose tokens do not name them are not known",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_permission_or_one_that_includes_it_is_enough() {
        let roles = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        for feature in Feature::all() {
            for name in feature.permissions() {
                assert_eq!(feature.lacks(&roles(&["X", name])), None, "{name}");
            }
            let lacks = feature
                .lacks(&roles(&["user.read.all", "Mail.Read"]))
                .unwrap();
            assert!(lacks.contains(feature.permissions()[0]), "{lacks}");
        }
    }
}
