//! What the engine costs, native and through the component; ends with a table of every bench beside the empty component
//! call. On a busy machine look at the fastest samples: others only ever add to them.
//!
//! Inputs are fixed: 100 policies of which 8 concern the token, 25 named locations with 5,000 ranges, records of a
//! million users.
#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly"
)]

use std::cell::LazyCell;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cae_core::configuration::Configuration;
use cae_core::decision::{Answers, Outcome, RecordAnswer, Request};
use cae_core::engine::{
    Begun, Conversation, Decided, Detail, EventReading, Handle, SignatureAnswer,
};
use cae_core::policy::{Facts, Identity, Target};
use cae_core::state::key::NameSpace;
use cae_core::state::record::{Cause, Entry};
use cae_core::state::{Record, StateKey, StateTable, SubjectKind};
use cae_core::time::EventTime;
use cae_core::token::UserType;
use cae_core::token::subject_keys::subject_key;
use cae_core::{Engine, UnixTime};
use cae_host_runner::component::{Artefact, Bounds, EngineComponent, WasmEngine};
use cae_tests::{places, world};
use criterion::{Criterion, criterion_group};
use serde_json::{Value, json};

const USERS: usize = 1_000_000;
/// Tokens in use at a time, their users spread over all users.
const TOKENS: usize = 10_000;
const NOW: UnixTime = UnixTime::from_secs(world::START + 600);
/// In the first named location.
const ADDRESS: &str = "20.64.7.77";
const GROUPS: [&str; 2] = [
    "50000000-0000-4000-8000-000000000001",
    "50000000-0000-4000-8000-000000000002",
];
const ROLE: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";

/// 25 locations of 200 ranges each; the ranges do not touch, so that none melt together.
fn named_locations() -> Value {
    let location = |index: usize| {
        let ranges: Vec<Value> = (0..200)
            .map(|range| {
                let address = format!("20.{}.{range}.0/25", 64 + index);
                json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": address})
            })
            .collect();
        json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "id": format!("10000000-0000-4000-8000-{index:012}"),
            "displayName": format!("Location {index}"),
            "isTrusted": index == 0,
            "ipRanges": ranges,
        })
    };
    (0..25).map(location).collect()
}

/// 8 for everybody, 92 for groups that the user is not in.
fn policies() -> Value {
    let policy = |index: usize| {
        let everybody = index.is_multiple_of(12) && index < 96;
        let users = if everybody {
            json!({"includeUsers": ["All"]})
        } else {
            json!({"includeGroups": [format!("20000000-0000-4000-8000-{index:012}")]})
        };
        let mut conditions = json!({
            "users": users,
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        });
        let controls = match index % 4 {
            0 if index.is_multiple_of(24) => {
                conditions["locations"] =
                    json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
                "block"
            }
            0 => "mfa",
            _ => {
                conditions["locations"] = json!({"includeLocations": [format!("10000000-0000-4000-8000-{:012}", index % 25)]});
                "block"
            }
        };
        json!({
            "id": format!("30000000-0000-4000-8000-{index:012}"),
            "displayName": format!("Policy {index}"),
            "state": "enabled",
            "modifiedDateTime": "2026-01-01T00:00:00Z",
            "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": [controls]},
        })
    };
    (0..100).map(policy).collect()
}

fn configuration() -> String {
    world::configuration(&policies(), &named_locations(), &json!({})).to_string()
}

fn user(index: usize) -> String {
    format!("40000000-0000-4000-8000-{index:012}")
}

/// About 1.2 KB, as in the field.
fn token(index: usize) -> String {
    let claims = json!({
        "oid": user(index), "uti": format!("token-{index}"), "sid": format!("session-{index}"),
        "xms_cc": ["cp1"], "xms_ssm": "1", "amr": ["pwd", "mfa"], "auth_time": world::START,
        "groups": GROUPS, "wids": [ROLE], "name": "Adele Vance", "ipaddr": ADDRESS,
        "preferred_username": "adele@contoso.example", "aio": "A".repeat(200), "rh": "0.A".repeat(20),
    });
    world::token(world::START, &claims)
}

fn request() -> Request<'static> {
    Request {
        now: NOW,
        client_ip: Some(ADDRESS),
        path: Some("/orders/7"),
        ..Request::default()
    }
}

/// A session of another device was revoked an hour before the token was issued: looked at, and no reason.
fn record() -> Record {
    let at = EventTime::from(UnixTime::from_secs(world::START - 3_600));
    Record {
        cut_off: Some(Entry {
            at,
            issued: at.floor(),
            value: Cause::SessionRevoked,
        }),
        ..Record::default()
    }
}

/// A record of every user, under the key that a token of the user asks for.
fn million_records() -> StateTable {
    let mut table = StateTable::default();
    for user in (0..USERS).map(user) {
        let key = subject_key(world::TENANT, SubjectKind::User, NameSpace::Native, &user);
        table.merge(&key, &record());
    }
    table
}

/// How many policies the facts of the token leave.
fn candidates(engine: &Engine) -> usize {
    let facts = Facts {
        identity: Identity::User(Some(&user(0))),
        member_of: Some(&GROUPS.map(String::from)),
        roles: Some(&[ROLE.into()]),
        user_type: Some(UserType::Member),
        target: Target::Application(Some(world::APPLICATION)),
        ..Facts::UNKNOWN
    };
    engine.configuration().issuers[0]
        .policies
        .candidates(&facts)
        .len()
}

/// A token that began and was verified, and the records that its decision needs.
fn begun<C: Conversation>(engine: &mut C, token: &str) -> (Handle, Vec<StateKey>) {
    let Ok(Begun::Needs { handle, needs }) = engine.begin(token, NOW, Detail::None) else {
        panic!("refused")
    };
    let none = vec![RecordAnswer::None; needs.records.len()];
    let answers = Answers {
        signature: Some(true),
        confirmed: None,
        records: &none,
    };
    match engine.decide(handle, &request(), &answers, Detail::None) {
        Ok(Decided::Verdict(verdict)) => {
            assert_eq!(verdict.outcome, Outcome::Allow, "{:?}", verdict.reasons)
        }
        _ => panic!("no decision"),
    }
    (handle, needs.records)
}

/// The floor under every call of the component: an unknown handle crosses, finds nothing and comes back.
fn empty_call(criterion: &mut Criterion, engine: &mut WasmEngine) {
    let request = Request {
        now: NOW,
        ..Request::default()
    };
    criterion.bench_function(EMPTY, |bencher| {
        bencher.iter(|| {
            engine
                .decide(Handle(0), &request, &Answers::default(), Detail::None)
                .is_ok()
        });
    });
}

fn decide_hot<C: Conversation>(criterion: &mut Criterion, name: &str, engine: &mut C) {
    let (handle, keys) = begun(engine, &token(0));
    let bytes = record().to_bytes();
    let mut records = vec![RecordAnswer::None; keys.len()];
    records[0] = RecordAnswer::Found(&bytes);
    let answers = Answers {
        signature: None,
        confirmed: None,
        records: &records,
    };
    criterion.bench_function(&format!("{name} decide, hot"), |bencher| {
        bencher.iter(|| {
            let (request, answers) = (black_box(request()), black_box(&answers));
            engine
                .decide(handle, &request, answers, Detail::None)
                .is_ok()
        });
    });
}

/// Another token each time, its records looked up in the state of a million users.
fn decide_cold<C: Conversation>(
    criterion: &mut Criterion,
    name: &str,
    engine: &mut C,
    table: &LazyCell<StateTable>,
) {
    let (mut tokens, mut next) = (Vec::new(), 0_usize);
    criterion.bench_function(&format!("{name} decide, cold"), |bencher| {
        if tokens.is_empty() {
            let indices = (0..USERS).step_by(USERS / TOKENS);
            tokens.extend(indices.map(|index| begun(engine, &token(index))));
        }
        let table: &StateTable = table;
        bencher.iter(|| {
            next = (next + 7_919) % tokens.len();
            let (handle, keys) = &tokens[next];
            let records: Vec<RecordAnswer<'_>> = keys
                .iter()
                .map(|key| {
                    table
                        .bytes(key)
                        .map_or(RecordAnswer::None, RecordAnswer::Found)
                })
                .collect();
            let answers = Answers {
                signature: None,
                confirmed: None,
                records: &records,
            };
            engine
                .decide(*handle, &request(), &answers, Detail::None)
                .is_ok()
        });
    });
}

/// Known: the handle is found. Unknown: parsed, claims read, candidates resolved.
fn begin<C: Conversation>(criterion: &mut Criterion, name: &str, engine: &mut C) {
    let known = token(0);
    begun(engine, &known);
    criterion.bench_function(&format!("{name} begin, known token"), |bencher| {
        bencher.iter(|| engine.begin(black_box(&known), NOW, Detail::None).is_ok());
    });
    // More than the engine keeps unverified at a time: each is forgotten before it comes again.
    let unknown: Vec<String> = (0..2_000).map(|index| token(USERS + index)).collect();
    let mut next = 0_usize;
    criterion.bench_function(&format!("{name} begin, unknown token"), |bencher| {
        bencher.iter(|| {
            next = (next + 1) % unknown.len();
            engine.begin(&unknown[next], NOW, Detail::None).is_ok()
        });
    });
}

/// A session-revoked event whose signature is good, read and merged into the state.
fn event<C: Conversation>(criterion: &mut Criterion, name: &str, engine: &mut C) {
    let set = world::event(
        "caep/event-type/session-revoked",
        world::START,
        &json!({"reason_admin": {"en": "Landspeed Policy Violation: C076E82F"}}),
    );
    let mut table = StateTable::default();
    criterion.bench_function(&format!("{name} event, read and merge"), |bencher| {
        bencher.iter(|| {
            let reading = engine.read_event(black_box(&set), NOW, SignatureAnswer::Valid);
            let Ok(EventReading::Accepted(event)) = reading else {
                panic!("rejected")
            };
            assert!(!event.changes.is_empty());
            for change in &event.changes {
                table.merge_bytes(&change.key, &change.record).unwrap();
            }
        });
    });
    let bytes = record().to_bytes();
    criterion.bench_function(&format!("{name} merge, two records"), |bencher| {
        bencher.iter(|| engine.merge(black_box(&bytes), black_box(&bytes)).is_ok());
    });
}

fn engine_benches(criterion: &mut Criterion) {
    let configuration = configuration();
    let artefact = places::root().join("target/cae/cae.component.wasm");
    let artefact = Artefact::from_file(&artefact).unwrap();
    let component = EngineComponent::load(&artefact, Bounds::batch()).unwrap();
    let mut native = Engine::new(&configuration, 1).unwrap();
    let mut wasm = WasmEngine::new(component, &configuration).unwrap();
    let left = candidates(&native);
    println!(
        "100 policies, {left} of them candidates; a token of {} bytes",
        token(0).len()
    );
    assert_eq!(left, 8, "the inputs changed");

    empty_call(criterion, &mut wasm);
    decide_hot(criterion, "native", &mut native);
    decide_hot(criterion, "component", &mut wasm);

    let table: LazyCell<StateTable> = LazyCell::new(million_records);
    decide_cold(criterion, "native", &mut native, &table);
    decide_cold(criterion, "component", &mut wasm, &table);

    begin(criterion, "native", &mut native);
    begin(criterion, "component", &mut wasm);
    event(criterion, "native", &mut native);
    event(criterion, "component", &mut wasm);

    criterion.bench_function("native policy compile", |bencher| {
        bencher.iter(|| Configuration::read(black_box(&configuration)).is_ok());
    });
}

/// The yardstick.
const EMPTY: &str = "component, empty call";

/// Every bench of this run beside the empty component call, from criterion's own files.
fn print_ratios(since: SystemTime) {
    let folder = places::root().join("target/criterion");
    let Ok(entries) = fs::read_dir(&folder) else {
        return;
    };
    let mut rows: Vec<Row> = entries
        .filter_map(|entry| Row::read(&entry.ok()?.path().join("new"), since))
        .collect();
    rows.sort_by(|a, b| a.fastest.total_cmp(&b.fastest));
    let Some(empty) = rows.iter().find(|row| row.name == EMPTY) else {
        return;
    };
    println!(
        "\n{:<34} {:>10} {:>10} {:>9}",
        "", "median ns", "fastest ns", "ratio"
    );
    for row in &rows {
        let ratio = row.fastest / empty.fastest;
        println!(
            "{:<34} {:>10.0} {:>10.0} {ratio:>9.2}",
            row.name, row.median, row.fastest
        );
    }
}

/// One bench; times in nanoseconds.
struct Row {
    name: String,
    median: f64,
    fastest: f64,
}

impl Row {
    /// What criterion wrote about one bench, if it was written since then.
    fn read(folder: &Path, since: SystemTime) -> Option<Self> {
        let estimates = folder.join("estimates.json");
        if fs::metadata(&estimates).ok()?.modified().ok()? < since {
            return None;
        }
        let read = |file: &Path| -> Option<Value> {
            serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
        };
        let sample = read(&folder.join("sample.json"))?;
        let numbers = |name: &str| -> Option<Vec<f64>> {
            sample[name].as_array()?.iter().map(Value::as_f64).collect()
        };
        let per_iteration = numbers("times")?
            .into_iter()
            .zip(numbers("iters")?)
            .map(|(time, iterations)| time / iterations);
        Some(Self {
            name: read(&folder.join("benchmark.json"))?["full_id"]
                .as_str()?
                .to_owned(),
            median: read(&estimates)?["median"]["point_estimate"].as_f64()?,
            fastest: per_iteration.min_by(f64::total_cmp)?,
        })
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().output_directory(&places::root().join("target/criterion"))
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = engine_benches
}

fn main() {
    let start = SystemTime::now();
    benches();
    Criterion::default().configure_from_args().final_summary();
    print_ratios(start);
}
