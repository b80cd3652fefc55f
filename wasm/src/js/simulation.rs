//! What only the simulator page needs: scenarios, and many sign-ins at a glance.

use std::collections::BTreeMap;

use cae_core::engine::Engine;
use cae_core::json::{self, Limits};
use cae_core::policy::what_if::report::words::made;
use cae_core::policy::what_if::report::{Labels, Report};
use cae_core::simulation::{self, Scenario};
use js_sys::{Error, TypeError};
use wasm_bindgen::prelude::*;

use super::tools::WhatIf;
use super::types::ConfigurationError;
use super::{parsed, whole};
use crate::convert::faults;

#[wasm_bindgen]
impl WhatIf {
    /// What each sign-in comes to, without its policies: canonical JSON, one line for each that is not empty.
    ///
    /// Throws a `TypeError` if `firstLine` is not a whole number.
    pub fn results(
        &self,
        lines: &str,
        #[wasm_bindgen(js_name = firstLine)] first_line: f64,
    ) -> Result<String, JsValue> {
        let first_line =
            whole(first_line).ok_or_else(|| TypeError::new("firstLine is a whole number"))?;
        Ok(self.inner().results(lines.as_bytes(), first_line))
    }

    /// Whose access changes, as a page that stands alone: that of `cae what-if --diff --html`.
    ///
    /// `lines` are all sign-ins, of the file `signIns`; without it they were made from the policies. `names` is JSON:
    /// what ids are called.
    ///
    /// Throws a `TypeError` if `names` is no object of texts.
    pub fn report(
        &self,
        lines: &str,
        before: String,
        after: String,
        #[wasm_bindgen(js_name = signIns)] sign_ins: Option<String>,
        names: &str,
    ) -> Result<String, JsValue> {
        let objects: BTreeMap<String, String> =
            names_of(names).ok_or_else(|| TypeError::new("names is an object of texts"))?;
        let what_if = self.inner();
        let description = what_if.describe();
        let counts = what_if.evaluate(lines.as_bytes(), 1, false).counts;
        let labels = Labels::new(BTreeMap::new(), objects).with(&description);
        let origin = match &sign_ins {
            Some(name) => format!("the sign-ins of {name}"),
            None => made(&what_if.representatives()),
        };
        Ok(Report {
            states: [before, after],
            origin,
            made: sign_ins.is_none(),
            labels: &labels,
            description: &description,
            counts: &counts,
        }
        .page())
    }
}

/// Runs a scenario: the lines of `cae replay --json`, then one with the counts, `{"summary": {..}}`.
///
/// Throws a `ConfigurationError` that lists every fault of the file.
#[wasm_bindgen(js_name = runScenario)]
pub fn run_scenario(text: &str) -> Result<String, JsValue> {
    let scenario = read(text)?;
    let mut lines = String::new();
    let seed = scenario.seed;
    let engine = |configuration: &str| Engine::new(configuration, seed);
    let summary = simulation::run(&scenario, engine, &mut |report| {
        lines.push_str(&report.to_json());
        lines.push('\n');
    })
    .map_err(|error| Error::new(&error.to_string()))?;
    lines.push_str("{\"summary\":");
    lines.push_str(&json::to_text(&summary));
    lines.push_str("}\n");
    Ok(lines)
}

/// Reads a scenario without running it.
///
/// Throws a `ConfigurationError` that lists every fault of the file.
#[wasm_bindgen(js_name = checkScenario)]
pub fn check_scenario(text: &str) -> Result<(), JsValue> {
    read(text).map(drop)
}

/// The JSON Schema of a scenario file.
#[wasm_bindgen(js_name = scenarioSchema)]
#[must_use]
pub fn scenario_schema() -> String {
    simulation::schema().to_owned()
}

/// An object of texts, ids in lower case.
fn names_of(text: &str) -> Option<BTreeMap<String, String>> {
    let value = json::parse(text.as_bytes(), Limits::DOCUMENT).ok()?;
    let members = value.as_object()?.iter();
    members
        .map(|(id, name)| Some((id.to_ascii_lowercase(), name.as_str()?.to_owned())))
        .collect()
}

fn read(text: &str) -> Result<Scenario, JsValue> {
    Scenario::read(text).map_err(|found| {
        let error = ConfigurationError::new("the scenario cannot be used");
        error.set_name("ConfigurationError");
        error.set_faults(parsed(&faults(&found)));
        error.into()
    })
}
