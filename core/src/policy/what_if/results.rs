//! What each sign-in comes to, without its policies: all that a picture of many of them needs.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;

use serde::Serialize;

use super::comparison::Change;
use super::evaluation::{Evaluation, SignInResult};
use super::{WhatIf, read_lines};
use crate::json::{self, Value};

/// One state of a tenant.
#[derive(Serialize)]
struct State<'a> {
    result: SignInResult,
    unmet: &'a BTreeSet<Cow<'a, str>>,
    /// Whether it comes to this only as far as can be told.
    uncertain: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a Value,
    after: State<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<State<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Change>,
}

impl<'a> State<'a> {
    fn of(evaluation: &'a Evaluation<'a>) -> Self {
        Self {
            result: evaluation.result,
            unmet: &evaluation.unmet,
            uncertain: evaluation.is_uncertain(),
        }
    }
}

impl WhatIf {
    /// What each line comes to, as one line of canonical JSON: `{"id", "after": {"result", "unmet", "uncertain"}}`; of a
    /// comparison with `before` too, and `change` if there is one. A line that cannot be used is answered by
    /// `{"line", "error"}`. `first_line` is the number of the first; lines without anything are left out.
    #[must_use]
    pub fn results(&self, lines: &[u8], first_line: u64) -> String {
        let mut answers = String::new();
        for sign_in in read_lines(lines, first_line) {
            let answer = match &sign_in {
                Err(fault) => json::to_text(fault),
                Ok(sign_in) => {
                    let after = Evaluation::of(&self.tenant, sign_in);
                    let comparison = self.before.as_ref();
                    let before =
                        comparison.map(|comparison| Evaluation::of(&comparison.before, sign_in));
                    let change = comparison.zip(before.as_ref());
                    let change = change
                        .and_then(|(comparison, before)| comparison.difference(before, &after));
                    json::to_text(&Line {
                        id: &sign_in.id,
                        after: State::of(&after),
                        before: before.as_ref().map(State::of),
                        change: change.map(|(change, _)| change),
                    })
                }
            };
            answers.push_str(&answer);
            answers.push('\n');
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use serde_json::{Value, json};

    use crate::policy::what_if::{Export, WhatIf};

    const SIGN_INS: &str = concat!(
        r##"{"id": "a", "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "adele"}, "##,
        r##""signInContext": {"@odata.type": "#microsoft.graph.applicationContext"}}"##,
        "\n\n[]\n",
        r#"{"id": "b"}"#,
    );

    fn policies(control: &str) -> alloc::string::String {
        json!({
            "id": "p", "state": "enabled",
            "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": [control]},
        })
        .to_string()
    }

    fn results(control: &str, before: Option<&str>) -> alloc::vec::Vec<Value> {
        let (after, before) = (policies(control), before.map(policies));
        let (after, before) = (
            [("p", after.as_str())],
            before.as_deref().map(|text| [("p", text)]),
        );
        let export = |policies| Export {
            policies,
            ..Export::default()
        };
        let what_if = WhatIf::new(
            &export(&after),
            before.as_ref().map(|it| export(it)).as_ref(),
        );
        let text = what_if.unwrap().results(SIGN_INS.as_bytes(), 7);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn each_line_that_holds_something_is_answered_in_its_order() {
        let challenged = json!({"result": "challenge", "unmet": ["mfa"], "uncertain": false});
        let found = results("mfa", None);
        assert_eq!(found[0], json!({"id": "a", "after": challenged}));
        assert_eq!(found[1]["line"], 9);
        assert_eq!(found[2]["id"], "b");
        assert_eq!(found[2]["after"]["uncertain"], true);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_comparison_says_what_it_was_and_how_it_changes() {
        let found = results("block", Some("mfa"));
        assert_eq!(found[0]["after"]["result"], "block");
        assert_eq!(found[0]["before"]["result"], "challenge");
        assert_eq!(found[0]["change"], "newBlocks");
        let same = results("mfa", Some("mfa"));
        assert_eq!(same[0].get("change"), None);
        assert_eq!(same[0]["before"], same[0]["after"]);
    }
}
