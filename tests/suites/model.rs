//! The engine against the reference interpreter of `enforcement.md`: random histories of events, on which both must
//! agree about every token after every prefix, whatever the order of delivery.
//!
//! Every history is drawn from one number. A difference prints the smallest history that still shows it and that
//! number: `CAE_SEED=N CAE_HISTORIES=1` has it again. `CAE_HISTORIES` asks for more than the usual count.

use std::collections::{BTreeMap, BTreeSet};

use cae_core::UnixTime;
use cae_core::decision::{Outcome, Request};
use cae_core::engine::{Conversation as _, Detail, EventReading, SignatureAnswer, Verdict};
use cae_tests::histories::random::Random;
use cae_tests::histories::{DAY, HOUR, History, cast, events, tokens};
use cae_tests::reference::facts::{self, Reading};
use cae_tests::reference::judgement::{self, Answer};
use cae_tests::reference::{Delivery, effects::Says, effects::Status};
use cae_tests::world::{Host, START};
use serde_json::Value;

/// The first seed of a run, so that a run of CI is the same for everybody.
const FIRST_SEED: u64 = 20_260_000;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Runs a property on as many seeds as are asked for, and says which.
fn on_seeds(name: &str, default: u64, property: impl Fn(u64)) {
    let first = number("CAE_SEED", FIRST_SEED);
    let count = number("CAE_HISTORIES", default);
    println!("{name}: {count} histories from CAE_SEED={first}");
    for seed in first..first.saturating_add(count) {
        property(seed);
    }
}

/// A question about one token.
#[derive(Clone, Debug)]
struct Question {
    /// After how many deliveries.
    after: usize,
    /// At what time.
    now: u64,
    claims: Value,
}

/// The questions about a history: some tokens after every prefix, soon after it and long after.
fn questions(history: &History) -> Vec<Question> {
    let mut random = Random::new(history.seed ^ 0x5EED);
    let times: Vec<u64> = history.deliveries.iter().map(events::time_of).collect();
    let mut questions = Vec::new();
    for (after, delivery) in (1..).zip(&history.deliveries) {
        for _ in 0..4 {
            let wait = random.of(&[0, 5, 600, 6 * HOUR, 2 * DAY, 35 * DAY, 95 * DAY]);
            let now = delivery.received_at.saturating_add(random.between(0, wait));
            let claims = tokens::draw(&mut random, &times, now);
            questions.push(Question { after, now, claims });
        }
    }
    questions
}

/// What the engine says, in the words of the reference.
fn asked(host: &mut Host, claims: &Value, now: u64) -> (Answer, Verdict) {
    let request = Request {
        now: UnixTime::from_secs(now),
        client_ip: Some("203.0.113.7"),
        ..Request::default()
    };
    let verdict = host.request(&tokens::compact(claims), &request, Detail::None);
    let header = verdict.www_authenticate.clone().unwrap_or_default();
    let parsed: Value =
        serde_json::from_str(&cae_core::challenge::parse_json(&header)).unwrap_or_default();
    let claims: Value = parsed["claims"]
        .as_str()
        .and_then(|claims| serde_json::from_str(claims).ok())
        .unwrap_or_default();
    let nbf = claims["access_token"]["nbf"]["value"].as_str();
    let error = ["insufficient_claims", "invalid_token"]
        .into_iter()
        .find(|error| header.contains(error));
    let answer = Answer {
        outcome: verdict.outcome.as_str(),
        status: verdict.status,
        reasons: verdict.reasons.iter().cloned().collect(),
        error,
        nbf: nbf.and_then(|nbf| nbf.parse().ok()),
    };
    (answer, verdict)
}

/// Hands a delivery to the engine, as a host does that drops what it has accepted before.
fn deliver(host: &mut Host, seen: &mut BTreeSet<String>, delivery: &Delivery) {
    let id = delivery.payload["jti"].to_string();
    // A repeat may be read again where that cannot make the event later: the records must not change either.
    let harmless = delivery.payload["iat"].as_u64() <= Some(delivery.received_at);
    if seen.contains(&id) && !harmless {
        return;
    }
    if host.deliver(&events::set(delivery), delivery.received_at) {
        seen.insert(id);
    }
}

fn host(history: &History) -> Host {
    match Host::new(&history.configuration) {
        Ok(host) => host,
        Err(faults) => panic!("{faults}\n{}", history.print()),
    }
}

/// The first question on which engine and reference differ.
fn difference(history: &History, questions: &[Question]) -> Option<(Question, Answer, Answer)> {
    let mut host = host(history);
    let mut seen = BTreeSet::new();
    for (after, delivery) in (1..).zip(&history.deliveries) {
        deliver(&mut host, &mut seen, delivery);
        for question in questions.iter().filter(|question| question.after == after) {
            let (engine, _) = asked(&mut host, &question.claims, question.now);
            let prefix = &history.deliveries[..after];
            let reference = judgement::judge(
                &history.configuration,
                prefix,
                &question.claims,
                question.now,
            );
            if engine != reference {
                return Some((question.clone(), engine, reference));
            }
        }
    }
    None
}

/// Leaves out deliveries as long as the question is still answered differently.
fn smallest(history: &History, question: &Question) -> (History, Question) {
    let mut history = history.clone();
    history.deliveries.truncate(question.after);
    let mut question = question.clone();
    let mut at = 0;
    while at < history.deliveries.len() {
        let mut fewer = history.clone();
        fewer.deliveries.remove(at);
        let asked = Question { after: fewer.deliveries.len(), ..question.clone() };
        if asked.after > 0 && difference(&fewer, std::slice::from_ref(&asked)).is_some() {
            history = fewer;
            question = asked;
        } else {
            at += 1;
        }
    }
    (history, question)
}

#[test]
fn engine_and_reference_agree_after_every_prefix() {
    let differences = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
    let print = number("CAE_PRINT", 1);
    on_seeds("model", 1_500, |seed| {
        let history = History::draw(seed);
        let Some((question, ..)) = difference(&history, &questions(&history)) else {
            return;
        };
        let (history, question) = smallest(&history, &question);
        let (_, engine, reference) =
            difference(&history, std::slice::from_ref(&question)).expect("it still differs");
        let mut differences = differences.borrow_mut();
        let kinds: Vec<String> = history
            .deliveries
            .iter()
            .map(|delivery| delivery.payload["events"].as_object().unwrap().keys().next().unwrap().clone())
            .collect();
        let sort = format!("{kinds:?} engine {} {:?} reference {} {:?}", engine.outcome, engine.reasons, reference.outcome, reference.reasons);
        let count = differences.entry(sort).or_default();
        *count += 1;
        if u64::try_from(differences.len()).unwrap() <= print && differences.values().sum::<usize>() <= usize::try_from(print).unwrap() {
            println!(
                "{}at {} token {}\nengine    {engine:?}\nreference {reference:?}\n",
                history.print(), question.now, question.claims
            );
        }
    });
    let differences = differences.into_inner();
    for (sort, count) in &differences {
        println!("{count} × {sort}");
    }
    assert!(differences.is_empty(), "engine and reference differ");
}
