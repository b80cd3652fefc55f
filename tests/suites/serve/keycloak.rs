//! A transmitter with the manners of Keycloak (`ssf.md` §11): one stream a client, which somebody made already; polls that
//! return at once; verification once a minute; nobody's events unless subjects were added.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cae_tests::server::{Asked, Said, Server};
use cae_tests::service::{Folder, Service, wait_for};
use serde_json::{Value, json};

use super::own::{ISSUER, Own, TRANSMITTER};

/// What the transmitter holds.
#[derive(Default)]
struct Realm {
    stream: Option<Value>,
    /// It is not shown in the list, though it is there.
    hidden: bool,
    subjects: Vec<Value>,
    asked_for_patience: bool,
    waiting: Vec<(String, String)>,
    polled: bool,
}

impl Realm {
    fn answer(&mut self, asked: &Asked, origin: &str) -> Said {
        let path = asked.path.split('?').next().unwrap_or_default();
        match (asked.method.as_str(), path) {
            ("GET", "/metadata") => Said::json(&json!({
                "spec_version": "1_0", "issuer": TRANSMITTER, "default_subjects": "NONE",
                "configuration_endpoint": format!("{origin}/streams"),
                "status_endpoint": format!("{origin}/status"),
                "verification_endpoint": format!("{origin}/verify"),
                "add_subject_endpoint": format!("{origin}/subjects"),
            })),
            ("GET", "/streams") => match &self.stream {
                Some(stream) if !self.hidden => Said::json(&json!([stream])),
                _ => Said::status(404, &json!({})),
            },
            ("POST", "/streams") => {
                if self.stream.is_some() {
                    self.hidden = false;
                    return Said::status(409, &json!({}));
                }
                self.replace(asked, origin, 201)
            }
            // Changes are not taken; the whole is.
            ("PATCH", "/streams") => Said::status(405, &json!({})),
            ("PUT", "/streams") => self.replace(asked, origin, 200),
            ("GET", "/status") => Said::json(&json!({"stream_id": "1", "status": "enabled"})),
            ("POST", "/subjects") if !self.asked_for_patience => {
                self.asked_for_patience = true;
                let later = vec![("Retry-After", "6".to_owned())];
                Said::Reply(429, later, String::new())
            }
            ("POST", "/subjects") => {
                self.subjects.push(asked.body["subject"].clone());
                Said::json(&json!({}))
            }
            ("POST", "/verify") => {
                let later = vec![("Retry-After", "60".to_owned())];
                Said::Reply(429, later, String::new())
            }
            ("POST", "/poll") => {
                if !std::mem::replace(&mut self.polled, true) {
                    let later = vec![("Retry-After", "4".to_owned())];
                    return Said::Reply(429, later, String::new());
                }
                let done = asked.body["ack"].as_array().cloned().unwrap_or_default();
                self.waiting
                    .retain(|(jti, _)| !done.iter().any(|it| it == jti));
                let sets: serde_json::Map<String, Value> = self
                    .waiting
                    .iter()
                    .map(|(jti, set)| (jti.clone(), set.clone().into()))
                    .collect();
                Said::json(&json!({"sets": sets}))
            }
            _ => Said::status(404, &json!({})),
        }
    }

    /// Whoever says more than a receiver may is refused.
    fn replace(&mut self, asked: &Asked, origin: &str, status: u16) -> Said {
        let allowed = ["stream_id", "delivery", "events_requested", "description"];
        let members = asked.body.as_object().unwrap();
        if !members.keys().all(|name| allowed.contains(&name.as_str())) {
            return Said::status(400, &json!({}));
        }
        let mut stream = asked.body.clone();
        stream["stream_id"] = "1".into();
        stream["iss"] = TRANSMITTER.into();
        stream["aud"] = "https://api.example".into();
        stream["min_verification_interval"] = 60.into();
        stream["delivery"]["endpoint_url"] = format!("{origin}/poll").into();
        self.stream = Some(stream.clone());
        Said::status(status, &stream)
    }
}

/// A realm that somebody else configured before, for push.
fn administered() -> Realm {
    let stream = json!({
        "stream_id": "1", "iss": TRANSMITTER, "aud": "https://api.example", "events_requested": [],
        "delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://elsewhere.example"},
    });
    Realm {
        stream: Some(stream),
        ..Realm::default()
    }
}

fn start(realm: Realm) -> (Arc<Mutex<Realm>>, Server) {
    let realm = Arc::new(Mutex::new(realm));
    let state = Arc::clone(&realm);
    // The answers name the server itself, whose port is not known before.
    let origin = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&origin);
    let server = Server::start(move |asked| {
        let origin = own.lock().unwrap().clone();
        state.lock().unwrap().answer(asked, &origin)
    });
    *origin.lock().unwrap() = server.url();
    (realm, server)
}

fn serve(folder: &Folder, own: &Own, server: &Server) -> Option<Service> {
    let engine = own.engine(&json!({}), &json!([]));
    folder.write("engine.json", &engine.to_string());
    folder.write("token", "any");
    let configuration = format!(
        "engine = \"engine.json\"\n[[transmitter]]\nname = \"realm\"\nissuer = \"{TRANSMITTER}\"\ndelivery = \"poll\"\n\
         metadataUri = \"{}/metadata\"\npollIntervalSeconds = 1\nverifyEverySeconds = 1\naccessTokenFile = \"token\"\n\
         subjects = [{{ format = \"iss_sub\", iss = \"{ISSUER}\", sub = \"adele\" }}]\n",
        server.url()
    );
    Service::start(folder, &configuration)
}

#[test]
fn a_stream_of_somebody_else_is_adopted_replaced_and_polled_with_patience() {
    let folder = Folder::new("keycloak");
    let own = Own::new();
    let (realm, server) = start(administered());
    let Some(service) = serve(&folder, &own, &server) else {
        return;
    };
    wait_for("the stream to be replaced", || {
        !server.asked("PUT", "/streams").is_empty()
    });
    assert_eq!(server.asked("PATCH", "/streams").len(), 1, "tried first");
    assert!(server.asked("POST", "/streams").is_empty(), "adopted");
    let wanted = realm.lock().unwrap().stream.clone().unwrap();
    assert_eq!(wanted["delivery"]["method"], "urn:ietf:rfc:8936");
    assert!(!wanted["events_requested"].as_array().unwrap().is_empty());
    let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": "adele"});
    let token = own.token("adele", &json!({}));
    assert_eq!(service.authorize(&token, "/").status, 200);

    wait_for("the second poll", || {
        server.asked("POST", "/poll").len() >= 2
    });
    let polls = server.asked("POST", "/poll");
    let patience = polls[1].at - polls[0].at;
    assert!(patience >= Duration::from_secs(4), "{patience:?}");
    let set = own.revoked("adele");
    realm
        .lock()
        .unwrap()
        .waiting
        .push((own.jti(&set), set.clone()));
    wait_for("the event", || service.authorize(&token, "/").status == 401);
    wait_for("the acknowledgement", || {
        realm.lock().unwrap().waiting.is_empty()
    });

    wait_for("the subject", || {
        realm.lock().unwrap().subjects.contains(&subject)
    });
    let subjects = server.asked("POST", "/subjects");
    assert_eq!(subjects.len(), 2, "429, then added");
    assert!(subjects[1].at - subjects[0].at >= Duration::from_secs(6));
    assert!(
        polls[1].at < subjects[1].at,
        "polls do not wait for subjects"
    );

    let before = server.asked("POST", "/poll").len();
    thread::sleep(Duration::from_secs(3));
    let after = server.asked("POST", "/poll").len();
    assert!(
        after - before <= 4,
        "{} polls in three seconds",
        after - before
    );
    let verifications = server.asked("POST", "/verify").len();
    assert!(verifications <= 2, "{verifications}: 429 said to wait");
}

#[test]
fn whoever_was_faster_made_the_stream_and_that_is_good_enough() {
    let folder = Folder::new("keycloak-409");
    let own = Own::new();
    let hidden = Realm {
        hidden: true,
        ..administered()
    };
    let (realm, server) = start(hidden);
    let Some(service) = serve(&folder, &own, &server) else {
        return;
    };
    wait_for("a stream for polling", || {
        let realm = realm.lock().unwrap();
        realm.stream.as_ref().unwrap()["delivery"]["method"] == "urn:ietf:rfc:8936"
    });
    assert_eq!(server.asked("POST", "/streams").len(), 1, "409, once");
    wait_for("polls", || server.asked("POST", "/poll").len() >= 2);
    assert_eq!(service.ready().status, 200, "{}", service.ready().body);
}

#[test]
fn a_stream_that_its_transmitter_pauses_is_stale_at_once() {
    let folder = Folder::new("keycloak-paused");
    let own = Own::new();
    let (realm, server) = start(Realm::default());
    let Some(service) = serve(&folder, &own, &server) else {
        return;
    };
    wait_for("the stream", || realm.lock().unwrap().stream.is_some());
    let status = |status: &str| {
        let set = own.about_stream("stream-updated", &json!({"status": status}));
        let jti = own.jti(&set);
        realm.lock().unwrap().waiting.push((jti, set));
    };
    let stale = || service.ready().json()["transmitters"][0]["stale"] == true;
    wait_for("signals", || !stale());
    status("paused");
    wait_for("a stale stream", stale);
    status("enabled");
    wait_for("signals again", || !stale());
}
