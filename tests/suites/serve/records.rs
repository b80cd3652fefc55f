//! Records for engines elsewhere.

use cae_tests::service::{Folder, Reply, Service, ask};
use serde_json::{Value, json};

use super::own::{Own, PUSHED, SET, start};

const TOKEN: &str = "a-token-for-the-edge";

fn post(service: &Service, path: &str, token: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let body = body.to_string();
    ask(service.administration, "POST", path, &headers, Some(&body)).unwrap()
}

fn read(service: &Service, keys: &[&str]) -> Value {
    let reply = post(service, "/v1/records", TOKEN, &json!({ "keys": keys }));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["records"].clone()
}

#[test]
fn engines_elsewhere_read_and_merge_records() {
    let folder = Folder::new("records");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    folder.write("records.token", &format!("{TOKEN}\n"));
    let configuration = format!("{PUSHED}[store]\nrecordsTokenFile = \"records.token\"\n");
    let Some(mut service) = Service::start(&folder, &configuration) else {
        return;
    };
    let set = own.revoked("adele");
    let pushed = ask(service.signals, "POST", "/events/own", &[SET], Some(&set));
    assert_eq!(pushed.unwrap().status, 202);
    let path = "/v1/state?subject=user:adele";
    let state = ask(service.administration, "GET", path, &[], None).unwrap();
    let key = state.json()["records"][0]["key"].clone();
    let key = key.as_str().unwrap();

    // What one worker merges, the next one reads, also after a crash.
    let other = "0123456789abcdef0123456789abcdef";
    let records = read(&service, &[other, key]);
    assert_eq!(records[0], Value::Null);
    let record = records[1].as_str().unwrap();
    let change = json!({"changes": [{"key": other, "record": record}]});
    let merged = post(&service, "/v1/records/merge", TOKEN, &change);
    assert_eq!(merged.status, 204, "{merged:?}");
    service.process.kill();
    service.restart(&folder);
    assert_eq!(read(&service, &[other, key]), json!([record, record]));

    // All of it or nothing, and nothing for those who do not know the token.
    let many = vec![other; 1_025];
    let third = "00000000000000000000000000000003";
    let refused = [
        ("/v1/records", json!({"keys": ["no key"]})),
        ("/v1/records", json!({"keys": [other.to_uppercase()]})),
        ("/v1/records", json!({"keys": many})),
        ("/v1/records", json!({"keys": [other], "more": 1})),
        ("/v1/records", json!([other])),
        (
            "/v1/records/merge",
            json!({"changes": [{"key": other, "record": "ff"}]}),
        ),
        (
            "/v1/records/merge",
            json!({"changes": [{"key": third, "record": record}, {"key": other, "record": "zz"}]}),
        ),
    ];
    for (path, body) in refused {
        assert_eq!(post(&service, path, TOKEN, &body).status, 400, "{body}");
    }
    for token in ["", "another", "a-token-for-the-edge-and-more"] {
        assert_eq!(
            post(&service, "/v1/records", token, &json!({"keys": []})).status,
            401
        );
        assert_eq!(
            post(&service, "/v1/records/merge", token, &change).status,
            401
        );
    }
    assert_eq!(read(&service, &[third]), json!([null]));
}

#[test]
fn without_a_token_in_the_settings_nobody_asks() {
    let Some((_folder, _own, service)) = start("no-records", &json!({}), &json!([])) else {
        return;
    };
    for path in ["/v1/records", "/v1/records/merge"] {
        assert_eq!(post(&service, path, "", &json!({"keys": []})).status, 404);
    }
}
