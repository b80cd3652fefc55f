//! The session controls of all enforced policies, merged (`policy-semantics.md` row 27).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use crate::json::Value;
use crate::policy::controls::{
    AuthenticationType, ContinuousAccessEvaluation, PersistentBrowser, SessionControls,
    SignInFrequency, SignInInterval,
};

/// What the session controls come to, by Graph's name of each.
pub(crate) type MergedControls = BTreeMap<String, Value>;

/// Merges the session controls of several policies; the order of the policies does not matter.
pub(crate) fn merge<'a>(controls: impl Iterator<Item = &'a SessionControls>) -> MergedControls {
    let mut merged = MergedControls::new();
    let mut modes: Option<Value> = None;
    let mut frequencies: BTreeMap<&'static str, Frequency> = BTreeMap::new();
    let mut browser: Option<PersistentBrowser> = None;
    let mut cloud_apps: Option<BTreeSet<&str>> = None;
    for controls in controls {
        if let Some(mode) = &controls.continuous_access_evaluation {
            modes = Some(merge_modes(modes, mode_name(mode)));
        }
        if let Some(frequency) = &controls.sign_in_frequency {
            let found = Frequency::of(frequency);
            frequencies
                .entry(authentication_type(frequency.authentication_type))
                .and_modify(|known| *known = found.min(*known))
                .or_insert(found);
        }
        browser = browser.max(controls.persistent_browser);
        if let Some(name) = &controls.cloud_app_security {
            cloud_apps
                .get_or_insert_with(BTreeSet::new)
                .extend(Some(name.as_str()).filter(|name| !name.is_empty()));
        }
        for name in &controls.others {
            merged.insert(name.clone(), Value::Bool(true));
        }
    }
    if let Some(browser) = browser {
        merged.insert("persistentBrowser".into(), browser.as_str().into());
    }
    if let Some(types) = cloud_apps {
        merged.insert("cloudAppSecurity".into(), types.into_iter().collect());
    }
    if let Some(mode) = modes {
        merged.insert("continuousAccessEvaluation".into(), mode);
    }
    if !frequencies.is_empty() {
        let frequencies = frequencies
            .into_iter()
            .map(|(name, frequency)| (String::from(name), frequency.value()));
        merged.insert(
            "signInFrequency".into(),
            Value::Object(frequencies.collect()),
        );
    }
    merged
}

/// How often; the smaller, the more often.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Frequency {
    EveryTime,
    Hours(u64),
}

impl Frequency {
    fn of(frequency: &SignInFrequency) -> Self {
        match frequency.interval {
            SignInInterval::Every(interval) => Self::Hours(interval.as_secs() / 3_600),
            // What cannot be read must not let a sign-in grow old.
            SignInInterval::EveryTime | SignInInterval::NotUnderstood => Self::EveryTime,
        }
    }

    fn value(self) -> Value {
        match self {
            Self::EveryTime => "everyTime".into(),
            Self::Hours(hours) => hours.into(),
        }
    }
}

const fn authentication_type(of: AuthenticationType) -> &'static str {
    match of {
        AuthenticationType::PrimaryAndSecondary => "primaryAndSecondaryAuthentication",
        AuthenticationType::Secondary => "secondaryAuthentication",
    }
}

fn mode_name(mode: &ContinuousAccessEvaluation) -> &str {
    match mode {
        ContinuousAccessEvaluation::Disabled => "disabled",
        ContinuousAccessEvaluation::StrictLocation => STRICT_LOCATION,
        ContinuousAccessEvaluation::StrictEnforcement => "strictEnforcement",
        ContinuousAccessEvaluation::NotUnderstood(name) => name,
    }
}

const STRICT_LOCATION: &str = "strictLocation";
const CONFLICT: &str = "conflict";

/// `disabled` beside another mode is a conflict; otherwise strict location beats the rest.
fn merge_modes(known: Option<Value>, mode: &str) -> Value {
    match known.as_ref().and_then(Value::as_str) {
        None => mode.into(),
        Some(CONFLICT) => CONFLICT.into(),
        Some(known) if (known == "disabled") != (mode == "disabled") => CONFLICT.into(),
        Some(STRICT_LOCATION) => STRICT_LOCATION.into(),
        Some(_) if mode == STRICT_LOCATION => STRICT_LOCATION.into(),
        // Two names of the rest: the first in the alphabet, so that the order of policies does not matter.
        Some(known) => known.min(mode).into(),
    }
}
