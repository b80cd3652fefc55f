//! Guests and external users: some types, of some home tenants (`policy-semantics.md` row 14).

use alloc::format;
use alloc::string::String;

use super::ids::IdList;
use super::levels::{GUEST_TYPES, Levels};
use crate::json::{Map, Value};
use crate::policy::document::{Notes, entries, is_configured, text, type_name};
use crate::policy::logic::Truth;

/// The position of `internalGuest` in [`GUEST_TYPES`]: the one guest who has no home elsewhere.
const INTERNAL_GUEST: u8 = 1;

/// `includeGuestsOrExternalUsers` or `excludeGuestsOrExternalUsers`.
#[derive(Clone, Debug)]
pub(crate) struct GuestObject {
    types: Levels,
    pub(crate) tenants: Tenants,
}

/// Home tenants.
#[derive(Clone, Debug)]
pub(crate) enum Tenants {
    /// Every tenant.
    All,
    /// These.
    Enumerated(IdList),
    /// A kind of membership that is not understood.
    NotUnderstood,
}

impl GuestObject {
    /// Reads the object; `opaque` is set if it holds a member that the reference does not know (row 9).
    pub(crate) fn read(
        guests: &Map<String, Value>,
        path: &str,
        opaque: &mut bool,
        notes: &mut Notes,
    ) -> Self {
        *opaque |= notes.unknown_members(
            path,
            guests,
            &["guestOrExternalUserTypes", "externalTenants"],
        );
        let types = Levels::read(
            guests.get("guestOrExternalUserTypes"),
            &format!("{path}.guestOrExternalUserTypes"),
            GUEST_TYPES,
            notes,
        );
        let path = format!("{path}.externalTenants");
        let tenants = match guests
            .get("externalTenants")
            .filter(|value| is_configured(value))
        {
            None => Tenants::All,
            Some(Value::Object(tenants)) => {
                *opaque |= notes.unknown_members(&path, tenants, &["membershipKind", "members"]);
                Tenants::read(tenants, &path, notes)
            }
            Some(_) => {
                notes.not_understood(path);
                Tenants::NotUnderstood
            }
        };
        Self { types, tenants }
    }

    /// Whether a user of exactly this kind and of this home tenant is meant.
    pub(crate) fn truth(&self, kind: u8, tenant: Option<&str>) -> Truth {
        let at_home = match &self.tenants {
            Tenants::All => Truth::True,
            Tenants::NotUnderstood => Truth::Unknown,
            // Neither has a home in any tenant that could be enumerated.
            Tenants::Enumerated(_) if kind <= INTERNAL_GUEST => Truth::False,
            Tenants::Enumerated(members) => {
                members.truth(tenant.as_ref().map(core::slice::from_ref))
            }
        };
        self.types.truth(Some(kind)) & at_home
    }

    /// Whether some guest makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        self.types.can_be_true()
            && match &self.tenants {
                Tenants::All => true,
                Tenants::Enumerated(members) => members.can_be_true(),
                Tenants::NotUnderstood => false,
            }
    }
}

impl Tenants {
    fn read(tenants: &Map<String, Value>, path: &str, notes: &mut Notes) -> Self {
        let kind = text(tenants, "membershipKind").or_else(|| {
            let name = type_name(text(tenants, "@odata.type")?);
            KINDS
                .iter()
                .find(|(known, _)| name.eq_ignore_ascii_case(known))
                .map(|(_, kind)| *kind)
        });
        match kind {
            Some(kind) if kind.eq_ignore_ascii_case("all") => Self::All,
            Some(kind) if kind.eq_ignore_ascii_case("enumerated") => {
                let path = format!("{path}.members");
                let mut members = IdList::default();
                for entry in entries(tenants.get("members")) {
                    match entry {
                        Ok(text) => members.push(text, &path, notes),
                        Err(_) => members.push_odd(&path, notes),
                    }
                }
                Self::Enumerated(members)
            }
            _ => {
                notes.not_understood(format!("{path}.membershipKind"));
                Self::NotUnderstood
            }
        }
    }
}

/// What the type of the object says where it has no `membershipKind`.
const KINDS: [(&str, &str); 2] = [
    ("conditionalAccessAllExternalTenants", "all"),
    ("conditionalAccessEnumeratedExternalTenants", "enumerated"),
];
