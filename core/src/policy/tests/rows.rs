//! Rows 1 to 23 of `policy-semantics.md`, as far as this engine decides them.

mod shapes;
mod targets;

use super::*;

/// Each case: conditions, facts, what the policy comes to.
pub(super) fn run(row: &str, locations: Option<&str>, cases: &[(&str, &str, &str)]) {
    let locations = locations.map(value);
    for (conditions, facts, expected) in cases {
        let set = compile(&policy(conditions), locations.as_ref()).unwrap();
        let found = outcome(&set, &OwnedFacts::read(facts));
        assert_eq!(&found, expected, "row {row}: {conditions} for {facts}");
    }
}
