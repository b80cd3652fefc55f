//! The engine, as `cae what-if` uses it.

use cae_core::policy::what_if::{Export, WhatIf};
use cae_tests::oracle::Tenant;
use serde_json::Value;

/// The compiled policies of a tenant.
pub(crate) struct Engine(WhatIf);

impl Engine {
    /// Compiles a policy set; what the engine refuses is an error, for no policy may be refused here.
    pub(crate) fn new(tenant: &Tenant) -> Result<Self, String> {
        let policies = Value::from(tenant.policies.clone()).to_string();
        let locations = tenant
            .named_locations
            .as_ref()
            .map(|locations| Value::from(locations.clone()).to_string());
        let export = Export {
            policies: &[("policies.json", &policies)],
            named_locations: locations.as_deref(),
            ..Export::default()
        };
        WhatIf::new(&export, None).map(Self)
    }

    /// Answers sign-ins, each with the line that the contract wants.
    pub(crate) fn answers(&self, sign_ins: &[Value]) -> Vec<Value> {
        let lines: Vec<String> = sign_ins.iter().map(Value::to_string).collect();
        let batch = self.0.evaluate(lines.join("\n").as_bytes(), 1, true);
        batch
            .lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What the engine says it does not understand in each policy.
    pub(crate) fn not_understood(&self) -> Vec<Vec<String>> {
        let policies = self.0.describe().policies.into_iter();
        policies.map(|policy| policy.not_understood).collect()
    }

    pub(crate) fn answer(&self, sign_in: &Value) -> Value {
        self.answers(std::slice::from_ref(sign_in)).remove(0)
    }
}
