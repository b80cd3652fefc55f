//! `[entra]` that comes, changes and goes while the service runs.

use cae_tests::graph::TENANT;
use cae_tests::service::{Service, ask, wait_for};
use serde_json::json;

use super::own::{ADELE, BRUNO, Setup, now};
use super::policies::block;

#[test]
fn a_tenant_comes_and_goes_with_the_configuration() {
    let setup = Setup::new("entra-reload");
    setup
        .folder
        .write("engine.json", &setup.engine(&json!({})).to_string());
    let plain = "engine = \"engine.json\"\n";
    let Some(service) = Service::start(&setup.folder, plain) else {
        return;
    };
    let file = setup.folder.path().join("cae.toml");
    let listen = std::fs::read_to_string(&file).unwrap().replace(plain, "");
    let with = |entra: &str| format!("{plain}{entra}{listen}");
    let token = setup.token(ADELE, now() - 60);
    let status = || service.authorize(&token, "/").status;
    assert_eq!(status(), 200);
    let sync = || ask(service.administration, "POST", "/v1/entra/sync", &[], None).unwrap();
    assert_eq!(sync().status, 404);
    setup
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    let entra = format!(
        "{}pollSeconds = 1\npolicySeconds = 1\n",
        setup.graph.block()
    );
    setup.folder.write("cae.toml", &with(&entra));
    wait_for("the tenant", || status() == 401);
    assert_eq!(sync().json()["synchronized"], true);
    // What cannot be used changes nothing.
    let faults = || service.ready().json()["configuration"]["faults"].clone();
    setup
        .folder
        .write("cae.toml", &with(&entra.replace(TENANT, "contoso.example")));
    wait_for("the complaint", || {
        faults().to_string().contains("/entra/tenant")
    });
    assert_eq!(sync().json()["synchronized"], true, "it is read as before");
    // Another interval is another reader, of the same tenant.
    setup.folder.write(
        "cae.toml",
        &with(&entra.replace("pollSeconds = 1", "pollSeconds = 2")),
    );
    wait_for("the new one", || faults() == json!([]));
    setup
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": true}));
    let later = setup.token(ADELE, now() + 30);
    wait_for("the way back", || {
        service.authorize(&later, "/").status == 200
    });
    // Without the tenant its policies are gone too.
    {
        let mut state = setup.graph.state();
        state.policies.version += 1;
        state.policies.policies = vec![block(1, "enabled")];
        state.policies.policies[0]["conditions"]["locations"] = json!(null);
    }
    wait_for("the policy", || {
        service.authorize(&later, "/").status == 403
    });
    setup.folder.write("cae.toml", &with(""));
    wait_for("the end of it", || {
        service.authorize(&later, "/").status == 200
    });
    let asked = setup.graph.all().len();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(
        setup.graph.all().len() <= asked + 1,
        "nobody reads it any more"
    );
    assert_eq!(sync().status, 404);
}

#[test]
fn an_issuer_that_is_not_there_is_added() {
    let setup = Setup::new("entra-issuer");
    let block = setup.graph.block();
    // Everything else comes from the tenant: this is the whole configuration.
    let text = format!(
        "[engine.resource]\naudiences = [\"{}\"]\n{block}pollSeconds = 1\n",
        super::own::AUDIENCE
    );
    setup.graph.state().publisher = setup.jwks();
    let Some(service) = Service::start(&setup.folder, &text) else {
        return;
    };
    wait_for("the keys", || service.ready().status == 200);
    let issuer = format!("{}/{TENANT}/v2.0", setup.graph.url());
    let token = setup.token_of(&issuer, ADELE, now() - 60);
    wait_for("the user", || service.authorize(&token, "/").status == 200);
    setup
        .graph
        .state()
        .users
        .set(ADELE, &json!({"accountEnabled": false}));
    wait_for("the refusal", || {
        service.authorize(&token, "/").status == 401
    });
    // One that is named has to be there.
    let named = format!("{text}issuer = \"https://other.example\"\n");
    let file = setup.folder.write("other.toml", &named);
    let check = ["serve", "--check", "--config", file.to_str().unwrap()];
    let output = cae_tests::service::command(&check)
        .unwrap()
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("/entra/issuer: is not among engine.issuers"),
        "{said}"
    );
}

#[test]
fn whoever_vanished_before_a_reload_is_turned_away() {
    let Some(world) = Setup::new("entra-reload-vanished").start(&json!({}), "pollSeconds = 1\n")
    else {
        return;
    };
    wait_for("the first round", || world.has_read("users"));
    let (adele, bruno) = (world.token(ADELE), world.token(BRUNO));
    assert_eq!((world.status(&adele), world.status(&bruno)), (200, 200));
    // Nothing is answered, the delta token does not count any more, and what was deleted is not told.
    {
        let mut state = world.graph.state();
        state.is_out = true;
        state.users.remove(ADELE, "changed");
        state.users.forget();
    }
    let file = world.folder.path().join("cae.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let other = text.replace("pollSeconds = 1", "pollSeconds = 2");
    assert_ne!(text, other);
    world.folder.write("cae.toml", &other);
    wait_for("the new reader", || {
        world.feature("users")["state"] != "read"
    });
    world.graph.state().is_out = false;
    wait_for("the refusal", || world.status(&adele) == 401);
    assert_eq!(world.status(&bruno), 200);
}
