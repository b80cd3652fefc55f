use serde_json::json;

use super::*;

fn guid(digit: char) -> String {
    "00000000-0000-4000-8000-00000000000x".replace('x', &digit.to_string())
}

fn set(digits: &[char]) -> BTreeSet<String> {
    digits.iter().map(|digit| guid(*digit)).collect()
}

/// Group 1 holds group 2 and user a, group 2 holds group 1 (a circle) and user b.
fn nested() -> Memberships {
    let mut memberships = Memberships::new(100);
    memberships.ask_for(&set(&['1']));
    let id = |digit| Guid::read(&guid(digit)).unwrap();
    let member = |kind: &str, digit| json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": guid(digit)});
    for (group, list) in [
        ('1', json!([member("group", '2'), member("user", 'a')])),
        (
            '2',
            json!([
                member("group", '1'),
                member("user", 'b'),
                member("device", 'c')
            ]),
        ),
    ] {
        let members = memberships.groups.entry(id(group)).or_default();
        assert!(change(members, &json!({"members@delta": list})));
    }
    memberships.ask_for(&set(&['1']));
    memberships.groups_read = true;
    memberships
}

#[test]
fn who_is_in_a_group_within_a_group_is_in_both() {
    let memberships = nested();
    let by_user = memberships.groups_by_user(&set(&['1'])).unwrap();
    let user = |digit| by_user.get(&Guid::read(&guid(digit)).unwrap());
    assert_eq!(user('a'), Some(&set(&['1'])));
    assert_eq!(user('b'), Some(&set(&['1'])));
    assert_eq!(user('c'), None, "a device is no user");
    assert_eq!(
        memberships.queries.len(),
        2,
        "the group within is asked for too"
    );
}

#[test]
fn what_was_not_asked_for_is_not_known() {
    let mut memberships = nested();
    assert_eq!(memberships.groups_by_user(&set(&['1', '3'])), None);
    memberships.ask_for(&set(&['1', '3']));
    assert_eq!(
        memberships.groups_by_user(&set(&['1'])),
        None,
        "until it is read"
    );
    memberships.ask_for(&set(&[]));
    assert!(memberships.queries.is_empty() && memberships.groups.is_empty());
}

#[test]
fn members_come_and_go() {
    let mut memberships = nested();
    let id = Guid::read(&guid('2')).unwrap();
    let gone = json!({"members@delta": [{"id": guid('b'), "@removed": {"reason": "deleted"}}]});
    let members = memberships.groups.get_mut(&id).unwrap();
    assert!(change(members, &gone));
    assert!(!change(members, &gone), "twice is once");
    let by_user = memberships.groups_by_user(&set(&['1'])).unwrap();
    assert_eq!(by_user.len(), 1);
}

#[test]
fn half_a_round_is_given_up_and_a_whole_one_kept() {
    let mut memberships = nested();
    memberships.give_up_groups();
    assert!(memberships.groups_by_user(&set(&['1'])).is_some());
    memberships.groups_under_way = true;
    memberships.give_up_groups();
    assert!(memberships.is_settled());
    assert_eq!(memberships.groups_by_user(&set(&['1'])), None);
}

#[test]
fn hidden_members_are_known_only_with_the_permission() {
    let mut memberships = nested();
    let inner = Guid::read(&guid('2')).unwrap();
    memberships.groups.get_mut(&inner).unwrap().are_hidden = true;
    assert_eq!(
        memberships.groups_by_user(&set(&['1'])),
        None,
        "it is within"
    );
    for query in &mut memberships.queries {
        query.link = Some("kept".to_owned());
    }
    memberships.may_read_hidden(true);
    assert!(memberships.groups_by_user(&set(&['1'])).is_some());
    let kept = |query: &&Query| query.link.is_some();
    assert_eq!(
        memberships.queries.iter().filter(kept).count(),
        1,
        "read anew"
    );
}

#[test]
fn more_than_are_remembered_are_none() {
    let mut memberships = nested();
    memberships.most = 3;
    assert!(memberships.bound().is_err());
    assert_eq!(
        (memberships.len(), memberships.groups_by_user(&set(&['1']))),
        (0, None)
    );
}
