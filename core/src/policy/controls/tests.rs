use super::*;
use crate::json::{Limits, parse};

fn members(text: &str) -> Map<String, Value> {
    parse(text.as_bytes(), Limits::DOCUMENT)
        .unwrap()
        .as_object()
        .unwrap()
        .clone()
}

#[test]
fn grant_controls_keep_graphs_names() {
    for (text, operator, names, not_understood) in [
        (
            r#"{"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}"#,
            Operator::Or,
            &["mfa", "compliantDevice"][..],
            &[][..],
        ),
        (
            r#"{"operator": "or", "builtInControls": "MFA"}"#,
            Operator::Or,
            &["mfa"],
            &[],
        ),
        (
            r#"{"builtInControls": ["mfa"]}"#,
            Operator::And,
            &["mfa"],
            &[],
        ),
        (
            r#"{"operator": "XOR", "termsOfUse": ["AB"], "customAuthenticationFactors": ["C"]}"#,
            Operator::And,
            &["customAuthenticationFactor:c", "termsOfUse:ab"],
            &[],
        ),
        (
            r#"{"authenticationStrength": {"id": "00AA", "displayName": "x"}}"#,
            Operator::And,
            &["authenticationStrength:00aa"],
            &[],
        ),
        (
            r#"{"authenticationStrength": {"displayName": "x"}}"#,
            Operator::And,
            &["authenticationStrength:"],
            &["grantControls.authenticationStrength"],
        ),
        (
            r#"{"builtInControls": ["compliantNetwork"], "magic": true}"#,
            Operator::And,
            &["compliantNetwork", "magic"],
            &[
                "grantControls.builtInControls[compliantNetwork]",
                "grantControls.magic",
            ],
        ),
        (
            r#"{"operator": "AND", "builtInControls": [], "termsOfUse@odata.type": "x"}"#,
            Operator::And,
            &[],
            &[],
        ),
    ] {
        let mut notes = Notes::default();
        let controls = GrantControls::read(&members(text), &Strengths::new(), &mut notes);
        assert_eq!(controls.operator, operator, "{text}");
        let found: Vec<_> = controls.controls.iter().map(GrantControl::name).collect();
        assert_eq!(found, names, "{text}");
        assert_eq!(notes.not_understood, not_understood, "{text}");
    }
}

#[test]
fn controls_combine() {
    for (text, satisfied, expected) in [
        (
            r#"{"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}"#,
            &["mfa"][..],
            true,
        ),
        (
            r#"{"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}"#,
            &["mfa"],
            false,
        ),
        (
            r#"{"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]}"#,
            &["mfa", "compliantDevice"],
            true,
        ),
        (
            r#"{"operator": "OR", "builtInControls": ["mfa", "block"]}"#,
            &["mfa", "block"],
            false,
        ),
        (r#"{"operator": "OR", "builtInControls": []}"#, &[], true),
    ] {
        let controls =
            GrantControls::read(&members(text), &Strengths::new(), &mut Notes::default());
        let found = controls.satisfied(|control| satisfied.contains(&&*control.name()));
        assert_eq!(found, expected, "{text} {satisfied:?}");
    }
}

#[test]
fn session_controls_in_effect() {
    let mut notes = Notes::default();
    let controls = SessionControls::read(
        &members(
            r#"{"continuousAccessEvaluation": {"mode": "StrictLocation"},
                "signInFrequency": {"isEnabled": true, "value": 2, "type": "days", "authenticationType": "secondaryAuthentication"},
                "persistentBrowser": {"isEnabled": true, "mode": "never"}, "cloudAppSecurity": {"isEnabled": false},
                "disableResilienceDefaults": true, "blockSensitiveActions": null, "shinyNewControl": {"isEnabled": true}}"#,
        ),
        &mut notes,
    );
    assert_eq!(
        controls.continuous_access_evaluation,
        Some(ContinuousAccessEvaluation::StrictLocation)
    );
    assert_eq!(
        controls.sign_in_frequency,
        Some(SignInFrequency {
            interval: SignInInterval::Every(Duration::from_secs(172_800)),
            authentication_type: AuthenticationType::Secondary,
        })
    );
    assert_eq!(
        controls.others,
        [
            "disableResilienceDefaults",
            "persistentBrowser",
            "shinyNewControl"
        ]
    );
    assert_eq!(notes.not_understood, ["sessionControls.shinyNewControl"]);
}

#[test]
fn sign_in_frequencies() {
    for (text, interval) in [
        (
            r#"{"frequencyInterval": "everyTime", "value": null, "type": null}"#,
            SignInInterval::EveryTime,
        ),
        (
            r#"{"frequencyInterval": "timeBased", "value": 4, "type": "hours"}"#,
            SignInInterval::Every(Duration::from_secs(14_400)),
        ),
        (
            r#"{"value": 0, "type": "hours"}"#,
            SignInInterval::NotUnderstood,
        ),
        (
            r#"{"value": 4, "type": "weeks"}"#,
            SignInInterval::NotUnderstood,
        ),
        (
            r#"{"value": 18446744073709551615, "type": "days"}"#,
            SignInInterval::NotUnderstood,
        ),
        (r#"{"isEnabled": true}"#, SignInInterval::NotUnderstood),
    ] {
        assert_eq!(
            SignInFrequency::read(&members(text)).interval,
            interval,
            "{text}"
        );
    }
}
