use super::*;
use crate::json::{Limits, parse, to_text};
use crate::state::record::Cause;
use crate::state::samples::{any_record, entry};
use crate::state::view::RecordView;
use proptest::prelude::*;

fn json(text: &str) -> Value {
    parse(text.as_bytes(), Limits::EVENT).unwrap()
}

#[test]
fn a_line_sets_a_record() {
    let line = json(
        r#"{"scope":"t","kind":"user","id":"u","cutOff":{"at":10,"cause":"passwordChange"},
            "status":[{"transmitter":"https://idp.example","at":20,"value":"disabled"}]}"#,
    );
    assert_eq!(
        key_from_json(&line),
        Ok(subject_key("t", SubjectKind::User, NameSpace::Native, "u"))
    );
    let record = Record::from_json(&line).unwrap();
    assert_eq!(record.cut_off, Some(entry(10, 10, Cause::PasswordChange)));
    assert_eq!(record.status[0].0, TransmitterId::of("https://idp.example"));
}

#[test]
fn faults_point_to_the_member() {
    for (line, at, message) in [
        (r#"[]"#, "", "an object"),
        (r#"{"cutoff":{}}"#, "/cutoff", "no such member"),
        (
            r#"{"cutOff":{"at":-1,"cause":"cleared"}}"#,
            "/cutOff/at",
            "whole seconds",
        ),
        (
            r#"{"cutOff":{"at":1,"cause":"x"}}"#,
            "/cutOff/cause",
            "one of cleared",
        ),
        (
            r#"{"risk":[{"transmitter":"t","at":1,"value":"HIGH"}]}"#,
            "/risk/0/value",
            "one of none",
        ),
        (
            r#"{"risk":[{"transmitter":"t","at":1,"value":"high"},{"transmitter":"t","at":2,"value":"low"}]}"#,
            "/risk",
            "one entry per transmitter",
        ),
    ] {
        let fault = Record::from_json(&json(line)).unwrap_err();
        assert_eq!(fault.at, at, "{line}");
        assert!(fault.message.contains(message), "{fault}");
    }
    assert_eq!(
        key_from_json(&json(r#"{"kind":"user","scope":"t"}"#))
            .unwrap_err()
            .at,
        "/id"
    );
}

proptest! {
    #[test]
    fn a_view_leads_back_to_whole_seconds(record in any_record()) {
        let text = to_text(&RecordView(&record));
        let read = Record::from_json(&json(&text)).unwrap();
        prop_assert_eq!(to_text(&RecordView(&read)), text);
    }
}
