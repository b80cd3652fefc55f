//! `cae decide`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::json;

use crate::support::{
    Folder, ISSUER, NOW, command, configuration, request, revocation, run, token,
};

#[test]
fn decide_answers_every_line_in_its_place() {
    let folder = Folder::new("decide");
    let config = folder.file("engine.json", configuration());
    let adele = token("adele");
    let mut forged = adele.clone();
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let requests = [
        request("a", &adele),
        "{\"id\":\"b\",\"token\":\"x\",\"now\":1,\"ip\":\"192.0.2.1\"}".to_owned(),
        request("c", &forged),
        String::new(),
        "not json".to_owned(),
        json!({"id": 5, "token": null, "now": NOW}).to_string(),
        request("d", &adele),
    ];
    let run = run(&["decide", "--config", &config], &requests.join("\n"));
    assert_eq!(run.status, 2, "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), 6);
    assert!(
        run.out
            .starts_with(r#"{"id":"a","decision":"allow","status":200,"#),
        "{}",
        run.out
    );
    assert_eq!(lines[1], json!({"line": 2, "error": "/ip: unknown member"}));
    assert_eq!(lines[2]["decision"], "deny");
    assert_eq!(lines[2]["reasons"][0]["code"], "token_signature");
    assert_eq!(lines[3]["line"], 5);
    assert_eq!(
        (&lines[4]["id"], &lines[4]["reasons"][0]["code"]),
        (&json!(5), &json!("token_missing"))
    );
    assert_eq!(lines[5]["decision"], "allow");
    assert!(
        lines.iter().all(|line| line.get("checks").is_none()),
        "explained without being asked: {}",
        run.out
    );
}

#[test]
fn signals_are_applied_before_the_first_request() {
    let folder = Folder::new("signals");
    let config = folder.file("engine.json", configuration());
    let mut forged = revocation("megan", NOW);
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let record = json!({"record": {"scope": ISSUER, "kind": "user", "id": "lee",
        "cutOff": {"at": NOW, "cause": "passwordChange"}}});
    let signals = [
        revocation("adele", NOW),
        json!({"set": revocation("diego", NOW - 3600), "receivedAt": NOW}).to_string(),
        forged,
        record.to_string(),
    ];
    let signals = folder.file("sets.jsonl", signals.join("\n"));
    let users = ["adele", "diego", "megan", "lee"];
    let requests: Vec<String> = users
        .iter()
        .map(|user| request(user, &token(user)))
        .collect();
    let arguments = [
        "decide",
        "--config",
        &config,
        "--signals",
        &signals,
        "--explain",
    ];
    let run = run(&arguments, &requests.join("\n"));
    assert_eq!(run.status, 0, "{run:?}");
    let lines = run.lines();
    let decisions: Vec<_> = lines
        .iter()
        .map(|line| line["decision"].as_str().unwrap())
        .collect();
    assert_eq!(decisions, ["challenge", "allow", "allow", "challenge"]);
    assert_eq!(lines[0]["reasons"][0]["code"], "session_revoked");
    assert_eq!(lines[3]["reasons"][0]["code"], "password_changed");
    assert!(lines.iter().all(|line| line["checks"].is_array()));
    assert_eq!(run.err.lines().count(), 1);
    assert!(run.err.contains("line 3: rejected: "), "{}", run.err);
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let folder = Folder::new("dialogue");
    let config = folder.file("engine.json", configuration());
    let mut child = command(&["decide", "--config", &config, "--engine", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in ["a", "b"] {
        writeln!(to, "{}", request(id, &token("adele"))).unwrap();
        to.flush().unwrap();
        assert!(from.next().unwrap().unwrap().contains(id));
    }
    drop(to);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_the_work_quietly() {
    let folder = Folder::new("pipe");
    let config = folder.file("engine.json", configuration());
    let mut child = command(&["decide", "--config", &config, "--engine", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let line = request("a", &token("adele"));
    writeln!(to, "{line}").unwrap();
    let mut from = BufReader::new(child.stdout.take().unwrap());
    from.read_line(&mut String::new()).unwrap();
    drop(from);
    // Until the other side notices: far more than the pipes hold.
    while writeln!(to, "{line}").is_ok() {}
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn standard_input_is_for_the_requests() {
    let folder = Folder::new("standard-input");
    let config = folder.file("engine.json", configuration());
    for arguments in [
        &["decide", "--config", "-"][..],
        &["decide", "--config", &config, "--signals", "-"],
    ] {
        let run = run(arguments, &configuration());
        assert!(
            run.status == 2 && run.err.contains("standard input holds the requests"),
            "{run:?}"
        );
    }
}

#[test]
fn every_signal_that_cannot_be_used_is_named() {
    let folder = Folder::new("bad-signals");
    let config = folder.file("engine.json", configuration());
    let signals = folder.file("sets.jsonl", "{\"set\":7}\n{}\n{\"record\n");
    let arguments = ["decide", "--config", &config, "--signals", &signals];
    let run = run(&arguments, &request("a", &token("adele")));
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    for (line, part) in run
        .err
        .lines()
        .zip(["line 1: /set", "line 2: /", "line 3: not JSON"])
    {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(run.err.lines().count(), 3);
}
