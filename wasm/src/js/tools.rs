//! The tools: what explains, lists and tries things out. A worker at the edge does without it, and loads faster.

use cae_core::engine::{Conversation as _, EventQuestion};
use cae_core::json;
use cae_core::policy::what_if;
use js_sys::TypeError;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::types::ConfigurationError;
use super::{Engine, parsed, signature_answer, time, whole};
use crate::convert::{reached, texts};

#[wasm_bindgen]
impl Engine {
    /// Says in words what a security event token does, and whether it hits the token `against` (canonical JSON).
    /// Nothing takes effect. `text` is a compact JWS, or the JSON of its payload if `unsigned`.
    ///
    /// Throws a `TypeError` if `receivedAt` is not a time, or `signature` is none of the declared answers.
    #[wasm_bindgen(js_name = explainEvent)]
    pub fn explain_event(
        &mut self,
        text: &str,
        unsigned: bool,
        #[wasm_bindgen(js_name = receivedAt)] received_at: f64,
        #[wasm_bindgen(unchecked_optional_param_type = "SignatureAnswer")] signature: Option<
            String,
        >,
        #[wasm_bindgen(unchecked_optional_param_type = "string")] against: Option<String>,
    ) -> Result<String, JsValue> {
        Ok(reached(self.0.explain_event(&EventQuestion {
            text,
            unsigned,
            received_at: time(received_at)?,
            signature: signature_answer(signature.as_deref())?,
            against: against.as_deref(),
        })))
    }

    /// The issuer's end: evaluates a sign-in or a claims request (JSON in, canonical JSON out).
    #[wasm_bindgen(js_name = signIn)]
    pub fn sign_in(&mut self, request: &str) -> String {
        reached(self.0.sign_in(request))
    }

    /// Decodes a token and says what it yields and whether it is acceptable (canonical JSON).
    ///
    /// Throws a `TypeError` if `now` is not a time.
    #[wasm_bindgen(js_name = inspectToken)]
    pub fn inspect_token(&mut self, token: &str, now: f64) -> Result<String, JsValue> {
        Ok(reached(self.0.inspect_token(token, time(now)?)))
    }
}

/// What-if over the policies of a tenant, and of an earlier state of it if two are to be compared.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WhatIf(what_if::WhatIf);

#[cfg(feature = "simulation")]
impl WhatIf {
    pub(super) const fn inner(&self) -> &what_if::WhatIf {
        &self.0
    }
}

#[wasm_bindgen]
impl WhatIf {
    /// Compiles a tenant: policies and named locations as Microsoft Graph exports them.
    ///
    /// Throws a `ConfigurationError` that lists every fault, or a `TypeError` if a tenant does not have the declared shape.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Tenant")] tenant: JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "Tenant")] before: JsValue,
    ) -> Result<Self, JsValue> {
        let tenant = read::<Tenant>(tenant)?;
        let before = read::<Option<Tenant>>(before)?;
        let policies = named_texts(&tenant.policies);
        let older = before.as_ref().map(|tenant| named_texts(&tenant.policies));
        let before = before.as_ref().zip(older.as_ref());
        let before = before.map(|(tenant, policies)| tenant.export(policies));
        what_if::WhatIf::new(&tenant.export(&policies), before.as_ref())
            .map(Self)
            .map_err(|faults| {
                let error = ConfigurationError::new("the policies cannot be used");
                error.set_name("ConfigurationError");
                error.set_faults(parsed(&faults));
                error.into()
            })
    }

    /// The policies and, of a comparison, what became of each (canonical JSON).
    #[must_use]
    pub fn describe(&self) -> String {
        json::to_text(&self.0.describe())
    }

    /// Sign-ins made up from what the policies name (canonical JSON).
    #[must_use]
    pub fn representatives(&self) -> String {
        json::to_text(&self.0.representatives())
    }

    /// Evaluates sign-ins, one JSON object a line in the shape of Graph's What If; `firstLine` is the number of the first.
    /// `counts` and, if `write`, `lines` are canonical JSON.
    ///
    /// Throws a `TypeError` if `firstLine` is not a whole number.
    #[wasm_bindgen(unchecked_return_type = "WhatIfBatch")]
    pub fn evaluate(
        &self,
        lines: &str,
        #[wasm_bindgen(js_name = firstLine)] first_line: f64,
        write: bool,
    ) -> Result<JsValue, JsValue> {
        let first_line =
            whole(first_line).ok_or_else(|| TypeError::new("firstLine is a whole number"))?;
        let batch = self.0.evaluate(lines.as_bytes(), first_line, write);
        to_js(&WhatIfBatch {
            lines: batch.lines,
            counts: json::to_text(&batch.counts),
        })
    }
}

/// Reads Microsoft Graph policies and says per policy what is enforced at the resource, what only at the issuer and
/// what is not understood (canonical JSON).
///
/// Throws a `TypeError` if `policies` does not have the declared shape.
#[wasm_bindgen(js_name = checkPolicies)]
pub fn check_policies(
    #[wasm_bindgen(unchecked_param_type = "readonly NamedText[]")] policies: JsValue,
    #[wasm_bindgen(js_name = namedLocations)] named_locations: Option<String>,
    #[wasm_bindgen(js_name = applicationGroups)] application_groups: Option<String>,
) -> Result<String, JsValue> {
    let policies = read::<Vec<NamedText>>(policies)?;
    Ok(cae_core::tools::check_policies(&what_if::Export {
        policies: &named_texts(&policies),
        named_locations: named_locations.as_deref(),
        application_groups: application_groups.as_deref(),
    }))
}

/// The named locations (Microsoft Graph JSON) that each address lies in (canonical JSON).
#[wasm_bindgen(js_name = matchLocations)]
#[must_use]
pub fn match_locations(
    #[wasm_bindgen(js_name = namedLocations)] named_locations: &str,
    #[wasm_bindgen(unchecked_param_type = "readonly string[]")] addresses: Vec<String>,
) -> String {
    cae_core::tools::match_locations(named_locations, &texts(&addresses))
}

/// Reads a security event token, compact JWS or the JSON of its payload if `unsigned`, without checking signature,
/// issuer and audience (canonical JSON). `receivedAt` is in seconds since the epoch.
///
/// Throws a `TypeError` if `receivedAt` is not a time.
#[wasm_bindgen(js_name = decodeEvent)]
pub fn decode_event(
    text: &str,
    unsigned: bool,
    #[wasm_bindgen(js_name = receivedAt)] received_at: f64,
) -> Result<String, JsValue> {
    Ok(cae_core::tools::decode_event(
        text,
        unsigned,
        time(received_at)?,
    ))
}

/// Decodes an access token without a configuration (canonical JSON). `now` is in seconds since the epoch.
///
/// Throws a `TypeError` if `now` is not a time.
#[wasm_bindgen(js_name = inspectToken)]
pub fn inspect_token(token: &str, now: f64) -> Result<String, JsValue> {
    Ok(cae_core::tools::inspect_token(token, time(now)?))
}

/// The JSON Schema of an engine configuration.
#[wasm_bindgen(js_name = configurationSchema)]
#[must_use]
pub fn configuration_schema() -> String {
    cae_core::tools::configuration_schema().to_owned()
}

#[derive(Deserialize)]
struct NamedText {
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    policies: Vec<NamedText>,
    named_locations: Option<String>,
    application_groups: Option<String>,
}

impl Tenant {
    fn export<'a>(&'a self, policies: &'a [(&'a str, &'a str)]) -> what_if::Export<'a> {
        what_if::Export {
            policies,
            named_locations: self.named_locations.as_deref(),
            application_groups: self.application_groups.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct WhatIfBatch {
    lines: String,
    counts: String,
}

/// Borrows the files of a folder.
fn named_texts(files: &[NamedText]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|file| (file.name.as_str(), file.text.as_str()))
        .collect()
}

/// A typed answer as a JavaScript object.
fn to_js<T: Serialize>(answer: &T) -> Result<JsValue, JsValue> {
    serde_wasm_bindgen::to_value(answer).map_err(JsValue::from)
}

/// An argument that has the declared shape.
fn read<T: for<'a> Deserialize<'a>>(argument: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(argument)
        .map_err(|error| TypeError::new(&error.to_string()).into())
}
