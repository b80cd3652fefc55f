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
        let span = random.of(&[2 * HOUR, 12 * HOUR, 3 * DAY, 20 * DAY, 100 * DAY]);
        let events = random.between(1, 9);
        let mut deliveries = Vec::new();
        for _ in 0..events {
            let delivery = events::draw(&mut random, &configuration, span);
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
            configuration,
            deliveries,
        }
    }

    /// The history in a form that a person can read, and a scenario can be made of.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = format!("seed {}\nconfiguration {}\n", self.seed, self.configuration);
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
