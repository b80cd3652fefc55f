//! What the engine costs, native and through the component. Prints ratios to the empty component call at the end.
//!
//! Inputs are fixed: 100 policies of which 8 concern the token, 25 named locations with 5,000 ranges, records of a
//! million users.
#![allow(
    missing_docs,
    reason = "criterion's macros generate undocumented items"
)]
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench may fail loudly"
)]

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::time::Duration;

use cae_core::configuration::Configuration;
use cae_core::decision::{Answers, Outcome, RecordAnswer, Request};
use cae_core::engine::{Begun, Conversation, Decided, Detail, Handle};
use cae_core::state::record::{Cause, Entry};
use cae_core::state::{Record, StateKey};
use cae_core::time::EventTime;
use cae_core::{Engine, UnixTime};
use cae_host_runner::component::{Artefact, Bounds, EngineComponent};
use cae_host_runner::engine::Runtime;
use cae_tests::{places, world};
use criterion::{Criterion, criterion_group};
use serde_json::{Value, json};

const USERS: usize = 1_000_000;
const NOW: UnixTime = UnixTime::from_secs(world::START + 600);
/// In the first named location.
const ADDRESS: &str = "100.64.0.77";

/// 25 locations of 200 ranges each.
fn named_locations() -> Value {
    let location = |index: usize| {
        let ranges: Vec<Value> = (0..200)
            .map(|range| {
                let address = format!("100.{}.{range}.0/24", 64 + index);
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
        "groups": ["50000000-0000-4000-8000-000000000001", "50000000-0000-4000-8000-000000000002"],
        "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"], "name": "Adele Vance", "ipaddr": ADDRESS,
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
fn record() -> Vec<u8> {
    let at = EventTime::from(UnixTime::from_secs(world::START - 3_600));
    let cut_off = Entry {
        at,
        issued: at.floor(),
        value: Cause::SessionRevoked,
    };
    Record {
        cut_off: Some(cut_off),
        ..Record::default()
    }
    .to_bytes()
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
    match engine.decide(handle, &request(), &answers, Detail::Explain) {
        Ok(Decided::Verdict(verdict)) => {
            assert_eq!(verdict.outcome, Outcome::Allow, "{:?}", verdict.json)
        }
        _ => panic!("no decision"),
    }
    (handle, needs.records)
}

fn decide_hot<C: Conversation>(criterion: &mut Criterion, name: &str, engine: &mut C) {
    let (handle, keys) = begun(engine, &token(0));
    let bytes = record();
    let mut records = vec![RecordAnswer::None; keys.len()];
    records[0] = RecordAnswer::Found(&bytes);
    let answers = Answers {
        signature: None,
        confirmed: None,
        records: &records,
    };
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            black_box(
                engine
                    .decide(
                        handle,
                        black_box(&request()),
                        black_box(&answers),
                        Detail::None,
                    )
                    .is_ok(),
            )
        });
    });
}

/// Another of 10,000 tokens each time, its records out of a million users' table.
fn decide_cold<C: Conversation>(
    criterion: &mut Criterion,
    name: &str,
    engine: &mut C,
    table: &HashMap<StateKey, Vec<u8>>,
) {
    let tokens: Vec<_> = (0..10_000)
        .map(|index| begun(engine, &token(index * (USERS / 10_000))))
        .collect();
    let mut next = 0_usize;
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            next = (next + 7_919) % tokens.len();
            let (handle, keys) = &tokens[next];
            let records: Vec<RecordAnswer<'_>> = keys
                .iter()
                .map(|key| {
                    table
                        .get(key)
                        .map_or(RecordAnswer::None, |bytes| RecordAnswer::Found(bytes))
                })
                .collect();
            let answers = Answers {
                signature: None,
                confirmed: None,
                records: &records,
            };
            black_box(
                engine
                    .decide(*handle, &request(), &answers, Detail::None)
                    .is_ok(),
            )
        });
    });
}

/// Known: the handle is found. Unknown: parsed, claims read, candidates resolved.
fn begin<C: Conversation>(criterion: &mut Criterion, name: &str, engine: &mut C) {
    let known = token(0);
    begun(engine, &known);
    criterion.bench_function(&format!("{name} begin, known token"), |bencher| {
        bencher.iter(|| black_box(engine.begin(black_box(&known), NOW, Detail::None).is_ok()));
    });
    let unknown: Vec<String> = (0..2_000).map(|index| token(USERS + index)).collect();
    let mut next = 0_usize;
    criterion.bench_function(&format!("{name} begin, unknown token"), |bencher| {
        bencher.iter(|| {
            next = (next + 1) % unknown.len();
            black_box(
                engine
                    .begin(black_box(&unknown[next]), NOW, Detail::None)
                    .is_ok(),
            )
        });
    });
}

fn engine_benches(criterion: &mut Criterion) {
    let configuration = configuration();
    let artefact = Artefact::find().unwrap();
    let component = EngineComponent::load(&artefact, Bounds::default()).unwrap();
    let runtime = Runtime::Wasm(component);
    let mut native = Engine::new(&configuration, 1).unwrap();
    let mut wasm = runtime.engine(&configuration).unwrap();

    criterion.bench_function(EMPTY, |bencher| {
        // An unknown handle: the call crosses, finds nothing, comes back.
        let answers = Answers::default();
        let request = Request {
            now: NOW,
            ..Request::default()
        };
        bencher.iter(|| {
            black_box(
                wasm.decide(Handle(0), &request, &answers, Detail::None)
                    .is_ok(),
            )
        });
    });
    decide_hot(criterion, "native decide, hot", &mut native);
    decide_hot(criterion, "component decide, hot", &mut wasm);

    let bytes = record();
    let table: HashMap<StateKey, Vec<u8>> = {
        let mut table = HashMap::with_capacity(USERS);
        for index in 0..USERS {
            let key = StateKey::new(
                world::TENANT,
                cae_core::state::SubjectKind::User,
                cae_core::state::Identifier {
                    name_space: cae_core::state::key::NameSpace::Native,
                    text: &user(index),
                },
            );
            table.insert(key, bytes.clone());
        }
        table
    };
    decide_cold(criterion, "native decide, cold", &mut native, &table);
    decide_cold(criterion, "component decide, cold", &mut wasm, &table);

    begin(criterion, "native", &mut native);
    begin(criterion, "component", &mut wasm);

    let (mut a, b) = (
        Record::from_bytes(&record()).unwrap(),
        Record::from_bytes(&record()).unwrap(),
    );
    criterion.bench_function("native merge, records", |bencher| {
        bencher.iter(|| a.merge(black_box(&b)))
    });
    let bytes = record();
    criterion.bench_function("component merge, bytes", |bencher| {
        bencher.iter(|| black_box(wasm.merge(black_box(&bytes), black_box(&bytes)).is_ok()));
    });
    criterion.bench_function("native compile, 100 policies and 5,000 ranges", |bencher| {
        bencher.iter(|| black_box(Configuration::read(black_box(&configuration)).is_ok()));
    });
}

/// The yardstick.
const EMPTY: &str = "component, empty call";

/// Every bench beside the empty component call, from criterion's own estimates of this run.
fn print_ratios() {
    let folder = places::root().join("target/criterion");
    let Ok(entries) = fs::read_dir(&folder) else {
        return;
    };
    let mut means: Vec<(String, f64)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let folder = entry.path().join("new");
            let read = |file: &str| -> Option<Value> {
                serde_json::from_str(&fs::read_to_string(folder.join(file)).ok()?).ok()
            };
            let name = read("benchmark.json")?["full_id"].as_str()?.to_string();
            Some((
                name,
                read("estimates.json")?["median"]["point_estimate"].as_f64()?,
            ))
        })
        .collect();
    means.sort_by(|a, b| a.1.total_cmp(&b.1));
    let Some(empty) = means
        .iter()
        .find(|(name, _)| name == EMPTY)
        .map(|(_, mean)| *mean)
    else {
        return;
    };
    println!("\n{:<52} {:>14} {:>10}", "median", "ns", "ratio");
    for (name, mean) in means {
        println!("{name:<52} {mean:>14.0} {:>10.2}", mean / empty);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = engine_benches
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    print_ratios();
}
