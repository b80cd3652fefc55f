//! Hours of a tenant in simulated time: no thread, no clock, no network.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "times of a test, which stay small"
)]

mod simulated;

use std::path::PathBuf;

use cae_core::decision::DirectoryFacts;
use cae_core::state::SubjectKind;
use cae_core::state::key::NameSpace;
use cae_core::token::subject_keys::subject_key;

use self::simulated::{Simulated, Sky, Weather};
use super::*;
use crate::entra::directory::View;
use crate::entra::facts::What;
use crate::serve::settings::entra::{Credential, Notifications};

const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const USER: &str = "ad000000-0000-4000-8000-0000000000a1";
const BY: TransmitterId = TransmitterId([1; 8]);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn reader(name: &str) -> (PathBuf, Reader) {
    reader_from(name, &[])
}

fn reader_from(name: &str, notes: &[(String, Vec<u8>)]) -> (PathBuf, Reader) {
    let (secret, settings) = settings(name);
    (secret, reader_of(settings, notes))
}

fn reader_of(settings: Entra, notes: &[(String, Vec<u8>)]) -> Reader {
    let shared = Arc::new(Shared {
        status: Status::default(),
        policies: Policies::default(),
        subscription: Subscription::default(),
        directory: Arc::default(),
    });
    Reader::new(settings, BY, shared, notes)
}

fn settings(name: &str) -> (PathBuf, Entra) {
    let secret = std::env::temp_dir().join(format!("cae-entra-{}-{name}", std::process::id()));
    std::fs::write(&secret, "secret").unwrap();
    let settings = Entra {
        tenant: TENANT.to_owned(),
        client_id: "00001111-aaaa-2222-bbbb-3333cccc4444".to_owned(),
        credential: Credential::Secret(secret.clone()),
        login: "https://login.example".to_owned(),
        issuers: "https://login.example".to_owned(),
        graph: "https://graph.example".to_owned(),
        issuer: None,
        features: Feature::all().collect(),
        poll_every: MINUTE,
        policies_every: 10 * MINUTE,
        notifications: None,
        most_users: 10,
        most_memberships: 10,
    };
    (secret, settings)
}

#[test]
fn an_hour_of_outage_costs_few_requests_and_nothing_is_missed() {
    const FROM: Duration = Duration::from_secs(600);
    let to = FROM + HOUR;
    let weather: Weather = |now| {
        if (FROM..FROM + HOUR).contains(&now) {
            Sky::Out
        } else {
            Sky::Clear
        }
    };
    let world = Simulated::new(weather, FROM + 20 * MINUTE);
    let (secret, mut reader) = reader("outage");
    world.live(&mut reader, to + 10 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let during = world.asks_between(FROM, to);
    // Eight features, each every few minutes at last.
    assert!((8..400).contains(&during.len()), "{}", during.len());
    let later = world.asks_between(FROM + 20 * MINUTE, to).len();
    assert!(later < 40 * 8, "{later} in 40 minutes");
    let learned: Vec<Duration> = world.facts.borrow().iter().map(|(at, _)| *at).collect();
    let [learned] = learned.as_slice() else {
        panic!("{learned:?}");
    };
    assert!(*learned >= to && *learned < to + 5 * MINUTE, "{learned:?}");
    // The first answer wakes everybody: five minutes later every feature is read again.
    for (name, condition) in reader.shared.status.features() {
        assert_eq!((condition.off, condition.problem), (None, None), "{name}");
    }
    // Each feature complained once, not each time.
    let told = world.told.borrow();
    assert!(told.len() <= 3 * 8, "{told:#?}");
}

#[test]
fn minutes_of_throttling_are_kept_to_by_everybody() {
    const FROM: Duration = Duration::from_secs(300);
    const WAIT: u64 = 30;
    let to = FROM + 10 * MINUTE;
    let weather: Weather = |now| {
        if (FROM..FROM + 10 * MINUTE).contains(&now) {
            Sky::Throttling(Some(WAIT))
        } else {
            Sky::Clear
        }
    };
    let world = Simulated::new(weather, FROM + MINUTE);
    let (secret, mut reader) = reader("throttled");
    world.live(&mut reader, to + 10 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let during = world.asks_between(FROM, to);
    for pair in during.windows(2) {
        let gap = pair[1].0 - pair[0].0;
        assert!(gap >= Duration::from_secs(WAIT), "{gap:?} between {pair:?}");
    }
    assert!((2..=21).contains(&during.len()), "{}", during.len());
    let learned = world.facts.borrow().first().map(|(at, _)| *at).unwrap();
    assert!(learned < to + 5 * MINUTE, "{learned:?}");
}

#[test]
fn a_throttle_that_names_no_time_is_no_invitation() {
    let world = Simulated::new(
        |now| {
            if now < 5 * MINUTE {
                Sky::Throttling(None)
            } else {
                Sky::Clear
            }
        },
        MINUTE,
    );
    let (secret, mut reader) = reader("untimed");
    world.live(&mut reader, 15 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let during = world.asks_between(Duration::ZERO, 5 * MINUTE);
    assert!(during.len() <= 12, "{}", during.len());
    assert_eq!(world.facts.borrow().len(), 1);
}

#[test]
fn a_quiet_hour_is_a_few_requests_a_minute() {
    let world = Simulated::new(|_| Sky::Clear, 10 * HOUR);
    let (secret, mut reader) = reader("quiet");
    world.live(&mut reader, HOUR);
    std::fs::remove_file(secret).unwrap();
    let asked = world.asked.borrow().len();
    // Seven features a minute, less groups that nobody wants; four collections of policies every ten minutes; tokens.
    assert!((300..=7 * 61 + 4 * 7 + 3).contains(&asked), "{asked}");
    assert!(world.told.borrow().is_empty(), "{:?}", world.told.borrow());
}

#[test]
fn pages_without_an_end_are_no_loop_without_an_end() {
    let world = Simulated::new(
        |now| {
            if now < 10 * MINUTE {
                Sky::Circling
            } else {
                Sky::Clear
            }
        },
        MINUTE,
    );
    let (secret, mut reader) = reader("circling");
    world.live(&mut reader, 20 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let during = world.asks_between(Duration::ZERO, 10 * MINUTE).len();
    assert!(during < 150, "{during}");
    assert_eq!(world.facts.borrow().len(), 1);
}

#[test]
fn what_cannot_be_kept_is_learned_again() {
    let world = Simulated::new(|_| Sky::Clear, MINUTE);
    let (secret, mut reader) = reader("full");
    world.full.set(true);
    world.live(&mut reader, 10 * MINUTE);
    assert!(world.facts.borrow().is_empty());
    let links = |world: &Simulated| {
        world
            .asks_between(MINUTE, world.elapsed.get())
            .iter()
            .filter(|(_, url, _)| url.contains("/users/delta"))
            .count()
    };
    assert!((3..20).contains(&links(&world)), "{}", links(&world));
    world.full.set(false);
    world.live(&mut reader, 6 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    assert_eq!(world.facts.borrow().len(), 1);
}

#[test]
fn memberships_that_may_not_be_read_any_more_grow_old() {
    let mut world = Simulated::new(
        |now| {
            if now < 10 * MINUTE {
                Sky::Clear
            } else {
                Sky::Forbidding("groups/delta")
            }
        },
        100 * HOUR,
    );
    world.wanted.groups = ["96000000-0000-4000-8000-000000000001".to_owned()].into();
    let (secret, mut reader) = reader("withdrawn");
    let view = View::new(Arc::clone(&reader.shared.directory), world.wanted.clone());
    let key = subject_key("", SubjectKind::User, NameSpace::Native, USER);
    let known = || {
        view.complete(&[key], DirectoryFacts::default(), world.now(), |facts| {
            (facts.member_of.is_some(), facts.user_type.is_some())
        })
    };
    world.live(&mut reader, 9 * MINUTE);
    assert_eq!(known(), (true, true));
    world.live(&mut reader, 23 * HOUR);
    assert_eq!(known(), (true, true), "Entra itself takes up to a day");
    world.live(&mut reader, 2 * HOUR);
    std::fs::remove_file(secret).unwrap();
    assert_eq!(known(), (false, true), "the users are still read");
}

#[test]
fn a_link_that_is_refused_for_good_is_let_go() {
    let skies: [Weather; 3] = [
        |_| Sky::Refusing(400, "Request_BadRequest"),
        |_| Sky::Refusing(400, "Directory_ExpiredPageToken"),
        |_| Sky::Refusing(404, "Request_ResourceNotFound"),
    ];
    for (number, weather) in skies.into_iter().enumerate() {
        let world = Simulated::new(weather, 5 * MINUTE);
        let (secret, mut reader) = reader(&format!("refused-{number}"));
        world.live(&mut reader, 30 * MINUTE);
        std::fs::remove_file(secret).unwrap();
        let learned = world.facts.borrow().first().map(|(at, _)| *at);
        assert!(
            learned.is_some_and(|at| at < 12 * MINUTE),
            "{number}: {learned:?}"
        );
        let asked = world.asked.borrow().len();
        assert!(asked < 12 * 30, "{number}: {asked}");
    }
}

#[test]
fn a_link_to_another_graph_is_let_go() {
    let world = Simulated::new(|_| Sky::Clear, MINUTE);
    let link = |name: &str| {
        let url = format!("https://elsewhere.example/v1.0/{name}/delta?$deltatoken=7");
        (format!("entra/{TENANT}/link/{name}"), url.into_bytes())
    };
    let notes = [link("users"), link("applications")];
    let (secret, mut reader) = reader_from("elsewhere", &notes);
    world.live(&mut reader, 5 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    assert_eq!(world.facts.borrow().len(), 1);
    for (name, condition) in reader.shared.status.features() {
        assert_eq!(condition.problem, None, "{name}");
    }
    let asked = world.asked.borrow();
    assert!(asked.iter().all(|(_, url, _)| !url.contains("elsewhere")));
}

#[test]
fn a_round_that_always_breaks_off_is_no_hot_loop() {
    let skies: [(&str, Weather); 2] = [
        ("breaking", |_| Sky::Breaking),
        ("swinging", |_| Sky::Swinging),
    ];
    for (name, weather) in skies {
        let world = Simulated::new(weather, HOUR);
        let (secret, mut reader) = reader(name);
        world.live(&mut reader, HOUR);
        std::fs::remove_file(secret).unwrap();
        let asked = world.asked.borrow();
        let rounds = asked
            .iter()
            .filter(|(_, url, _)| url.contains("/users/delta"));
        let rounds = rounds.count();
        assert!((10..150).contains(&rounds), "{name}: {rounds}");
        let told = world.told.borrow().len();
        assert!(told < 20, "{name}: {told}");
    }
}

#[test]
fn what_could_not_be_written_down_is_written_later() {
    let world = Simulated::new(|_| Sky::Clear, HOUR);
    let (secret, mut reader) = reader("deaf");
    world.deaf.set(true);
    world.live(&mut reader, 5 * MINUTE);
    assert!(world.notes.borrow().is_empty());
    world.deaf.set(false);
    world.live(&mut reader, 5 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let notes = world.notes.borrow();
    assert!(
        notes.contains_key(&format!("entra/{TENANT}/users/ad")),
        "{notes:?}"
    );
    assert!(notes.contains_key(&format!("entra/{TENANT}/link/users")));
    let applications = notes.get(&format!("entra/{TENANT}/applications"));
    assert_eq!(applications.map(Vec::len), Some(32));
}

#[test]
fn a_clock_that_is_set_back_stops_nobody() {
    let mut world = Simulated::new(|_| Sky::Clear, 10 * MINUTE);
    world.enabled_at = 20 * MINUTE;
    let (secret, mut reader) = reader("set-back");
    world.live(&mut reader, 15 * MINUTE);
    assert_eq!(world.facts.borrow().len(), 1, "disabled");
    // What is known is of the future now: for an hour nothing milder can be said.
    world.set_back.set(3_600);
    let before = world.asked.borrow().len();
    world.live(&mut reader, 20 * MINUTE);
    assert_eq!(world.facts.borrow().len(), 1);
    let asked = world.asked.borrow().len() - before;
    assert!(asked > 7 * 18, "everything is read as ever: {asked}");
    world.live(&mut reader, 50 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let facts = world.facts.borrow();
    assert_eq!(facts.len(), 2);
    assert_eq!(facts.last().map(|(_, fact)| fact.what), Some(What::Enabled));
}

#[test]
fn a_subscription_is_renewed_in_the_time_that_was_given() {
    let world = Simulated::new(|_| Sky::Clear, 10 * HOUR);
    let (secret, mut settings) = settings("subscribed");
    settings.notifications = Some(Notifications {
        uri: "https://cae.example/entra/notifications".to_owned(),
        lifetime: 70 * HOUR,
        encryption: None,
    });
    let mut reader = reader_of(settings, &[]);
    world.live(&mut reader, 2 * HOUR);
    std::fs::remove_file(secret).unwrap();
    let asked = world.asked.borrow();
    let at = |part: &str| -> Vec<Duration> {
        let found = asked.iter().filter(|(_, url, _)| url.ends_with(part));
        found.map(|(at, ..)| *at).collect()
    };
    // Those that are there are looked at, then one is made, once.
    assert_eq!(at("/subscriptions").len(), 2);
    let renewed = at("/subscriptions/made");
    assert!((10..=12).contains(&renewed.len()), "{renewed:?}");
    let expires = reader.shared.subscription.shown().expires.unwrap();
    assert!(expires > world.now().as_secs());
}

#[test]
fn a_pause_of_the_token_endpoint_is_kept_to_by_everybody() {
    let weather: Weather = |now| match now < 20 * MINUTE {
        true => Sky::TokenPause(120),
        false => Sky::Clear,
    };
    let world = Simulated::new(weather, MINUTE);
    let (secret, mut reader) = reader("token-pause");
    world.live(&mut reader, 30 * MINUTE);
    std::fs::remove_file(secret).unwrap();
    let during = world.asks_between(Duration::ZERO, 20 * MINUTE);
    for pair in during.windows(2) {
        let gap = pair[1].0 - pair[0].0;
        assert!(gap >= 2 * MINUTE, "{gap:?} between {pair:?}");
    }
    assert!(during.len() >= 2, "{}", during.len());
    assert_eq!(world.facts.borrow().len(), 1);
}

#[test]
fn what_the_token_endpoint_says_is_cut() {
    let world = Simulated::new(|_| Sky::TokenRefusal, MINUTE);
    let (secret, mut reader) = reader("token-refusal");
    world.live(&mut reader, MINUTE);
    std::fs::remove_file(secret).unwrap();
    let told = world.told.borrow();
    assert!(told.iter().any(|line| line.contains("xxx")), "{told:?}");
    assert!(told.iter().all(|line| line.len() < 500), "{told:?}");
}

#[test]
fn who_waits_for_everything_is_bounded() {
    let world = Simulated::new(|_| Sky::Out, MINUTE);
    let (secret, mut reader) = reader("waiting");
    let ask = |reader: &mut Reader| {
        let (answer, answered) = tokio::sync::oneshot::channel();
        reader.take(
            &world,
            Mail {
                everything: vec![answer],
                ..Mail::default()
            },
        );
        answered
    };
    // Those who hung up are forgotten, of the others not more than so many are kept.
    for _ in 0..1_000 {
        drop(ask(&mut reader));
    }
    assert!(reader.waiting.len() <= 1);
    let patient: Vec<_> = (0..1_000).map(|_| ask(&mut reader)).collect();
    std::fs::remove_file(secret).unwrap();
    assert_eq!((reader.waiting.len(), patient.len()), (MOST_WAITING, 1_000));
}
