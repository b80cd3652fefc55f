//! Conditions over Graph's closed enumerations: platforms, client app types, risk levels.

use alloc::format;

use crate::json::Value;
use crate::policy::document::{Notes, entries};
use crate::policy::logic::Truth;
use crate::state::record::RiskLevel;

/// The values that a fact can have; its position is how the fact is passed around.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enumeration {
    names: &'static [&'static str],
    /// What the first name means in a policy, if it stands for "none of these" as a fact.
    nothing: Nothing,
    /// `all` is a member.
    all: bool,
    /// A member that no fact ever equals.
    unseen: &'static str,
}

/// What `none` means in the list of a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Nothing {
    /// A level like any other (row 8), or no member at all.
    Listed,
    /// It adds nothing (row 8).
    Ignored,
    /// Graph knows it as a fact only.
    FactOnly,
}

/// `conditionalAccessDevicePlatform`. The first is the platform that Graph does not name (row 2).
pub(crate) const PLATFORMS: Enumeration = Enumeration {
    names: &[
        "",
        "android",
        "iOS",
        "windows",
        "windowsPhone",
        "macOS",
        "linux",
    ],
    nothing: Nothing::Listed,
    all: true,
    unseen: "",
};

/// `conditionalAccessClientApp`.
pub(crate) const CLIENT_APP_TYPES: Enumeration = Enumeration {
    names: &[
        "browser",
        "mobileAppsAndDesktopClients",
        "exchangeActiveSync",
        "easSupported",
        "other",
    ],
    nothing: Nothing::Listed,
    all: true,
    unseen: "",
};

/// `riskLevel`; `hidden` is no level but the lack of a licence to see it.
pub(crate) const RISK_LEVELS: Enumeration = Enumeration {
    names: &["none", "low", "medium", "high"],
    nothing: Nothing::Listed,
    all: false,
    unseen: "hidden",
};

/// `insiderRiskLevel`, of which `conditionalAccessInsiderRiskLevels` lists all but `none`.
pub(crate) const INSIDER_RISK_LEVELS: Enumeration = Enumeration {
    names: &["none", "minor", "moderate", "elevated"],
    nothing: Nothing::FactOnly,
    all: false,
    unseen: "",
};

/// `conditionalAccessTransferMethods`.
pub(crate) const TRANSFER_METHODS: Enumeration = Enumeration {
    names: &["none", "deviceCodeFlow", "authenticationTransfer"],
    nothing: Nothing::Ignored,
    all: false,
    unseen: "",
};

/// `conditionalAccessGuestOrExternalUserTypes`. The first is no guest at all: an ordinary member (row 14).
pub(crate) const GUEST_TYPES: Enumeration = Enumeration {
    names: &[
        "none",
        "internalGuest",
        "b2bCollaborationGuest",
        "b2bCollaborationMember",
        "b2bDirectConnectUser",
        "otherExternalUser",
        "serviceProvider",
    ],
    nothing: Nothing::Ignored,
    all: false,
    unseen: "",
};

/// User actions, as policies name them.
pub(crate) const USER_ACTIONS: Enumeration = Enumeration {
    names: &["urn:user:registersecurityinfo", "urn:user:registerdevice"],
    nothing: Nothing::Listed,
    all: false,
    unseen: "",
};

impl Enumeration {
    /// The position of a value; `None` for values that say nothing (`all`, `unknownFutureValue`, row 3).
    pub(crate) fn position(self, value: &str) -> Option<u8> {
        self.names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(value))
            .and_then(|position| u8::try_from(position).ok())
    }

    /// Every fact there can be, the unknown one last.
    pub(crate) fn facts(self) -> impl Iterator<Item = Option<u8>> {
        (0_u8..).take(self.names.len()).map(Some).chain([None])
    }
}

/// The position of a risk level in [`RISK_LEVELS`].
pub(crate) const fn risk_position(level: RiskLevel) -> u8 {
    match level {
        RiskLevel::None => 0,
        RiskLevel::Low => 1,
        RiskLevel::Medium => 2,
        RiskLevel::High => 3,
    }
}

/// The bit of a member that no fact ever equals.
const UNSEEN: u16 = 1 << 15;

/// A list of enumeration values in a policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels {
    /// Everything, known or not.
    all: bool,
    /// Listed values, a bit for each position.
    listed: u16,
    /// A value is listed that this engine does not know: it may mean any fact (row 11).
    odd: bool,
}

impl Levels {
    /// Everything.
    pub(crate) const ANY: Self = Self {
        all: true,
        listed: 0,
        odd: false,
    };

    /// Reads a list; comma-separated text is several values (row 8).
    pub(crate) fn read(
        value: Option<&Value>,
        path: &str,
        enumeration: Enumeration,
        notes: &mut Notes,
    ) -> Self {
        let mut levels = Self::default();
        for entry in entries(value) {
            let Ok(text) = entry else {
                levels.odd = true;
                notes.not_understood(path);
                continue;
            };
            for name in text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                match (enumeration.position(name), enumeration.nothing) {
                    (Some(0), Nothing::Ignored) => {}
                    (Some(position), nothing) if position > 0 || nothing == Nothing::Listed => {
                        levels.listed |= bit(position);
                    }
                    _ if name.eq_ignore_ascii_case(enumeration.unseen) => levels.listed |= UNSEEN,
                    _ if enumeration.all && name.eq_ignore_ascii_case("all") => levels.all = true,
                    _ => {
                        levels.odd = true;
                        notes.not_understood(format!("{path}[{name}]"));
                    }
                }
            }
        }
        levels
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.all && self.listed == 0 && !self.odd
    }

    pub(crate) fn truth(&self, fact: Option<u8>) -> Truth {
        match fact {
            _ if self.all => Truth::True,
            Some(position) if self.listed & bit(position) != 0 => Truth::True,
            Some(_) if !self.odd => Truth::False,
            None if self.is_empty() => Truth::False,
            _ => Truth::Unknown,
        }
    }

    /// Whether some fact makes it true.
    pub(crate) fn can_be_true(&self) -> bool {
        self.all || self.listed & !UNSEEN != 0
    }

    /// Whether some fact makes it false.
    pub(crate) fn can_be_false(&self) -> bool {
        !self.all && !self.odd
    }
}

fn bit(position: u8) -> u16 {
    1_u16.wrapping_shl(u32::from(position))
}
