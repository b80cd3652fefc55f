//! What-if: whole batches in, lines and counts out.

use cae_core::json;
use cae_core::policy::what_if::{Export, WhatIf};

use super::bindings::exports::cae::engine::evaluation;
use super::{Component, named_texts};

impl evaluation::Guest for Component {
    type WhatIf = WhatIf;
}

impl evaluation::GuestWhatIf for WhatIf {
    fn create(
        tenant: evaluation::Tenant,
        before: Option<evaluation::Tenant>,
    ) -> Result<evaluation::WhatIf, String> {
        let policies = named_texts(&tenant.policies);
        let older = before.as_ref().map(|tenant| named_texts(&tenant.policies));
        let before = before.as_ref().zip(older.as_ref());
        let before = before.map(|(tenant, policies)| export(tenant, policies));
        Self::new(&export(&tenant, &policies), before.as_ref()).map(evaluation::WhatIf::new)
    }

    fn describe(&self) -> String {
        json::to_text(&Self::describe(self))
    }

    fn representatives(&self) -> String {
        json::to_text(&Self::representatives(self))
    }

    fn evaluate(&self, lines: Vec<u8>, first_line: u64, write: bool) -> evaluation::Batch {
        let batch = Self::evaluate(self, &lines, first_line, write);
        evaluation::Batch {
            counts: json::to_text(&batch.counts),
            lines: batch.lines,
        }
    }
}

fn export<'a>(tenant: &'a evaluation::Tenant, policies: &'a [(&'a str, &'a str)]) -> Export<'a> {
    Export {
        policies,
        named_locations: tenant.named_locations.as_deref(),
        application_groups: tenant.application_groups.as_deref(),
    }
}
