//! The policy simulator on the administration listener: a static page, with the policies in force in it.

use cae_tests::service::{Folder, Service, ask, wait_for};
use serde_json::{Value, json};

use super::own::{Own, PUSHED};

const PAGE: &str = "<!doctype html><html><head><title>t</title></head><body></body></html>";

fn policy(name: &str) -> Value {
    json!({
        "id": "11111111-1111-1111-1111-111111111111", "displayName": name, "state": "disabled",
        "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    })
}

/// What the page holds as data.
fn live(page: &str) -> Value {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"live\">")
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn the_page_holds_the_policies_in_force_and_no_other_file_is_served() {
    let folder = Folder::new("simulator");
    let own = Own::new();
    let hostile = "</script><img src=x onerror=alert(1)>";
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([policy(hostile)]))
            .to_string(),
    );
    std::fs::create_dir_all(folder.path().join("page/assets")).unwrap();
    folder.write("page/index.html", PAGE);
    folder.write("page/assets/a-1.js", "export {};");
    folder.write("outside.json", "{}");
    std::os::unix::fs::symlink(
        folder.path().join("outside.json"),
        folder.path().join("page/link.json"),
    )
    .unwrap();
    let configuration = PUSHED.replacen("[[", "[administration]\nsimulator = \"page\"\n[[", 1);
    let Some(service) = Service::start(&folder, &configuration) else {
        return;
    };
    let get = |path: &str| ask(service.administration, "GET", path, &[], None).unwrap();

    let page = get("/simulator/");
    assert_eq!(page.status, 200);
    assert_eq!(live(&page.body)["policies"][0]["displayName"], hostile);
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(!page.body.contains("jwks"), "{}", page.body);
    let header = |name: &str| page.header(name).unwrap_or_default().to_owned();
    assert!(header("content-security-policy").contains("connect-src 'self'"));
    assert!(!header("content-security-policy").contains("unsafe-inline"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("content-type").starts_with("text/html"));

    let moved = get("/simulator");
    assert_eq!(
        (moved.status, moved.header("location")),
        (308, Some("/simulator/"))
    );
    let part = get("/simulator/assets/a-1.js");
    assert_eq!((part.status, part.body.as_str()), (200, "export {};"));
    for path in [
        "/simulator/../cae.toml",
        "/simulator/assets/../../engine.json",
        "/simulator/%2e%2e/engine.json",
        "/simulator/link.json",
        "/simulator/assets",
        "/simulator/absent.js",
        "/simulator//etc/passwd",
    ] {
        assert_eq!(get(path).status, 404, "{path}");
    }
    let elsewhere = ask(service.authorization, "GET", "/simulator/", &[], None).unwrap();
    assert_eq!(elsewhere.status, 404);

    // What a reload brings stands in the page when it is asked for again.
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([policy("another")]))
            .to_string(),
    );
    wait_for("the new policies in the page", || {
        live(&get("/simulator/").body)["policies"][0]["displayName"] == "another"
    });
}

#[test]
fn without_the_setting_there_is_no_page_and_a_folder_without_one_is_a_fault() {
    let folder = Folder::new("no-simulator");
    let own = Own::new();
    folder.write(
        "engine.json",
        &own.engine(&json!({}), &json!([])).to_string(),
    );
    let Some(service) = Service::start(&folder, PUSHED) else {
        return;
    };
    let reply = ask(service.administration, "GET", "/simulator/", &[], None).unwrap();
    assert_eq!(reply.status, 404);
    drop(service);

    let configuration = PUSHED.replacen("[[", "[administration]\nsimulator = \"nothing\"\n[[", 1);
    let file = folder.write("cae.toml", &configuration);
    let mut command = cae_tests::service::command(&["serve", "--check", "--config"]).unwrap();
    let output = command.arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("administration.simulator"), "{said}");
}
