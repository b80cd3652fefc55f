//! The engine against the reference interpreter of `enforcement.md`: random histories of events, on which both must
//! agree about every token after every prefix, whatever the order of delivery.
//!
//! Every history is drawn from one number. A difference prints the smallest history that still shows it and that
//! number: `CAE_SEED=N CAE_HISTORIES=1` has it again. `CAE_HISTORIES` asks for more than the usual count.
#![cfg(test)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use cae_core::UnixTime;
use cae_core::decision::{Outcome, Request};
use cae_core::engine::{Detail, Verdict};
use cae_core::state::RetentionLimits;
use cae_tests::histories::random::Random;
use cae_tests::histories::{DAY, HOUR, History, events, on_seeds, tokens};
use cae_tests::reference::Delivery;
use cae_tests::reference::effects::{Says, Status};
use cae_tests::reference::facts::{self, Reading};
use cae_tests::reference::judgement::{self, Answer};
use cae_tests::world::Host;
use serde_json::Value;

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
        for _ in 0..6 {
            let wait = random.of(&[0, 5, 600, 6 * HOUR, 2 * DAY, 35 * DAY, 95 * DAY]);
            let now = delivery.received_at.saturating_add(random.between(0, wait));
            let claims = tokens::draw(&mut random, history.focus, &times, now);
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
///
/// A repeat is read again all the same where the first acceptance was no earlier than the SET's own time: then the
/// event cannot become later, and the records must not change either.
fn deliver(host: &mut Host, seen: &mut BTreeMap<String, bool>, delivery: &Delivery) {
    let id = delivery.payload["jti"].to_string();
    if seen.get(&id) == Some(&false) {
        return;
    }
    if host.deliver(&events::set(delivery), delivery.received_at) {
        let harmless = delivery.payload["iat"].as_u64() <= Some(delivery.received_at);
        seen.entry(id).or_insert(harmless);
    }
}

fn host(history: &History) -> Host {
    match Host::new(&history.configuration) {
        Ok(host) => host,
        Err(faults) => panic!("{faults}\n{}", history.print()),
    }
}

/// The first question on which engine and reference differ.
fn difference(
    history: &History,
    questions: &[Question],
    answers: &RefCell<BTreeMap<String, u64>>,
) -> Option<(Question, Answer, Answer)> {
    let mut host = host(history);
    let mut seen = BTreeMap::new();
    for (after, delivery) in (1..).zip(&history.deliveries) {
        deliver(&mut host, &mut seen, delivery);
        let facts = judgement::facts_of(&history.configuration, &history.deliveries[..after]);
        for question in questions.iter().filter(|question| question.after == after) {
            let (engine, _) = asked(&mut host, &question.claims, question.now);
            let reference = judgement::judge(
                &history.configuration,
                &facts,
                &question.claims,
                question.now,
            );
            let sort = format!("{} {:?}", engine.outcome, engine.reasons);
            let mut answers = answers.borrow_mut();
            let count = answers.entry(sort).or_default();
            *count = count.saturating_add(1);
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
        let asked = Question {
            after: fewer.deliveries.len(),
            ..question.clone()
        };
        if asked.after > 0
            && difference(&fewer, std::slice::from_ref(&asked), &RefCell::default()).is_some()
        {
            history = fewer;
            question = asked;
        } else {
            at = at.saturating_add(1);
        }
    }
    (history, question)
}

#[test]
fn engine_and_reference_agree_after_every_prefix() {
    let answers = RefCell::new(BTreeMap::<String, u64>::new());
    let differences = RefCell::new(BTreeMap::<String, u64>::new());
    on_seeds("model", 2_000, |seed| {
        let history = History::draw(seed);
        let questions = questions(&history);
        let Some((question, ..)) = difference(&history, &questions, &answers) else {
            return;
        };
        let (history, question) = smallest(&history, &question);
        let one = std::slice::from_ref(&question);
        let (_, engine, reference) =
            difference(&history, one, &RefCell::default()).expect("it still differs");
        let sort = format!(
            "{:?}: engine {} {:?}, reference {} {:?}",
            history.event_types(),
            engine.outcome,
            engine.reasons,
            reference.outcome,
            reference.reasons
        );
        let mut differences = differences.borrow_mut();
        let count = differences.entry(sort).or_default();
        // One of each sort is enough to read.
        if *count == 0 {
            println!(
                "{}at {} token {}\nengine    {engine:?}\nreference {reference:?}\n",
                history.print(),
                question.now,
                question.claims
            );
        }
        *count = count.saturating_add(1);
    });
    for (answer, count) in answers.into_inner() {
        println!("{count:8} {answer}");
    }
    let differences = differences.into_inner();
    for (sort, count) in &differences {
        println!("{count} × {sort}");
    }
    assert!(differences.is_empty(), "engine and reference differ");
}

/// Everything that a host remembers.
fn state(host: &Host) -> BTreeMap<String, Vec<u8>> {
    let records = host.table.iter_bytes();
    records
        .map(|(key, bytes)| (key.to_string(), bytes.to_vec()))
        .collect()
}

/// What a delivery says by itself.
fn facts_of(configuration: &Value, delivery: &Delivery) -> Vec<facts::Fact> {
    match facts::read(configuration, delivery) {
        Reading::Accepted(facts) => facts,
        Reading::Refused(_) => Vec::new(),
    }
}

#[test]
fn a_revocation_never_opens_what_was_closed() {
    let closed = Cell::new(0_u64);
    on_seeds("revocation", 400, |seed| {
        let history = History::draw(seed);
        let mut host = host(&history);
        let mut seen = BTreeMap::new();
        let questions = questions(&history);
        for (after, delivery) in (1..).zip(&history.deliveries) {
            let revokes = facts_of(&history.configuration, delivery)
                .iter()
                .all(|fact| {
                    matches!(
                        fact.says,
                        Says::CutOff(_)
                            | Says::MfaEnabled
                            | Says::Status(Status::Disabled | Status::Purged)
                            | Says::Compliant(false)
                    )
                });
            let questions: Vec<&Question> = questions
                .iter()
                .filter(|question| question.after == after && revokes)
                .collect();
            let before: Vec<Outcome> = questions
                .iter()
                .map(|question| asked(&mut host, &question.claims, question.now).1.outcome)
                .collect();
            deliver(&mut host, &mut seen, delivery);
            for (question, before) in questions.into_iter().zip(before) {
                let (_, now) = asked(&mut host, &question.claims, question.now);
                if before != Outcome::Allow {
                    closed.set(closed.get().saturating_add(1));
                    assert_ne!(
                        now.outcome,
                        Outcome::Allow,
                        "CAE_SEED={seed}: {} opened {}",
                        delivery.payload,
                        question.claims
                    );
                }
            }
        }
    });
    assert!(closed.get() > 0, "nothing was ever closed");
}

#[test]
fn repeats_and_another_order_leave_the_same_bytes() {
    on_seeds("order", 600, |seed| {
        let history = History::draw(seed);
        // A repeat that comes before the first acceptance would be that acceptance: a host drops it.
        let mut ids = BTreeSet::new();
        let mut once: Vec<Delivery> = history.deliveries.clone();
        once.retain(|delivery| ids.insert(delivery.payload["jti"].to_string()));
        let mut first = host(&history);
        let mut seen = BTreeMap::new();
        for delivery in &once {
            deliver(&mut first, &mut seen, delivery);
        }
        let expected = state(&first);
        let mut random = Random::new(seed ^ 0x0DE5);
        for _ in 0..3 {
            let mut other = host(&history);
            let mut deliveries = once.clone();
            random.shuffle(&mut deliveries);
            for delivery in &deliveries {
                let set = events::set(delivery);
                other.deliver(&set, delivery.received_at);
                let harmless = delivery.payload["iat"].as_u64() <= Some(delivery.received_at);
                if harmless && random.chance(50) {
                    let later = random.between(0, 60 * DAY);
                    other.deliver(&set, delivery.received_at.saturating_add(later));
                }
            }
            assert_eq!(
                state(&other),
                expected,
                "CAE_SEED={seed}\n{}",
                history.print()
            );
        }
    });
}

#[test]
fn cleaning_up_changes_no_decision() {
    let cleaned = Cell::new(0_usize);
    on_seeds("cleaning", 300, |seed| {
        let history = History::draw(seed);
        let (mut kept, mut clean) = (host(&history), host(&history));
        let (mut seen, mut also_seen) = (BTreeMap::new(), BTreeMap::new());
        let limits = RetentionLimits::of(clean.engine.configuration());
        let questions = questions(&history);
        for (after, delivery) in (1..).zip(&history.deliveries) {
            deliver(&mut kept, &mut seen, delivery);
            deliver(&mut clean, &mut also_seen, delivery);
            let mut questions: Vec<&Question> = questions
                .iter()
                .filter(|question| question.after == after)
                .collect();
            questions.sort_by_key(|question| question.now);
            // Time does not run backwards: whoever cleans at the last question has forgotten what the first needs.
            let before = clean.table.clone();
            for question in questions {
                let now = UnixTime::from_secs(question.now);
                cleaned.set(
                    cleaned
                        .get()
                        .saturating_add(clean.table.clean(now, &limits)),
                );
                let (expected, _) = asked(&mut kept, &question.claims, question.now);
                let (answer, _) = asked(&mut clean, &question.claims, question.now);
                assert_eq!(
                    answer,
                    expected,
                    "CAE_SEED={seed}: at {} {}\n{}",
                    question.now,
                    question.claims,
                    history.print()
                );
            }
            clean.table = before;
        }
    });
    println!("{} records cleaned away", cleaned.get());
    assert!(cleaned.get() > 0, "nothing was ever cleaned away");
}

#[test]
fn a_decision_holds_until_it_is_to_be_revisited() {
    let revisited = Cell::new(0_u64);
    on_seeds("revisitAt", 300, |seed| {
        let history = History::draw(seed);
        let mut host = host(&history);
        let mut seen = BTreeMap::new();
        let mut random = Random::new(seed ^ 0x2E51);
        let questions = questions(&history);
        for (after, delivery) in (1..).zip(&history.deliveries) {
            deliver(&mut host, &mut seen, delivery);
            for question in questions.iter().filter(|question| question.after == after) {
                let (first, verdict) = asked(&mut host, &question.claims, question.now);
                let until = verdict
                    .revisit_at
                    .map_or(question.now.saturating_add(200 * DAY), UnixTime::as_secs);
                assert!(until > question.now, "CAE_SEED={seed}: nothing to wait for");
                let last = until.saturating_sub(1);
                for now in [
                    last,
                    random.between(question.now, last),
                    random.between(question.now, last),
                ] {
                    let (later, _) = asked(&mut host, &question.claims, now);
                    assert_eq!(
                        (later.outcome, later.reasons),
                        (first.outcome, first.reasons.clone()),
                        "CAE_SEED={seed}: from {} to {until}, at {now}, {}\n{}",
                        question.now,
                        question.claims,
                        history.print()
                    );
                }
                revisited.set(revisited.get().saturating_add(1));
            }
        }
    });
    println!("{} decisions held", revisited.get());
}
