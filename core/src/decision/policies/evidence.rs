//! Whether a token shows what a policy asks for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PolicyCheck;
use crate::configuration::Issuer;
use crate::policy::device::{Attribute, Device, TextProperty};
use crate::policy::{CompiledPolicy, GrantControl, Operator};
use crate::state::record::DeviceCompliance;
use crate::token::AccessToken;

/// Whether the token shows a control.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Evidence {
    Met,
    /// A token issued later could show it.
    Unmet,
    /// Standing state contradicts it: no token can show it.
    Contradicted,
    /// The token does not say.
    Unknown,
    /// The engine does not know the control: nothing can say.
    NotUnderstood,
}

/// Whether the token shows every control that the policy asks for by claims of which no record or host knows better.
pub(super) fn fulfils_alone(policy: &CompiledPolicy, token: &AccessToken, issuer: &Issuer) -> bool {
    let shown = |control: &GrantControl| match shown_by_token(policy, control, token, issuer) {
        Some(true) => Evidence::Met,
        _ => Evidence::Unknown,
    };
    !policy.grant.blocks() && combined(policy, shown) == Evidence::Met
}

/// Whether the token shows a control that only claims can show.
fn shown_by_token(
    policy: &CompiledPolicy,
    control: &GrantControl,
    token: &AccessToken,
    issuer: &Issuer,
) -> Option<bool> {
    match control {
        GrantControl::Mfa => token.shows_mfa(issuer),
        GrantControl::AuthenticationStrength(Some(_)) => {
            let strength = policy.grant.strength.as_ref();
            token.shows_strength(issuer, &control.name(), strength)
        }
        _ => None,
    }
}

/// The evidence for all controls of a policy, by its operator.
fn combined(policy: &CompiledPolicy, evidence: impl Fn(&GrantControl) -> Evidence) -> Evidence {
    let mut evidence = policy.grant.controls.iter().map(evidence);
    match policy.grant.operator {
        Operator::And => evidence.fold(Evidence::Met, worse),
        Operator::Or => evidence
            .next()
            .map_or(Evidence::Met, |first| evidence.fold(first, better)),
    }
}

impl PolicyCheck<'_> {
    pub(super) fn grant_evidence(&self, policy: &CompiledPolicy) -> Evidence {
        if policy.grant.blocks() {
            return Evidence::Unmet;
        }
        combined(policy, |control| self.evidence(policy, control))
    }

    fn evidence(&self, policy: &CompiledPolicy, control: &GrantControl) -> Evidence {
        let shown = match control {
            GrantControl::Mfa | GrantControl::AuthenticationStrength(Some(_)) => {
                shown_by_token(policy, control, self.token, self.issuer)
            }
            GrantControl::CompliantDevice => return self.device_evidence(),
            GrantControl::DomainJoinedDevice => self
                .token
                .shows_hybrid_joined_device(self.issuer)
                .or_else(|| self.device_is_hybrid_joined()),
            control if !control.leaves_trace() => return self.untraced_evidence(policy),
            _ => return Evidence::NotUnderstood,
        };
        match shown {
            Some(true) => Evidence::Met,
            Some(false) => Evidence::Unmet,
            None => Evidence::Unknown,
        }
    }

    /// A control that leaves no trace in tokens: the issuer saw to it when it issued a token after the fact. For other
    /// issuers such a policy does not load.
    fn untraced_evidence(&self, policy: &CompiledPolicy) -> Evidence {
        if !policy.evaluated_by_issuer {
            return Evidence::NotUnderstood;
        }
        match self.time_of_fact(policy) {
            Some(fact) if self.token.issued_earliest < fact => Evidence::Unmet,
            _ => Evidence::Met,
        }
    }

    /// Standing state first: it is newer than any claim.
    fn device_evidence(&self) -> Evidence {
        if let Some((entry, _)) = self.witnesses.compliance(self.standing.device()) {
            return match entry.value {
                DeviceCompliance::Compliant => Evidence::Met,
                DeviceCompliance::NotCompliant => Evidence::Contradicted,
            };
        }
        // What the host looks up is newer than what the token was issued with.
        let looked_up = self.device_is_compliant();
        match looked_up.or_else(|| self.token.shows_compliant_device(self.issuer)) {
            Some(true) => Evidence::Met,
            Some(false) => Evidence::Unmet,
            None => Evidence::Unknown,
        }
    }

    /// What the host's device directory says.
    fn device_is_compliant(&self) -> Option<bool> {
        let looked_up = self.facts.device.map(Device::is_compliant);
        match looked_up {
            Some(Attribute::Is(compliant)) => Some(compliant),
            Some(Attribute::Absent) => Some(false),
            Some(Attribute::Unknown) | None => self.request.facts.device_compliant,
        }
    }

    fn device_is_hybrid_joined(&self) -> Option<bool> {
        match self.facts.device?.text(TextProperty::TrustType) {
            Attribute::Is(trust) => Some(trust == "serverad"),
            Attribute::Absent => Some(false),
            Attribute::Unknown => None,
        }
    }

    pub(super) fn unmet_controls(&self, policy: &CompiledPolicy) -> Vec<String> {
        if policy.grant.blocks() {
            return Vec::from([String::from("block")]);
        }
        policy
            .grant
            .controls
            .iter()
            .filter(|control| self.evidence(policy, control) != Evidence::Met)
            .map(|control| control.name().into_owned())
            .collect()
    }

    /// The `acr` value that asks for what the policy still wants.
    pub(super) fn acr_value(&self, policy: &CompiledPolicy) -> Option<String> {
        policy
            .grant
            .controls
            .iter()
            .filter(|control| self.evidence(policy, control) != Evidence::Met)
            .find_map(|control| self.issuer.acr_values.get(control.name().as_ref()).cloned())
    }
}

/// The controls that make a policy undetermined, by their place in the document.
pub(super) fn controls_not_understood(policy: &CompiledPolicy) -> Vec<String> {
    policy
        .grant
        .controls
        .iter()
        .filter(|control| control.is_not_understood())
        .map(|control| format!("grantControls.{}", control.name()))
        .collect()
}

/// AND over controls: what is contradicted or visibly unmet decides, then what is unknown.
fn worse(a: Evidence, b: Evidence) -> Evidence {
    use Evidence::{Contradicted, Met, NotUnderstood, Unknown, Unmet};
    match (a, b) {
        (Contradicted, _) | (_, Contradicted) => Contradicted,
        (Unmet, _) | (_, Unmet) => Unmet,
        (NotUnderstood, _) | (_, NotUnderstood) => NotUnderstood,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Met, Met) => Met,
    }
}

/// OR over controls: one that is met suffices, one that may be met leaves it open, one that a new token could show
/// keeps the way open.
fn better(a: Evidence, b: Evidence) -> Evidence {
    use Evidence::{Contradicted, Met, NotUnderstood, Unknown, Unmet};
    match (a, b) {
        (Met, _) | (_, Met) => Met,
        (NotUnderstood, _) | (_, NotUnderstood) => NotUnderstood,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Unmet, _) | (_, Unmet) => Unmet,
        (Contradicted, Contradicted) => Contradicted,
    }
}
