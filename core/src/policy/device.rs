//! What is known about a device, attribute by attribute, and rules over it (`policy-semantics.md` rows 2, 15, 16).
//!
//! ```
//! use cae_core::policy::device::{Device, Rule};
//! use cae_core::policy::Truth;
//!
//! let rule = Rule::parse(r#"device.trustType -ne "ServerAD" -and device.isCompliant -ne True"#)?;
//! assert_eq!(rule.truth(Some(&Device::unregistered())), Truth::True, "negative operators match what is not there");
//! assert_eq!(rule.truth(None), Truth::Unknown);
//!
//! let error = Rule::parse("device.trustType -match \"x\"").unwrap_err();
//! assert_eq!(error.to_string(), "column 18: `-match` is no operator of device filters");
//! # Ok::<(), cae_core::policy::device::RuleError>(())
//! ```

mod parse;
mod rule;

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};

pub use parse::RuleError;
pub use rule::Rule;

/// What is known about one attribute.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Attribute<T> {
    /// Nothing.
    #[default]
    Unknown,
    /// The device has no such attribute: it is null.
    Absent,
    /// Its value.
    Is(T),
}

impl<T> Attribute<T> {
    pub(crate) const fn as_ref(&self) -> Attribute<&T> {
        match self {
            Self::Unknown => Attribute::Unknown,
            Self::Absent => Attribute::Absent,
            Self::Is(value) => Attribute::Is(value),
        }
    }
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $variant:ident = $position:literal $name:literal),+ $(,)?) => {
        /// An attribute that is one text.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum TextProperty {
            $($(#[doc = $doc])+ $variant),+
        }

        impl TextProperty {
            /// All of them, without the extension attributes.
            pub(crate) const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),+];

            const fn position(self) -> usize {
                match self { $(Self::$variant => $position),+ }
            }
        }
    };
}

texts! {
    /// Object id of the device.
    DeviceId = 0 "deviceId",
    /// Display name.
    DisplayName = 1 "displayName",
    /// Enrolment profile.
    EnrollmentProfileName = 2 "enrollmentProfileName",
    /// Manufacturer.
    Manufacturer = 3 "manufacturer",
    /// Application id of the management.
    MdmAppId = 4 "mdmAppId",
    /// Model.
    Model = 5 "model",
    /// Operating system.
    OperatingSystem = 6 "operatingSystem",
    /// Its version.
    OperatingSystemVersion = 7 "operatingSystemVersion",
    /// `Personal` or `Company`.
    DeviceOwnership = 8 "deviceOwnership",
    /// Kind of device.
    ProfileType = 9 "profileType",
    /// How the device belongs to the tenant.
    TrustType = 10 "trustType",
}

const NAMED: usize = 11;
const EXTENSIONS: usize = 15;

/// An attribute that is a list of texts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ListProperty {
    /// `physicalIds`.
    PhysicalIds,
    /// `systemLabels`.
    SystemLabels,
}

/// A device, as far as it is known. Texts are in lower case, as rules compare them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Device {
    texts: [Attribute<String>; NAMED],
    /// `extensionAttribute1` to `15`.
    extensions: [Attribute<String>; EXTENSIONS],
    is_compliant: Attribute<bool>,
    lists: [Attribute<Vec<String>>; 2],
}

impl Device {
    /// A device that the directory does not have: every attribute is null.
    #[must_use]
    pub fn unregistered() -> Self {
        Self {
            texts: core::array::from_fn(|_| Attribute::Absent),
            extensions: core::array::from_fn(|_| Attribute::Absent),
            is_compliant: Attribute::Absent,
            lists: [Attribute::Absent, Attribute::Absent],
        }
    }

    /// Reads Graph's `deviceInfo`. Absent, null and what has the wrong type is unknown; `""` is null; a `deviceId` of
    /// `""` is an unregistered device, whatever else is given (row 2).
    #[must_use]
    pub fn read(info: &Map<String, Value>) -> Self {
        let text = |name: &str| match info.get(name).and_then(Value::as_str) {
            None => Attribute::Unknown,
            Some("") => Attribute::Absent,
            Some(text) => Attribute::Is(text.to_lowercase()),
        };
        let list = |name: &str| {
            let texts = info.get(name).and_then(Value::as_array).and_then(|list| {
                let texts = list.iter().map(|item| item.as_str().map(str::to_lowercase));
                texts.collect::<Option<Vec<String>>>()
            });
            texts.map_or(Attribute::Unknown, Attribute::Is)
        };
        let mut device = Self {
            is_compliant: info
                .get("isCompliant")
                .and_then(Value::as_bool)
                .map_or(Attribute::Unknown, Attribute::Is),
            lists: [list("physicalIds"), list("systemLabels")],
            ..Self::default()
        };
        for (name, property) in TextProperty::NAMED {
            // Graph's request says `ownership` for what rules call `deviceOwnership`.
            let name = match property {
                TextProperty::DeviceOwnership => "ownership",
                _ => name,
            };
            device.set_text(*property, text(name));
        }
        for (number, extension) in (1_u8..).zip(&mut device.extensions) {
            *extension = text(&alloc::format!("extensionAttribute{number}"));
        }
        if *device.text(TextProperty::DeviceId) == Attribute::Absent {
            return Self::unregistered();
        }
        device
    }

    /// Whether Graph's `deviceInfo` has a member of this name.
    #[must_use]
    pub fn has_member(name: &str) -> bool {
        let extension = |number: u8| name == alloc::format!("extensionAttribute{number}");
        matches!(
            name,
            "isCompliant" | "ownership" | "physicalIds" | "systemLabels"
        ) || name != "deviceOwnership"
            && TextProperty::NAMED.iter().any(|(known, _)| *known == name)
            || (1..=15).any(extension)
    }

    /// Says something about a text attribute; the text in lower case.
    pub fn set_text(&mut self, property: TextProperty, value: Attribute<String>) {
        if let Some(text) = self.texts.get_mut(property.position()) {
            *text = value;
        }
    }

    /// Says whether the device is compliant.
    pub const fn set_compliant(&mut self, compliant: bool) {
        self.is_compliant = Attribute::Is(compliant);
    }

    /// Whether the device is compliant.
    #[must_use]
    pub const fn is_compliant(&self) -> Attribute<bool> {
        self.is_compliant
    }

    /// What is known about a text attribute.
    #[must_use]
    pub fn text(&self, property: TextProperty) -> &Attribute<String> {
        self.texts
            .get(property.position())
            .unwrap_or(&Attribute::Unknown)
    }

    /// What is known about `extensionAttributeN`.
    pub(crate) fn extension(&self, number: u8) -> &Attribute<String> {
        usize::from(number)
            .checked_sub(1)
            .and_then(|position| self.extensions.get(position))
            .unwrap_or(&Attribute::Unknown)
    }

    /// What is known about a list attribute.
    pub(crate) const fn list(&self, property: ListProperty) -> &Attribute<Vec<String>> {
        let [physical_ids, system_labels] = &self.lists;
        match property {
            ListProperty::PhysicalIds => physical_ids,
            ListProperty::SystemLabels => system_labels,
        }
    }
}

#[cfg(test)]
mod tests;
