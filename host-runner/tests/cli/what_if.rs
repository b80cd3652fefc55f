//! `cae what-if`: lines, summaries, differences, the report, the gate.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Folder, Run, command, run, run_everywhere};

/// A file of the examples.
fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/what-if");
    folder.join(name).to_str().unwrap().to_owned()
}

fn what_if(arguments: &[&str]) -> Run {
    run(&[&["what-if"], arguments].concat(), "")
}

fn diff(arguments: &[&str]) -> Run {
    let (before, after) = (example("before.json"), example("after.json"));
    let locations = example("named-locations.json");
    let all = ["--diff", &before, &after, "--named-locations", &locations];
    what_if(&[&all[..], arguments].concat())
}

#[test]
fn every_line_is_answered_in_its_place() {
    let folder = Folder::new("what-if-lines");
    let sound = fs::read_to_string(example("sign-ins.jsonl")).unwrap();
    let sound: Vec<&str> = sound.lines().collect();
    // So many that several chunks are under way at once.
    let mut lines = Vec::new();
    for number in 0..4_000 {
        lines.push(sound[number % sound.len()].to_owned());
        if number % 1_000 == 500 {
            lines.push(format!(r#"{{"id":{number},"userName":"x"}}"#));
        }
    }
    let file = folder.file("s.jsonl", lines.join("\n"));
    let (policies, locations) = (example("after.json"), example("named-locations.json"));
    let arguments = [
        "--policies",
        &policies,
        "--named-locations",
        &locations,
        "--sign-ins",
        &file,
        "--json",
    ];
    let all = what_if(&arguments);
    assert_eq!(all.status, 2, "{}", all.err);
    let answers = all.lines();
    assert_eq!(answers.len(), lines.len());
    for (number, (line, answer)) in lines.iter().zip(&answers).enumerate() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["userName"].is_string() {
            assert_eq!(answer["line"], number + 1);
            assert!(answer["error"].as_str().unwrap().contains("/userName"));
        } else {
            assert_eq!(answer["id"], line["id"]);
            assert_eq!(answer["policies"].as_array().unwrap().len(), 6);
        }
    }
    for threads in ["1", "3"] {
        let other = what_if(&[&arguments[..], &["--threads", threads]].concat());
        assert_eq!(other.out, all.out, "the number of threads changes nothing");
    }
}

#[test]
fn people_see_what_it_comes_to_and_what_cannot_be_used() {
    let folder = Folder::new("what-if-people");
    let (policies, locations) = (example("after.json"), example("named-locations.json"));
    let arguments = [
        "--policies",
        &policies,
        "--named-locations",
        &locations,
        "--sign-ins",
    ];
    let seen = what_if(&[&arguments[..], &[&example("sign-ins.jsonl")]].concat());
    assert_eq!((seen.status, seen.err.as_str()), (0, ""));
    for part in [
        "16 sign-ins against 6 policies (5 enabled, 0 report-only, 1 disabled)",
        "granted",
        "MFA",
        "strength phishing-resistant MFA",
        "Nobody uses legacy authentication",
        "Undetermined",
        "signInRisk",
    ] {
        assert!(seen.out.contains(part), "{part}: {}", seen.out);
    }
    let bad = folder.file("bad.jsonl", "{}\n[]\n");
    let seen = what_if(&[&arguments[..], &[&bad]].concat());
    assert_eq!(seen.status, 2);
    assert!(
        seen.err.contains("bad.jsonl: line 2: /: must be an object"),
        "{}",
        seen.err
    );

    let made = what_if(&["--policies", &policies, "--named-locations", &locations]);
    assert_eq!(made.status, 0, "{}", made.err);
    assert!(made.out.contains("made from the policies"), "{}", made.out);
}

#[test]
fn a_program_at_the_other_end_gets_each_answer_at_once() {
    let policies = example("after.json");
    let arguments = [
        "what-if",
        "--policies",
        &policies,
        "--sign-ins",
        "-",
        "--json",
        "--engine",
        "native",
    ];
    let mut child = command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(input, r#"{{"id":{number}}}"#).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["id"], number);
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_changes_is_told_for_people_and_for_programs() {
    let sign_ins = example("sign-ins.jsonl");
    let people = diff(&["--sign-ins", &sign_ins]);
    assert_eq!((people.status, people.err.as_str()), (0, ""));
    for part in [
        "of 16 sign-ins change",
        "Newly blocked",
        "Nobody uses legacy authentication (changed)",
        "Newly granted",
        "Nobody signs in from abroad (removed)",
        "The ledger opens on compliant devices (added)",
        "state enabled → disabled",
        "break-glass",
    ] {
        assert!(people.out.contains(part), "{part}: {}", people.out);
    }
    let programs = diff(&["--sign-ins", &sign_ins, "--json"]);
    let lines = programs.lines();
    let (summary, changed) = lines.split_last().unwrap();
    let summary = &summary["summary"];
    assert_eq!(summary["signIns"], 16);
    assert_eq!(summary["changed"], changed.len());
    assert_eq!(summary["made"], Value::Null);
    let of = |id: &str| changed.iter().find(|line| line["id"] == id).unwrap();
    let robot = of("robot, orders, office, other");
    assert_eq!(
        (&robot["change"], &robot["after"]["result"]),
        (&json!("newBlocks"), &json!("block"))
    );
    assert_eq!(
        robot["policies"][0]["displayName"],
        "Nobody uses legacy authentication"
    );
    let carlos = of("carlos, orders, office");
    assert_eq!(carlos["change"], "newChallenges");
    assert_eq!(
        carlos["after"]["unmet"],
        json!(["authenticationStrength:00000000-0000-0000-0000-000000000004"])
    );
    let total: u64 = summary["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["signIns"].as_u64())
        .sum();
    assert_eq!(json!(total), summary["changed"]);
}

#[test]
fn the_gate_closes_for_the_changes_that_it_names() {
    let sign_ins = example("sign-ins.jsonl");
    for (kinds, status) in [
        ("new-blocks", 1),
        ("changed-requirements,new-grants", 1),
        ("any", 1),
        ("lifted-blocks", 0),
    ] {
        assert_eq!(
            diff(&["--sign-ins", &sign_ins, "--fail-on", kinds]).status,
            status,
            "{kinds}"
        );
    }
    let (before, locations) = (example("before.json"), example("named-locations.json"));
    let same = [
        "--diff",
        &before,
        &before,
        "--named-locations",
        &locations,
        "--fail-on",
        "any",
    ];
    let same = what_if(&same);
    assert_eq!(same.status, 0, "{same:?}");
    assert!(same.out.contains("nothing changes"), "{}", same.out);
}

#[test]
fn the_report_stands_alone_and_hides_no_markup() {
    let folder = Folder::new("what-if-report");
    let hostile = r#"<script>alert("1")</script>"#;
    let before = fs::read_to_string(example("before.json")).unwrap();
    let before = before.replace("Nobody signs in from abroad", &hostile.replace('"', "\\\""));
    let before = folder.file("before.json", before);
    let page = folder.file("report.html", "");
    let (after, locations) = (example("after.json"), example("named-locations.json"));
    let sign_ins = example("sign-ins.jsonl");
    let run = what_if(&[
        "--diff",
        &before,
        &after,
        "--named-locations",
        &locations,
        "--sign-ins",
        &sign_ins,
        "--html",
        &page,
    ]);
    assert_eq!(run.status, 0, "{}", run.err);
    let page = fs::read_to_string(page).unwrap();
    assert!(!page.contains("<script"), "names are text");
    assert!(page.contains("&lt;script&gt;"));
    for outside in ["http://", "https://", "url(", "@import", "src="] {
        assert!(
            !page.contains(outside),
            "{outside}: the page asks for nothing"
        );
    }
    for part in [
        "<svg",
        "role=\"img\"",
        "prefers-color-scheme: dark",
        "lang=\"en\"",
        "Newly blocked",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for tag in ["section", "article", "table", "svg", "dl", "ul", "div"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn faults_are_named_with_their_file() {
    let folder = Folder::new("what-if-faults");
    let broken = folder.file("broken.json", r#"[{"id":"a","conditions":7},{"id":"b"}]"#);
    let pages = folder.file("pages.json", r#"{"value":[],"@odata.nextLink":"u"}"#);
    let places = folder.file("places.json", "[3]");
    let sound = example("before.json");
    for (arguments, part) in [
        (vec!["--policies", &broken], "broken.json: /0/conditions: "),
        (vec!["--policies", &pages], "pages.json: /@odata.nextLink: "),
        (
            vec!["--policies", &sound, "--named-locations", &places],
            "places.json: /0: ",
        ),
        (
            vec!["--diff", &sound, &broken],
            "broken.json: /0/conditions: ",
        ),
        (
            vec!["--policies", &sound, "--sign-ins", folder.path()],
            "a folder",
        ),
        (
            vec!["--policies", "-", "--sign-ins", "-"],
            "standard input can hold one",
        ),
        (
            vec!["--policies", &sound, "--authentication-strengths", &places],
            "without `id`",
        ),
    ] {
        let run = run_everywhere(&[&["what-if"], &arguments[..]].concat(), "");
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
        assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
    }
}

/// Baselines are shipped disabled: only what they would do once they are enabled is of interest.
#[test]
fn a_rollout_is_compared_before_anything_is_enabled() {
    let folder = Folder::new("what-if-rollout");
    let application = "5d5f3f0e-3c1b-4b39-9d0e-6a3b1c2d4e5f";
    let policy = json!({
        "id": "p", "displayName": "Block orders", "state": "disabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["MicrosoftAdminPortals"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    });
    let before = folder.file("before.json", "[]");
    let after = folder.file("after.json", policy.to_string());
    let groups = json!({"MicrosoftAdminPortals": {"ids": [application], "complete": true}});
    let groups = folder.file("groups.json", groups.to_string());
    let names = json!([{"id": "x", "appId": application, "displayName": "Orders portal"}]);
    let names = folder.file("names.json", names.to_string());
    let page = folder.file("report.html", String::new());
    let common = ["--diff", &before, &after, "--application-groups", &groups];
    let nothing = what_if(&[&common[..], &["--fail-on", "new-blocks"]].concat());
    assert_eq!(nothing.status, 0, "{}", nothing.err);
    let options = [
        "--assume-enabled",
        "all",
        "--names",
        &names,
        "--html",
        &page,
    ];
    let rollout = what_if(&[&common[..], &options, &["--fail-on", "new-blocks"]].concat());
    assert_eq!(rollout.status, 1, "{}", rollout.err);
    for text in [rollout.out, fs::read_to_string(&page).unwrap()] {
        assert!(text.contains("\u{201C}Orders portal\u{201D}"), "{text}");
        assert!(text.contains("count as enabled"), "{text}");
    }
}
