use super::*;
use alloc::string::ToString;
use alloc::vec;
use serde_json::json;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Colour {
    Red,
    Green,
}

impl Choice for Colour {
    const NAMES: &'static [(&'static str, Self)] = &[("red", Self::Red), ("green", Self::Green)];
}

/// What a single reading comes to, with its only fault.
fn read<T>(value: &Value, read: impl FnOnce(&mut Node<'_, '_>) -> Option<T>) -> Result<T, String> {
    let mut faults = Vec::new();
    let found = read(&mut Node::root(value, &mut faults));
    match (found, faults.as_slice()) {
        (Some(found), []) => Ok(found),
        (None, [fault]) => Err(fault.message.clone()),
        (_, faults) => Err(format!("not one answer: {faults:?}")),
    }
}

#[test]
fn scalars_say_what_was_expected_and_what_was_found() {
    for (value, expected) in [
        (json!(true), Ok(true)),
        (json!("yes"), Err("expected true or false, found a string")),
        (json!(null), Err("expected true or false, found null")),
    ] {
        let found = read(&value, |node| node.flag());
        assert_eq!(found, expected.map_err(ToString::to_string), "{value}");
    }
    for (value, expected) in [
        (json!(0), Ok(0)),
        (json!(10), Ok(10)),
        (json!(11), Err("11 is outside 0 to 10")),
        (json!(-1), Err("-1 is outside 0 to 10")),
        (json!(1.5), Err("1.5 is outside 0 to 10")),
        (json!("1"), Err("expected a number, found a string")),
    ] {
        let found = read(&value, |node| node.integer(0..=10));
        assert_eq!(found, expected.map_err(ToString::to_string), "{value}");
    }
    for (value, expected) in [
        (json!("green"), Ok(Colour::Green)),
        (json!("Green"), Err("`Green` is not one of red or green")),
        (json!([]), Err("expected a string, found an array")),
    ] {
        let found = read(&value, |node| node.choice::<Colour>());
        assert_eq!(found, expected.map_err(ToString::to_string), "{value}");
    }
}

#[test]
fn reading_goes_on_after_a_fault_and_keeps_places() {
    let document = json!({"a/b": [1, "x", 2, true], "extra": 0, "list": ["p", "q", "p"]});
    let mut faults = Vec::new();
    let mut object = Node::root(&document, &mut faults).object(&["a/b", "list", "needed"]);
    let mut numbers = object.get("a/b").unwrap();
    assert_eq!(numbers.elements(|mut node| node.integer(0..=9)), [1, 2]);
    assert_eq!(object.list("list", "a letter", Some), Some(vec!["p", "q"]));
    assert!(object.require("needed", "a number").is_none());
    assert!(object.get("absent").is_none());
    assert_eq!(object.integer("absent", 0..=1, 1), 1);

    let places: Vec<_> = faults
        .iter()
        .map(|fault| (fault.at.as_str(), fault.code))
        .collect();
    assert_eq!(
        places,
        [
            ("/extra", UNKNOWN_MEMBER),
            ("/a~1b/1", WRONG_TYPE),
            ("/a~1b/3", WRONG_TYPE),
            ("/list/2", DUPLICATE),
            ("/needed", MISSING_MEMBER),
        ]
    );
}

#[test]
fn members_of_what_is_no_object_are_not_missed_as_well() {
    let document = json!({"section": 7});
    let mut faults = Vec::new();
    let mut root = Node::root(&document, &mut faults).object(&["section", "other"]);
    assert!(root.object("section", &["x"]).require("x", "x").is_none());
    assert!(root.object("other", &["x"]).require("x", "x").is_none());
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn one_value_may_stand_for_a_list_of_one() {
    let mut faults = Vec::new();
    for (value, expected) in [(json!("a"), vec!["a"]), (json!(["a", "b"]), vec!["a", "b"])] {
        let found = Node::root(&value, &mut faults).one_or_more(|mut node| node.string());
        assert_eq!(found, expected);
    }
    assert_eq!(faults, []);
}

#[test]
fn messages_stay_on_one_short_line() {
    let shown = quoted(&"\n\u{1b}[31m".repeat(100));
    assert!(shown.chars().all(|c| !c.is_control()), "{shown}");
    assert!(shown.len() < 1_000 && shown.ends_with("…`"), "{shown}");
    assert_eq!(quoted("plain"), "`plain`");
}
