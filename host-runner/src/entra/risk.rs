//! Risk of users and service principals, by the time at which it changed last.

use cae_core::json::Value;
use cae_core::policy::date;
use cae_core::state::record::{RiskLevel, TransmitterId};
use cae_core::time::EventTime;

use super::by_time::ByTime;
use super::facts::{About, Fact, What};
use super::graph::{Graph, GraphError};
use super::host::Host;
use super::time::written;
use crate::encoding::percent_encoded;
use crate::text::word;

/// How far before the last change that was seen changes are asked for again: they become visible a little out of order.
const OVERLAP_MICROS: u64 = 300_000_000;

/// Whose risk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Whose {
    Users,
    Applications,
}

/// How far the reading of risk has come.
#[derive(Debug)]
pub(crate) struct Risk {
    whose: Whose,
    place: ByTime,
}

impl Risk {
    /// Goes on after the changes that an earlier process had seen.
    pub(crate) fn from(whose: Whose, seen: Option<&str>) -> Self {
        Self {
            whose,
            place: ByTime::from(seen),
        }
    }

    /// Reads one page; what to keep if the round is over.
    /// SPEC: <https://learn.microsoft.com/graph/api/riskyuser-list>,
    /// <https://learn.microsoft.com/graph/api/identityprotectionroot-list-riskyserviceprincipals>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn step(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        transmitter: TransmitterId,
    ) -> Result<Option<Vec<u8>>, GraphError> {
        let whose = self.whose;
        let page = self.place.page(graph, host, |seen| question(whose, seen))?;
        let facts: Vec<Fact> = page
            .value
            .iter()
            .filter_map(|one| self.learn(one, host, transmitter))
            .collect();
        host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        Ok(self.place.turn(page.next, host.now()))
    }

    /// What one object says that is not known yet.
    /// SPEC: <https://learn.microsoft.com/graph/api/resources/riskyuser>.
    fn learn(&mut self, one: &Value, host: &dyn Host, transmitter: TransmitterId) -> Option<Fact> {
        let id = word(one, "id")?.to_lowercase();
        let about = match self.whose {
            Whose::Users => About::User(id),
            Whose::Applications => About::Application {
                object: id,
                application: word(one, "appId").map(str::to_lowercase),
            },
        };
        let at = word(one, "riskLastUpdatedDateTime").and_then(date::instant)?;
        self.place.saw(at);
        let is_at_risk = matches!(
            word(one, "riskState"),
            Some("atRisk" | "confirmedCompromised")
        );
        let level = match word(one, "riskLevel").filter(|_| is_at_risk) {
            Some("high") => RiskLevel::High,
            Some("medium") => RiskLevel::Medium,
            Some("low") => RiskLevel::Low,
            // SPEC: `hidden` is a level that the tenant's licence does not show: it is not known.
            Some("hidden") => return None,
            // An administrator who says that somebody is compromised says that the risk is high.
            _ if word(one, "riskState") == Some("confirmedCompromised") => RiskLevel::High,
            _ => RiskLevel::None,
        };
        let record = host.record(&about);
        let known = record.risk.iter().find(|(by, _)| *by == transmitter);
        let (before, since) = known.map_or((RiskLevel::None, None), |(_, entry)| {
            (entry.value, Some(entry.at))
        });
        // What was learned before, or is older than that, says nothing new.
        let is_old = since.is_some_and(|since| since >= at);
        if is_old || (level == before && level == RiskLevel::None) {
            return None;
        }
        // Nobody knows what the level was just before: between two rounds a high one may have ended and begun again.
        Some(Fact::new(about, What::Risk(level), at))
    }
}

/// At first whoever is at risk; then whoever's risk changed.
fn question(whose: Whose, seen: Option<EventTime>) -> String {
    let path = match whose {
        Whose::Users => "riskyUsers",
        Whose::Applications => "riskyServicePrincipals",
    };
    let filter = match seen {
        None => "riskState eq 'atRisk' or riskState eq 'confirmedCompromised'".to_owned(),
        Some(seen) => {
            let from = seen.as_micros().saturating_sub(OVERLAP_MICROS);
            format!(
                "riskLastUpdatedDateTime ge {}",
                written(EventTime::from_micros(from))
            )
        }
    };
    format!(
        "/identityProtection/{path}?$filter={}",
        percent_encoded(&filter)
    )
}
