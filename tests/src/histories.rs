//! Random histories to ask the engine and the [`reference`](crate::reference) about: a small cast of issuers,
//! transmitters, users, sessions, devices and clients, few enough that events and tokens meet all the time.
//!
//! Everything is drawn from one number, so that a history that shows a difference can be had again.

pub mod cast;
pub mod events;
pub mod random;
pub mod tokens;

use serde_json::{Value, json};

use crate::reference::Delivery;
use random::Random;

/// A configuration and what happened under it.
#[derive(Clone, Debug)]
pub struct History {
    /// The number from which all of it was drawn.
    pub seed: u64,
    /// The issuer that most of it is about, by its place in the configuration.
    pub focus: usize,
    /// The engine's configuration.
    pub configuration: Value,
    /// SETs in the order in which they arrive; some arrive twice.
    pub deliveries: Vec<Delivery>,
}

impl History {
    /// Draws a history.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let configuration = cast::configuration(&mut random);
        let focus = cast::focus(&mut random);
        let mood = random.of(&events::MOODS);
        let span = random.of(&[2 * HOUR, 12 * HOUR, 3 * DAY, 20 * DAY, 100 * DAY]);
        let events = random.between(1, 9);
        let mut deliveries = Vec::new();
        for _ in 0..events {
            let delivery = events::draw(&mut random, &configuration, focus, mood, span);
            if random.chance(15) {
                let later = random.of(&[1, HOUR, DAY, 25 * DAY]);
                let mut repeat = delivery.clone();
                repeat.received_at = repeat.received_at.saturating_add(random.between(0, later));
                deliveries.push(repeat);
            }
            deliveries.push(delivery);
        }
        deliveries.sort_by_key(|delivery| delivery.received_at);
        Self {
            seed,
            focus,
            configuration,
            deliveries,
        }
    }

    /// The event types that were sent, in order.
    #[must_use]
    pub fn event_types(&self) -> Vec<&str> {
        let events = self.deliveries.iter();
        events
            .filter_map(|delivery| delivery.payload["events"].as_object()?.keys().next())
            .map(|uri| uri.rsplit(['/', ':']).next().unwrap_or(uri))
            .collect()
    }

    /// The history in a form that a person can read, and a scenario can be made of.
    #[must_use]
    pub fn print(&self) -> String {
        let mut configuration = self.configuration.clone();
        for part in ["issuers", "transmitters"] {
            for one in configuration[part].as_array_mut().into_iter().flatten() {
                if let Some(members) = one.as_object_mut() {
                    // The same everywhere.
                    members.retain(|name, _| {
                        !["jwks", "algorithms", "audience"].contains(&name.as_str())
                    });
                }
            }
        }
        let mut text = format!("seed {}\nconfiguration {configuration}\n", self.seed);
        for delivery in &self.deliveries {
            let line = json!({"receivedAt": delivery.received_at, "typ": delivery.typ, "set": delivery.payload});
            text.push_str(&format!("{line}\n"));
        }
        text
    }
}

/// Seconds of an hour.
pub const HOUR: u64 = 3_600;
/// Seconds of a day.
pub const DAY: u64 = 24 * HOUR;

/// The first seed of a run unless `CAE_SEED` says another, so that a run of CI is the same for everybody.
const FIRST_SEED: u64 = 20_260_000;

/// Asks a property of as many seeds as `CAE_HISTORIES` says, `usual` if it says nothing, and prints which.
pub fn on_seeds(name: &str, usual: u64, property: impl Fn(u64)) {
    let first = number("CAE_SEED", FIRST_SEED);
    let count = number("CAE_HISTORIES", usual);
    println!("{name}: {count} histories from CAE_SEED={first}");
    for seed in first..first.saturating_add(count) {
        property(seed);
    }
}

/// The number in an environment variable.
#[must_use]
pub fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}
