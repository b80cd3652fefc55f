//! Security events: signed at one time, delivered at others.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};

use super::{At, Run};
use crate::engine::Conversation;
use crate::json::{Map, Value};
use crate::simulation::expect::{ExpectationKey as Key, Findings};
use crate::simulation::host::{HostError, Received};
use crate::simulation::keys::SignedToken;
use crate::simulation::model::{Delivery, Step};
use crate::simulation::report::{EventView, Lane, LineKind};
use crate::simulation::summary;
use crate::simulation::tokens::{overlay, random};
use crate::time::UnixTime;

/// A SET on its way.
pub(super) struct UnderWay<'s> {
    step: usize,
    transmitter: &'s str,
    set: SignedToken,
    issued: UnixTime,
    nth: usize,
    delivery: &'s Delivery,
}

impl<'s, C: Conversation> Run<'s, '_, C> {
    pub(super) fn sign_event(
        &mut self,
        at: At,
        step: &'s Step,
        transmitter: &'s str,
        claims: &Map<String, Value>,
        header: &Map<String, Value>,
        deliveries: &'s [Delivery],
    ) {
        let Some(owner) = self.scenario.transmitters.get(transmitter) else {
            return;
        };
        let Some(ring) = self.transmitters.get(transmitter) else {
            return;
        };
        let id = random(self.scenario.seed, at.step);
        let mut filled = Map::new();
        filled.insert("iss".to_string(), owner.issuer.as_str().into());
        if let Some(audience) = &owner.audience {
            filled.insert("aud".to_string(), audience.as_str().into());
        }
        filled.insert("iat".to_string(), at.time.as_secs().into());
        filled.insert("jti".to_string(), format!("{id:016x}").into());
        overlay(&mut filled, Some(claims));
        let mut full_header = Map::from_iter([("typ".to_string(), "secevent+jwt".into())]);
        overlay(&mut full_header, Some(header));
        let set = ring.sign(full_header, &Value::Object(filled));
        let lane = Lane::Transmitter(transmitter.to_owned());
        let summary = summary::event_signed(&set.claims);
        let mut line = self.line(at, LineKind::Event, lane.clone(), lane, summary);
        line.event = Some(event_view(&set, at.time, None));
        self.emit_with(&[], step.note.as_deref(), line, &Findings::new());
        for (nth, delivery) in deliveries.iter().enumerate() {
            self.under_way.push(UnderWay {
                step: at.step,
                transmitter,
                set: set.clone(),
                issued: at.time,
                nth: nth.saturating_add(1),
                delivery,
            });
        }
        // Stable: what was sent first arrives first within one second.
        self.under_way.sort_by_key(|event| event.delivery.time);
    }

    pub(super) fn deliver_until(&mut self, time: UnixTime) -> Result<(), HostError<C::Error>> {
        let due = self
            .under_way
            .partition_point(|event| event.delivery.time <= time);
        let later = self.under_way.split_off(due);
        for event in core::mem::replace(&mut self.under_way, later) {
            self.deliver(&event)?;
        }
        Ok(())
    }

    fn deliver(&mut self, event: &UnderWay<'s>) -> Result<(), HostError<C::Error>> {
        let at = At {
            step: event.step,
            time: event.delivery.time,
        };
        let received = self.host.receive(&event.set.compact, at.time)?;
        let findings = match &received {
            Received::Accepted { changes, .. } => alloc::vec![
                (Key::Accepted, true.into()),
                (Key::Duplicate, false.into()),
                (Key::Changes, (*changes).into()),
            ],
            Received::Duplicate { .. } => alloc::vec![
                (Key::Accepted, true.into()),
                (Key::Duplicate, true.into()),
                (Key::Changes, 0.into()),
            ],
            Received::Rejected { code, .. } => alloc::vec![
                (Key::Accepted, false.into()),
                (Key::Err, (*code).into()),
                (Key::Changes, 0.into()),
            ],
        };
        let mut line = self.line(
            at,
            LineKind::Delivery,
            Lane::Transmitter(event.transmitter.to_owned()),
            Lane::Resource,
            summary::event_received(&event.set.claims, &received),
        );
        line.event = Some(event_view(&event.set, event.issued, Some(event.nth)));
        let (Received::Accepted { reading, .. }
        | Received::Duplicate { reading }
        | Received::Rejected { reading, .. }) = received;
        line.event_reading = Some(reading);
        self.emit_with(&event.delivery.expect, None, line, &findings);
        Ok(())
    }
}

fn event_view(set: &SignedToken, issued: UnixTime, delivery: Option<usize>) -> EventView {
    EventView {
        compact: set.compact.clone(),
        header: set.header.clone(),
        claims: set.claims.clone(),
        issued: issued.as_secs(),
        delivery,
    }
}
