//! Two states of a tenant: which change it is, which policies cause it, how it adds up.

use alloc::vec;

use super::*;
use crate::policy::what_if::{Change, Changes, Counts, DocumentChange};

/// The change of one sign-in, with the names of the policies that cause it.
fn change(before: &[Value], after: &[Value], members: &str) -> String {
    let batch = evaluate(&compare(before, after), &[sign_in(members)]);
    let Some(line) = answers(&batch).pop() else {
        assert!(batch.counts.changes.totals.is_empty());
        return "none".into();
    };
    let policies: Vec<&str> = line["policies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|policy| policy["displayName"].as_str())
        .collect();
    alloc::format!(
        "{} {}",
        line["change"].as_str().unwrap(),
        policies.join("+")
    )
}

#[test]
fn every_kind_of_change_names_the_policies_that_cause_it() {
    let mfa = || policy("mfa", "", &control("mfa"));
    let device = || policy("device", "", &control("compliantDevice"));
    let block = || policy("block", "", &control("block"));
    let risky = |control: String| policy("risky", r#""userRiskLevels": ["high"]"#, &control);
    let session = |hours: u32| {
        policy(
            "session",
            "",
            &alloc::format!(
                r#""sessionControls": {{"signInFrequency": {{"value": {hours}, "type": "hours"}}}}"#
            ),
        )
    };
    for (before, after, members, expected) in [
        (vec![], vec![], "", "none"),
        (vec![mfa()], vec![mfa()], "", "none"),
        (vec![block()], vec![block(), mfa()], "", "none"),
        (vec![mfa()], vec![mfa(), block()], "", "newBlocks block"),
        (vec![mfa(), block()], vec![], "", "newGrants mfa+block"),
        (vec![mfa()], vec![], "", "newGrants mfa"),
        (vec![mfa()], vec![], r#""satisfied": ["mfa"]"#, "none"),
        (vec![mfa(), block()], vec![mfa()], "", "liftedBlocks block"),
        (
            vec![device()],
            vec![device(), mfa()],
            r#""satisfied": ["compliantDevice"]"#,
            "newChallenges mfa",
        ),
        (
            vec![mfa()],
            vec![mfa(), device()],
            "",
            "changedRequirements device",
        ),
        (
            vec![mfa()],
            vec![device()],
            "",
            "changedRequirements device+mfa",
        ),
        (
            vec![session(8)],
            vec![session(4)],
            "",
            "changedSession session",
        ),
        (vec![session(8), mfa()], vec![session(4), mfa()], "", "none"),
        (
            vec![block()],
            vec![block(), risky(control("block"))],
            "",
            "none",
        ),
        (
            vec![],
            vec![risky(control("block"))],
            "",
            "changedCertainty risky",
        ),
        (
            vec![],
            vec![risky(control("block"))],
            r#""signInConditions": {"userRiskLevel": "low"}"#,
            "none",
        ),
    ] {
        assert_eq!(
            change(&before, &after, members),
            expected,
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn policies_are_paired_by_id_and_then_by_name() {
    let named = |id: &str, name: &str, members: &str| {
        let mut policy = policy(id, "", members);
        policy["displayName"] = name.into();
        policy
    };
    let mut disabled = named("4", "four", &control("mfa"));
    disabled["state"] = "disabled".into();
    let mut same = named("1", "one", &control("mfa"));
    same["modifiedDateTime"] = "2026-01-01T00:00:00Z".into();
    same["conditions"]["platforms"] = json!({"includePlatforms": []});
    let before = [
        named("1", "one", &control("mfa")),
        named("2", "two", &control("mfa")),
        named("3", "three", &control("mfa")),
        named("4", "four", &control("mfa")),
    ];
    let after = [
        same,
        named("other", "two", &control("block")),
        disabled,
        named("5", "five", &control("mfa")),
    ];
    let compared = compare(&before, &after).describe().compared;
    let found: Vec<(&str, DocumentChange, Vec<&str>)> = compared
        .iter()
        .map(|pair| {
            let members = pair.members.iter().map(String::as_str).collect();
            (pair.display_name.as_deref().unwrap(), pair.change, members)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("one", DocumentChange::Unchanged, vec![]),
            (
                "two",
                DocumentChange::Changed,
                vec!["grantControls.builtInControls"]
            ),
            ("four", DocumentChange::Changed, vec!["state"]),
            ("five", DocumentChange::Added, vec![]),
            ("three", DocumentChange::Removed, vec![]),
        ]
    );
    assert_eq!(compared[2].state_after.as_deref(), Some("disabled"));
}

#[test]
fn the_changes_of_parts_add_up_to_those_of_the_whole() {
    let group = r#""users": {"includeGroups": ["g"]}"#;
    let before = [policy("mfa", "", &control("mfa"))];
    let after = [
        policy("mfa", "", &control("mfa")),
        policy("block", group, &control("block")),
    ];
    let what_if = compare(&before, &after);
    let lines: Vec<Value> = (0..40)
        .map(|number| {
            let groups = if number % 4 == 0 { r#"["g"]"# } else { "[]" };
            sign_in(&alloc::format!(
                r##""id": {number}, "memberOf": {groups}, "signInIdentity":
                    {{"@odata.type": "#microsoft.graph.userSignIn", "userId": "user {}"}}"##,
                number % 8
            ))
        })
        .collect();
    let whole = evaluate(&what_if, &lines).counts;
    assert_eq!(whole.changes.total(Change::NewBlocks), 10);
    assert_eq!(
        (whole.changes.people.count(), whole.changes.affected.count()),
        (8, 2)
    );
    let blocked = &whole.changes.groups[0];
    assert_eq!(
        (
            blocked.sign_ins,
            blocked.people.count(),
            &blocked.examples[1]
        ),
        (10, 2, &json!(4))
    );
    assert_eq!(blocked.examples.len(), 5);
    assert_eq!(blocked.targets.seen, [("orders".to_string(), 10)]);
    for size in [1, 7, 39] {
        let mut parts = Counts::default();
        for part in lines.chunks(size) {
            parts.merge(&evaluate(&what_if, part).counts);
        }
        assert_eq!(parts, whole, "in parts of {size}");
    }
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(
        serde_json::from_str::<Counts>(&text).unwrap(),
        whole,
        "as it crosses the boundary"
    );
}

#[test]
fn memory_is_bounded_however_many_groups_there_are() {
    let mut changes = Changes::default();
    let one = {
        let after = [policy("block", "", &control("block"))];
        let counts = evaluate(&compare(&[], &after), &[sign_in("")]).counts;
        counts.changes.groups[0].clone()
    };
    for number in 0..600 {
        let mut other = Changes::default();
        let mut group = one.clone();
        group.policies = vec![number];
        other.groups.push(group);
        changes.merge(&other);
    }
    assert_eq!((changes.groups.len(), changes.ungrouped), (500, 100));
}

#[test]
fn sign_ins_made_from_policies_find_what_changes() {
    let before = [policy(
        "legacy",
        r#""clientAppTypes": ["other"], "users": {"includeUsers": ["All"],
        "excludeGroups": ["00000000-0000-0000-0000-00000000000a"]}"#,
        &control("block"),
    )];
    let after = [policy(
        "legacy",
        r#""clientAppTypes": ["other"]"#,
        &control("block"),
    )];
    let what_if = compare(&before, &after);
    let made = what_if.representatives();
    let again = what_if.representatives();
    assert_eq!(made, again, "nothing is random");
    assert_eq!(made.lines.lines().count(), made.sign_ins);
    let batch = what_if.evaluate(made.lines.as_bytes(), 1, true);
    assert_eq!(batch.counts.summary.faulty, 0, "{}", batch.lines);
    assert_eq!(
        batch.counts.summary.uncertain, 0,
        "everything is known of them"
    );
    let groups = &batch.counts.changes.groups;
    assert_eq!(groups.len(), 1);
    assert_eq!(
        groups[0].examples[0],
        "members of group 00000000-0000-0000-0000-00000000000a, any other application, any other network, client other"
    );
}
