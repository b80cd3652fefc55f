//! What an applying policy asks for: grant controls and session controls.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::document::{Notes, configured, entries, text};
use super::location::Changed;
use super::strength::{AuthenticationStrength, Strengths};
use crate::json::{Map, Value};

/// How several grant controls combine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Operator {
    /// All of them (row 24: also when the operator is absent or not understood).
    #[default]
    And,
    /// One of them.
    Or,
}

/// One grant control (`policy-semantics.md` row 24).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GrantControl {
    /// No access.
    Block,
    /// Multi-factor authentication.
    Mfa,
    /// A device that its management calls compliant.
    CompliantDevice,
    /// A hybrid-joined device.
    DomainJoinedDevice,
    /// An app of the approved list.
    ApprovedApplication,
    /// An app under an app protection policy.
    CompliantApplication,
    /// A password change.
    PasswordChange,
    /// Remediation of risk.
    RiskRemediation,
    /// An authentication strength, by id in lower case; `None` without id.
    AuthenticationStrength(Option<String>),
    /// Acceptance of terms of use, by id in lower case.
    TermsOfUse(String),
    /// A custom authentication factor, by id in lower case.
    CustomAuthenticationFactor(String),
    /// A control that this engine does not know, as written: never satisfied.
    NotUnderstood(String),
}

impl GrantControl {
    /// The name in `unmet` and `satisfied`.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Block => Cow::Borrowed("block"),
            Self::Mfa => Cow::Borrowed("mfa"),
            Self::CompliantDevice => Cow::Borrowed("compliantDevice"),
            Self::DomainJoinedDevice => Cow::Borrowed("domainJoinedDevice"),
            Self::ApprovedApplication => Cow::Borrowed("approvedApplication"),
            Self::CompliantApplication => Cow::Borrowed("compliantApplication"),
            Self::PasswordChange => Cow::Borrowed("passwordChange"),
            Self::RiskRemediation => Cow::Borrowed("riskRemediation"),
            Self::AuthenticationStrength(id) => Cow::Owned(format!(
                "authenticationStrength:{}",
                id.as_deref().unwrap_or_default()
            )),
            Self::TermsOfUse(id) => Cow::Owned(format!("termsOfUse:{id}")),
            Self::CustomAuthenticationFactor(id) => {
                Cow::Owned(format!("customAuthenticationFactor:{id}"))
            }
            Self::NotUnderstood(name) => Cow::Borrowed(name),
        }
    }

    /// Whether a token can show that the control was met (`enforcement.md` §6).
    #[must_use]
    pub const fn leaves_trace(&self) -> bool {
        match self {
            Self::Block
            | Self::Mfa
            | Self::CompliantDevice
            | Self::DomainJoinedDevice
            | Self::AuthenticationStrength(_)
            | Self::NotUnderstood(_) => true,
            Self::ApprovedApplication
            | Self::CompliantApplication
            | Self::PasswordChange
            | Self::RiskRemediation
            | Self::TermsOfUse(_)
            | Self::CustomAuthenticationFactor(_) => false,
        }
    }

    /// Whether nothing can ever satisfy it: not known, or a strength without id.
    #[must_use]
    pub const fn is_not_understood(&self) -> bool {
        matches!(
            self,
            Self::NotUnderstood(_) | Self::AuthenticationStrength(None)
        )
    }

    /// Whether a user can satisfy it by interaction, so that a report-only policy says "interrupted" (row 26).
    #[must_use]
    pub const fn is_interactive(&self) -> bool {
        matches!(
            self,
            Self::Mfa
                | Self::AuthenticationStrength(Some(_))
                | Self::RiskRemediation
                | Self::PasswordChange
                | Self::TermsOfUse(_)
                | Self::CustomAuthenticationFactor(_)
        )
    }

    fn built_in(name: &str) -> Option<Self> {
        [
            Self::Block,
            Self::Mfa,
            Self::CompliantDevice,
            Self::DomainJoinedDevice,
            Self::ApprovedApplication,
            Self::CompliantApplication,
            Self::PasswordChange,
            Self::RiskRemediation,
        ]
        .into_iter()
        .find(|control| control.name().eq_ignore_ascii_case(name))
    }
}

/// The grant controls of a policy; empty if there is nothing to satisfy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GrantControls {
    /// How they combine.
    pub operator: Operator,
    /// The controls, in the order of Graph's lists.
    pub controls: Vec<GrantControl>,
    /// The authentication strength that they ask for, if its combinations are known.
    pub strength: Option<AuthenticationStrength>,
}

impl GrantControls {
    pub(crate) fn read(
        controls: &Map<String, Value>,
        strengths: &Strengths,
        notes: &mut Notes,
    ) -> Self {
        let (mut read, mut strength) = (Vec::new(), None);
        for entry in entries(controls.get("builtInControls")) {
            match entry {
                Ok(name) => read.push(GrantControl::built_in(name).unwrap_or_else(|| {
                    notes.not_understood(format!("grantControls.builtInControls[{name}]"));
                    GrantControl::NotUnderstood(name.into())
                })),
                Err(value) => {
                    notes.not_understood("grantControls.builtInControls");
                    read.push(GrantControl::NotUnderstood(value.to_string()));
                }
            }
        }
        let mut by_id = |name: &str, control: fn(String) -> GrantControl| {
            for entry in entries(controls.get(name)) {
                let id = entry.map_or_else(ToString::to_string, str::to_ascii_lowercase);
                read.push(control(id));
            }
        };
        by_id(
            "customAuthenticationFactors",
            GrantControl::CustomAuthenticationFactor,
        );
        by_id("termsOfUse", GrantControl::TermsOfUse);
        for (name, value) in configured(controls) {
            match name {
                "operator" | "builtInControls" | "customAuthenticationFactors" | "termsOfUse" => {}
                "authenticationStrength" => {
                    let object = value.as_object();
                    let id = object.and_then(|strength| text(strength, "id"));
                    match id {
                        None => notes.not_understood("grantControls.authenticationStrength"),
                        Some(id) => {
                            strength = resolve(id, object, strengths, notes);
                        }
                    }
                    read.push(GrantControl::AuthenticationStrength(
                        id.map(str::to_ascii_lowercase),
                    ));
                }
                unknown => {
                    notes.not_understood(format!("grantControls.{unknown}"));
                    read.push(GrantControl::NotUnderstood(unknown.into()));
                }
            }
        }
        let or = text(controls, "operator").is_some_and(|name| name.eq_ignore_ascii_case("OR"));
        Self {
            operator: if or { Operator::Or } else { Operator::And },
            controls: read,
            strength,
        }
    }

    /// When the strength that they ask for last changed.
    pub(crate) fn changed(&self) -> Changed {
        self.strength
            .as_ref()
            .map_or(Changed::Unsaid, |strength| strength.changed)
    }

    /// Whether the policy is a block, whatever else it holds.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.controls.contains(&GrantControl::Block)
    }

    /// Whether there is nothing to satisfy.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.controls.is_empty()
    }

    /// The controls that nothing can ever satisfy: such a policy is undetermined at the resource unless it
    /// blocks, or another control decides it.
    pub fn not_understood(&self) -> impl Iterator<Item = &GrantControl> {
        self.controls
            .iter()
            .filter(|control| control.is_not_understood())
    }

    /// Whether the controls are satisfied, given whether each one is.
    ///
    /// A block is never satisfied; without any control there is nothing to satisfy.
    pub fn satisfied(&self, satisfied: impl Fn(&GrantControl) -> bool) -> bool {
        if self.blocks() {
            return false;
        }
        match self.operator {
            Operator::And => self.controls.iter().all(satisfied),
            Operator::Or => self.controls.is_empty() || self.controls.iter().any(satisfied),
        }
    }
}

/// The combinations of a strength: as the policy holds them, else as the configuration or Microsoft defines them.
fn resolve(
    id: &str,
    object: Option<&Map<String, Value>>,
    strengths: &Strengths,
    notes: &mut Notes,
) -> Option<AuthenticationStrength> {
    let path = "grantControls.authenticationStrength";
    let own = object.and_then(|object| AuthenticationStrength::read(object, path, notes));
    let found = own.or_else(|| strengths.get(&id.to_ascii_lowercase()).cloned());
    if found.is_none() {
        notes.warnings.push(format!(
            "{path}: `{id}` is neither built in nor among `authenticationStrengths`; only `acrValues` can show it"
        ));
    }
    found
}

/// Mode of continuous access evaluation that a policy asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ContinuousAccessEvaluation {
    /// Off.
    Disabled,
    /// Refuse at once where the address is not allowed.
    StrictLocation,
    /// The older name of it.
    StrictEnforcement,
    /// A mode that this engine does not know, as written.
    NotUnderstood(String),
}

impl ContinuousAccessEvaluation {
    /// Whether location is enforced strictly (`enforcement.md` §6); a mode that is not understood may be as strict.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        match self {
            Self::StrictLocation | Self::StrictEnforcement | Self::NotUnderstood(_) => true,
            Self::Disabled => false,
        }
    }
}

/// How often the user must authenticate again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInInterval {
    /// At least this often.
    Every(Duration),
    /// Whenever a token is issued.
    EveryTime,
    /// Cannot be read.
    NotUnderstood,
}

/// Which authentication counts for the sign-in frequency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AuthenticationType {
    /// First and second factor.
    #[default]
    PrimaryAndSecondary,
    /// Second factor only.
    Secondary,
}

/// Sign-in frequency.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SignInFrequency {
    /// How often.
    pub interval: SignInInterval,
    /// Of which authentication.
    pub authentication_type: AuthenticationType,
}

impl SignInFrequency {
    fn read(control: &Map<String, Value>) -> Self {
        let is = |name: &str, value: &str| {
            text(control, name).is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        let seconds = match text(control, "type") {
            Some(unit) if unit.eq_ignore_ascii_case("hours") => Some(3_600),
            Some(unit) if unit.eq_ignore_ascii_case("days") => Some(86_400),
            _ => None,
        };
        let value = control
            .get("value")
            .and_then(Value::as_u64)
            .filter(|value| *value > 0);
        let interval = match (value, seconds) {
            _ if is("frequencyInterval", "everyTime") => SignInInterval::EveryTime,
            (Some(value), Some(seconds)) => value
                .checked_mul(seconds)
                .map_or(SignInInterval::NotUnderstood, |seconds| {
                    SignInInterval::Every(Duration::from_secs(seconds))
                }),
            _ => SignInInterval::NotUnderstood,
        };
        let secondary = is("authenticationType", "secondaryAuthentication");
        Self {
            interval,
            authentication_type: if secondary {
                AuthenticationType::Secondary
            } else {
                AuthenticationType::PrimaryAndSecondary
            },
        }
    }
}

/// Whether a browser session outlives the browser. What is not understood ends with it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PersistentBrowser {
    /// Always.
    Always,
    /// Never; beats always.
    Never,
}

impl PersistentBrowser {
    /// Graph's name of the mode.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// The session controls in effect.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SessionControls {
    /// Continuous access evaluation.
    pub continuous_access_evaluation: Option<ContinuousAccessEvaluation>,
    /// Sign-in frequency.
    pub sign_in_frequency: Option<SignInFrequency>,
    /// Persistent browser session.
    pub persistent_browser: Option<PersistentBrowser>,
    /// Defender for Cloud Apps: the type as written; empty without one.
    pub cloud_app_security: Option<String>,
    /// All but the first two, by Graph's name, sorted.
    pub others: Vec<String>,
}

impl SessionControls {
    pub(crate) fn read(controls: &Map<String, Value>, notes: &mut Notes) -> Self {
        let mut read = Self::default();
        for (name, value) in configured(controls).filter(|(name, value)| is_in_effect(name, value))
        {
            let path = format!("sessionControls.{name}");
            match (name, value) {
                ("continuousAccessEvaluation", Value::Object(control)) => {
                    let mode = text(control, "mode").unwrap_or_default();
                    let mode = match mode.to_ascii_lowercase().as_str() {
                        "disabled" => ContinuousAccessEvaluation::Disabled,
                        "strictlocation" => ContinuousAccessEvaluation::StrictLocation,
                        "strictenforcement" => ContinuousAccessEvaluation::StrictEnforcement,
                        _ => {
                            notes.not_understood(format!("{path}.mode"));
                            ContinuousAccessEvaluation::NotUnderstood(mode.into())
                        }
                    };
                    read.continuous_access_evaluation = Some(mode);
                }
                ("signInFrequency", Value::Object(control)) => {
                    let frequency = SignInFrequency::read(control);
                    if frequency.interval == SignInInterval::NotUnderstood {
                        notes.not_understood(format!("{path}.value"));
                    }
                    read.sign_in_frequency = Some(frequency);
                }
                _ => {
                    read.read_detail(name, value, notes);
                    if !SESSION_CONTROLS.contains(&name)
                        || !matches!(value, Value::Object(_) | Value::Bool(_))
                    {
                        notes.not_understood(path);
                    }
                    read.others.push(name.into());
                }
            }
        }
        read
    }

    /// What more a control says than that it is in effect.
    fn read_detail(&mut self, name: &str, value: &Value, notes: &mut Notes) {
        let member = |name| value.as_object().and_then(|control| text(control, name));
        match name {
            "persistentBrowser" => {
                let mode = member("mode").unwrap_or_default();
                let always = mode.eq_ignore_ascii_case("always");
                if !always && !mode.eq_ignore_ascii_case("never") {
                    notes.not_understood("sessionControls.persistentBrowser.mode");
                }
                self.persistent_browser = Some(if always {
                    PersistentBrowser::Always
                } else {
                    PersistentBrowser::Never
                });
            }
            "cloudAppSecurity" => {
                let given = member("cloudAppSecurityType").unwrap_or_default();
                let known = CLOUD_APP_SECURITY_TYPES
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(given));
                if known.is_none() && !given.is_empty() {
                    notes.not_understood("sessionControls.cloudAppSecurity.cloudAppSecurityType");
                }
                self.cloud_app_security = Some(known.map_or(given, |known| *known).into());
            }
            _ => {}
        }
    }

    /// Whether no session control is in effect.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.continuous_access_evaluation.is_none()
            && self.sign_in_frequency.is_none()
            && self.others.is_empty()
    }
}

/// Row 5: `isEnabled: false` and `disableResilienceDefaults: false` are not in effect.
fn is_in_effect(name: &str, value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value || name != "disableResilienceDefaults",
        Value::Object(control) => control.get("isEnabled") != Some(&Value::Bool(false)),
        _ => true,
    }
}

/// `cloudAppSecuritySessionControlType`.
const CLOUD_APP_SECURITY_TYPES: [&str; 3] = ["mcasConfigured", "monitorOnly", "blockDownloads"];

/// Session controls that Graph names and the resource leaves to the issuer or to other products.
const SESSION_CONTROLS: [&str; 8] = [
    "applicationEnforcedRestrictions",
    "cloudAppSecurity",
    "persistentBrowser",
    "disableResilienceDefaults",
    "secureSignInSession",
    "globalSecureAccessFilteringProfile",
    "networkAccessSecurity",
    "blockSensitiveActions",
];

#[cfg(test)]
mod tests;
