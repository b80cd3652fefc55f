//! A transmitter that suddenly speaks about many waits for an operator.

use cae_tests::service::{Folder, Service, ask};
use serde_json::json;

use super::own::{Own, PUSHED, SET};

#[test]
fn what_the_brake_holds_an_operator_releases() {
    let folder = Folder::new("brake");
    let own = Own::new();
    let mut engine = own.engine(&json!({}), &json!([]));
    engine["transmitters"][0]["brake"] = json!({"subjectsPerMinute": 3, "hold": true});
    folder.write("engine.json", &engine.to_string());
    let Some(mut service) = Service::start(&folder, PUSHED) else {
        return;
    };
    let users: Vec<String> = (0..6).map(|n| format!("user-{n}")).collect();
    for user in &users {
        let set = own.revoked(user);
        let reply = ask(service.signals, "POST", "/events/own", &[SET], Some(&set)).unwrap();
        assert_eq!(reply.status, 202, "kept, whether it acts or waits");
    }
    let refused = |service: &Service| {
        let is_refused = |user: &&String| {
            let token = own.token(user, &json!({}));
            service.authorize(&token, "/").status == 401
        };
        users.iter().filter(is_refused).count()
    };
    assert_eq!(refused(&service), 3);
    assert_eq!(
        service.ready().json()["store"]["held"],
        json!({"https://ssf.example": 3})
    );
    service.restart(&folder);
    assert_eq!(refused(&service), 3, "over a restart too");
    let release = |name: &str| {
        let path = format!("/v1/release/{name}");
        ask(service.administration, "POST", &path, &[], None).unwrap()
    };
    assert_eq!(release("other").status, 404);
    assert_eq!(release("own").json(), json!({"released": 3}));
    assert_eq!(refused(&service), 6);
    assert_eq!(release("own").json(), json!({"released": 0}));
}
