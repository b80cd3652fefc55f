//! How long an access token lives (`cae.md` §3).

use core::time::Duration;

use serde::Serialize;

use crate::configuration::settings::Profile;

const HOUR: Duration = Duration::from_secs(3_600);

/// What the lifetime of one token depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct LifetimeFacts {
    pub(super) profile: Profile,
    /// The token belongs to a continuous access evaluation session.
    pub(super) continuous: bool,
    /// The resource cannot enforce the location of this session.
    pub(super) location_unenforced: bool,
    /// Seconds that a token lifetime policy sets.
    pub(super) configured: Option<Duration>,
    /// With sign-in frequency: how long until the next prompt falls due.
    pub(super) prompt_due_in: Option<Duration>,
    /// Given by the host; the engine draws nothing itself.
    pub(super) random: u64,
}

/// The rule that set a lifetime.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LifetimeRule {
    /// 60 to 90 minutes.
    Default,
    /// A token lifetime policy.
    Configured,
    /// A continuous access evaluation session: 20 to 28 hours.
    LongLived,
    /// A continuous access evaluation session whose location the resource does not enforce: one hour.
    OneHour,
    /// Shortened so that a sign-in frequency is kept.
    SignInFrequency,
}

/// The lifetime and the rule that set it.
pub(super) fn lifetime(facts: &LifetimeFacts) -> (Duration, LifetimeRule) {
    let default = default_lifetime(facts);
    match (facts.continuous, facts.configured, facts.prompt_due_in) {
        // SPEC: cae.md §3, "IP variation", "country/region location", "> 5,000" and "IP mismatch": one hour.
        (true, _, _) if facts.location_unenforced => (HOUR, LifetimeRule::OneHour),
        // SPEC: cae.md §3, "CTL policy + CAE-aware session": the policy is ignored.
        (true, _, None) => (long_lifetime(facts), LifetimeRule::LongLived),
        // SPEC: cae.md §3, "SIF and lifetime": the prompt interval is frequency + default lifetime, with or without
        // continuous access evaluation, so no token reaches beyond both the next prompt and the default lifetime.
        (true, _, Some(due)) => {
            let (long, kept) = (long_lifetime(facts), due.max(default));
            if kept < long {
                (kept, LifetimeRule::SignInFrequency)
            } else {
                (long, LifetimeRule::LongLived)
            }
        }
        // SPEC: cae.md §3, "SIF and lifetime": a lifetime policy cannot override the 60 to 90 minutes then.
        (false, Some(configured), None) => (configured, LifetimeRule::Configured),
        (false, _, _) => (default, LifetimeRule::Default),
    }
}

/// SPEC: cae.md §3, "Default, precise": random 60–90 min, mean 75; one hour in the texts of 2020.
fn default_lifetime(facts: &LifetimeFacts) -> Duration {
    match facts.profile {
        Profile::Entra2020 => HOUR,
        Profile::Full | Profile::Entra => between(3_600, 5_400, facts.random),
    }
}

/// SPEC: cae.md §3, "CAE session, precise range": 20–28 h; 24 h in the texts of 2020.
fn long_lifetime(facts: &LifetimeFacts) -> Duration {
    match facts.profile {
        Profile::Entra2020 => Duration::from_secs(86_400),
        Profile::Full | Profile::Entra => between(72_000, 100_800, facts.random),
    }
}

/// `random` mapped onto `least ..= most` seconds.
fn between(least: u64, most: u64, random: u64) -> Duration {
    let width = most.saturating_sub(least).saturating_add(1);
    Duration::from_secs(least.saturating_add(random.checked_rem(width).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: LifetimeFacts = LifetimeFacts {
        profile: Profile::Full,
        continuous: false,
        location_unenforced: false,
        configured: None,
        prompt_due_in: None,
        random: 0,
    };
    const CONTINUOUS: LifetimeFacts = LifetimeFacts {
        continuous: true,
        ..FACTS
    };
    const fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn every_row_of_the_table() {
        use LifetimeRule::{Configured, Default, LongLived, OneHour, SignInFrequency};
        let old = LifetimeFacts {
            profile: Profile::Entra2020,
            random: 999,
            ..FACTS
        };
        for (facts, expected, rule, row) in [
            (FACTS, 3_600, Default, "least"),
            (
                LifetimeFacts {
                    random: 1_800,
                    ..FACTS
                },
                5_400,
                Default,
                "most",
            ),
            (
                LifetimeFacts {
                    random: 900,
                    ..FACTS
                },
                4_500,
                Default,
                "mean",
            ),
            (
                LifetimeFacts {
                    random: u64::MAX,
                    ..FACTS
                },
                3_774,
                Default,
                "any number",
            ),
            (old, 3_600, Default, "2020"),
            (
                LifetimeFacts {
                    continuous: true,
                    ..old
                },
                86_400,
                LongLived,
                "2020, CAE",
            ),
            (CONTINUOUS, 72_000, LongLived, "least, CAE"),
            (
                LifetimeFacts {
                    random: 28_800,
                    ..CONTINUOUS
                },
                100_800,
                LongLived,
                "most, CAE",
            ),
            (
                LifetimeFacts {
                    configured: seconds(600),
                    ..FACTS
                },
                600,
                Configured,
                "CTL",
            ),
            (
                LifetimeFacts {
                    configured: seconds(600),
                    ..CONTINUOUS
                },
                72_000,
                LongLived,
                "CTL and CAE",
            ),
            (
                LifetimeFacts {
                    configured: seconds(86_400),
                    prompt_due_in: seconds(60),
                    ..FACTS
                },
                3_600,
                Default,
                "CTL and frequency",
            ),
            (
                LifetimeFacts {
                    location_unenforced: true,
                    random: 5,
                    ..CONTINUOUS
                },
                3_600,
                OneHour,
                "one hour",
            ),
            (
                LifetimeFacts {
                    location_unenforced: true,
                    random: 5,
                    ..FACTS
                },
                3_605,
                Default,
                "no CAE, no row",
            ),
            (
                LifetimeFacts {
                    prompt_due_in: seconds(60),
                    random: 9,
                    ..CONTINUOUS
                },
                3_609,
                SignInFrequency,
                "due soon",
            ),
            (
                LifetimeFacts {
                    prompt_due_in: seconds(40_000),
                    ..CONTINUOUS
                },
                40_000,
                SignInFrequency,
                "due later",
            ),
            (
                LifetimeFacts {
                    prompt_due_in: seconds(900_000),
                    ..CONTINUOUS
                },
                72_000,
                LongLived,
                "due in days",
            ),
        ] {
            let found = lifetime(&facts);
            assert_eq!(found, (Duration::from_secs(expected), rule), "{row}");
        }
    }

    #[test]
    fn an_hourly_prompt_comes_within_two_and_a_half_hours() {
        // SPEC: cae.md §3: 1 h of sign-in frequency comes to 1–2.5 h between prompts. A token that is issued in the
        // last second before the prompt falls due lives longest.
        for random in 0..2_000 {
            for age in [0, 1_800, 3_600] {
                let facts = LifetimeFacts {
                    prompt_due_in: seconds(3_600 - age),
                    random,
                    ..CONTINUOUS
                };
                let prompt = age + lifetime(&facts).0.as_secs();
                assert!((3_600..=9_000).contains(&prompt), "{prompt}");
            }
        }
    }
}
