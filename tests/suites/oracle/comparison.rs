//! Engine and reference evaluator agree on every field of every answer.

use cae_tests::generator::{Material, reduce};
use cae_tests::oracle::{self, Tenant};
use serde_json::{Map, Value};

use crate::engine::Engine;
use crate::{Case, SETS, SIGN_INS, Seen, for_every_seed};

/// What a run must have come across at least once.
const EVERYTHING: [&str; 57] = [
    "answer block",
    "answer challenge",
    "answer grant",
    "applies no",
    "applies undetermined",
    "applies yes",
    "reason application",
    "reason authenticationContext",
    "reason authenticationFlow",
    "reason clientApps",
    "reason devicePlatform",
    "reason devices",
    "reason emptyPolicy",
    "reason insiderRisk",
    "reason location",
    "reason notEnoughInformation",
    "reason policyNotEnabled",
    "reason servicePrincipalRisk",
    "reason signInRisk",
    "reason userActions",
    "reason userRisk",
    "reason users",
    "reason workloadIdentities",
    "result failure",
    "result notApplied",
    "result reportOnlyFailure",
    "result reportOnlyInterrupted",
    "result reportOnlyNotApplied",
    "result reportOnlySuccess",
    "result success",
    "result undetermined",
    "session applicationEnforcedRestrictions",
    "session cloudAppSecurity",
    "session continuousAccessEvaluation",
    "session disableResilienceDefaults",
    "session globalSecureAccessFilteringProfile",
    "session persistentBrowser",
    "session secureSignInSession",
    "session signInFrequency",
    "unknown application",
    "unknown authenticationContext",
    "unknown authenticationFlow",
    "unknown clientApps",
    "unknown devicePlatform",
    "unknown devices",
    "unknown insiderRisk",
    "unknown invalidCondition",
    "unknown invalidPolicy",
    "unknown location",
    "unknown policyNotEnabled",
    "unknown servicePrincipalRisk",
    "unknown signInRisk",
    "unknown time",
    "unknown userActions",
    "unknown userRisk",
    "unknown users",
    "unknown workloadIdentities",
];

#[test]
fn the_engine_answers_as_the_page_read_literally() {
    let seen = for_every_seed(SETS, compare);
    // One seed alone need not show everything.
    if seen.evaluations > 50_000 {
        let missing: Vec<_> = EVERYTHING
            .iter()
            .filter(|word| !seen.words.contains(**word))
            .collect();
        assert!(missing.is_empty(), "never seen: {missing:?}");
    }
}

/// One policy set, with all its sign-ins.
fn compare(material: &Material, seed: u64) -> Result<Seen, String> {
    let mut case = Case::new(material, seed);
    let sign_ins: Vec<Value> = (0..SIGN_INS)
        .map(|number| case.sign_in(material, number))
        .collect();
    let engine = Engine::new(&case.tenant).map_err(|faults| {
        format!(
            "the engine refuses\n{}\n{faults}",
            Value::from(case.tenant.policies.clone())
        )
    })?;
    let mut seen = Seen::default();
    for (sign_in, answer) in sign_ins.iter().zip(engine.answers(&sign_ins)) {
        let expected = oracle::answer(&case.tenant, sign_in);
        if answer != expected {
            return Err(smallest(&case.tenant, sign_in));
        }
        seen.note(&answer);
    }
    assert_eq!(seen.evaluations, SIGN_INS);
    Ok(seen)
}

/// The disagreement with as little around it as possible. Its first line says of what kind it is.
fn smallest(tenant: &Tenant, sign_in: &Value) -> String {
    let both = |tenant: &Tenant, sign_in: &Value| {
        let engine = Engine::new(tenant).ok()?.answer(sign_in);
        Some((engine, oracle::answer(tenant, sign_in)))
    };
    let kind = |tenant: &Tenant, sign_in: &Value| {
        both(tenant, sign_in).and_then(|(engine, oracle)| difference("", &engine, &oracle))
    };
    let wanted = kind(tenant, sign_in);
    let (tenant, sign_in) = reduce(tenant, sign_in, |tenant, sign_in| {
        kind(tenant, sign_in) == wanted
    });
    let (engine, oracle) = both(&tenant, &sign_in).unwrap_or_default();
    let mut text = format!("{}\n", wanted.unwrap_or_default());
    for policy in &tenant.policies {
        text += &format!("policy   {policy}\n");
    }
    match &tenant.named_locations {
        Some(locations) => text += &format!("located  {}\n", Value::from(locations.clone())),
        None => text += "located  without a file\n",
    }
    text + &format!("sign-in  {sign_in}\nengine   {engine}\noracle   {oracle}")
}

/// The first member that differs, with both values; the policy is left out of it.
fn difference(name: &str, engine: &Value, oracle: &Value) -> Option<String> {
    match (engine, oracle) {
        (same, other) if same == other => None,
        (Value::Object(engine), Value::Object(oracle)) => {
            engine.keys().chain(oracle.keys()).find_map(|key| {
                let of =
                    |members: &Map<String, Value>| members.get(key).cloned().unwrap_or_default();
                difference(key, &of(engine), &of(oracle))
            })
        }
        (Value::Array(engine), Value::Array(oracle)) if name == "policies" => engine
            .iter()
            .zip(oracle)
            .find_map(|(engine, oracle)| difference(name, engine, oracle)),
        _ => Some(format!("{name}: engine {engine}, oracle {oracle}")),
    }
}
