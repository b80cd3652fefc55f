//! Second factors that were registered, from the audit log.

use cae_core::json::Value;
use cae_core::policy::date;
use cae_core::time::EventTime;

use super::by_time::ByTime;
use super::facts::{About, Fact, What};
use super::graph::{Graph, GraphError};
use super::host::Host;
use super::roster::Guid;
use super::time::written;
use crate::encoding::percent_encoded;
use crate::text::{elements, word};

/// The log becomes visible minutes late and out of order: so far before the last entry it is asked for again.
/// SPEC: <https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-latencies>.
const OVERLAP_MICROS: u64 = 900_000_000;

/// Activities after which a token that shows no second factor is out of date.
/// SPEC: <https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities>.
const ACTIVITIES: [&str; 4] = [
    "User registered security info",
    "Admin registered security info",
    "User registered all required security info",
    "Enable Strong Authentication",
];

/// How far the reading of the log has come.
#[derive(Debug, Default)]
pub(crate) struct Factors(ByTime);

impl Factors {
    /// Goes on after the entries that an earlier process had seen.
    pub(crate) fn from(seen: Option<&str>) -> Self {
        Self(ByTime::from(seen))
    }

    /// Reads one page; what to keep if the round is over. Entries that come again make the same SETs, which are dropped.
    /// SPEC: <https://learn.microsoft.com/graph/api/directoryaudit-list>.
    ///
    /// # Errors
    /// The page is read again the next time.
    pub(crate) fn step(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
    ) -> Result<Option<Vec<u8>>, GraphError> {
        let page = self.0.page(graph, host, |seen| question(seen, host))?;
        let mut facts = Vec::new();
        for entry in &page.value {
            let at = word(entry, "activityDateTime").and_then(date::instant);
            let Some(at) = at else { continue };
            self.0.saw(at);
            facts.extend(learn(entry, at, host));
        }
        host.keep(&facts).map_err(|_| GraphError::NotKept)?;
        Ok(self.0.turn(page.next, host.now()))
    }
}

/// At first as far back as a token may be good.
fn question(seen: Option<EventTime>, host: &dyn Host) -> String {
    let from = match seen {
        Some(seen) => seen.as_micros().saturating_sub(OVERLAP_MICROS),
        None => {
            let earliest = host.now().saturating_sub(host.longest_token());
            EventTime::from(earliest).as_micros()
        }
    };
    let from = written(EventTime::from_micros(from));
    let names = ACTIVITIES.map(|name| format!("activityDisplayName eq '{name}'"));
    let filter = format!("activityDateTime ge {from} and ({})", names.join(" or "));
    let filter = percent_encoded(&filter);
    format!("/auditLogs/directoryAudits?$filter={filter}")
}

/// The users that an entry is about, if what it tells of went well.
/// SPEC: <https://learn.microsoft.com/graph/api/resources/directoryaudit>.
fn learn(entry: &Value, at: EventTime, host: &dyn Host) -> Vec<Fact> {
    let is_one = word(entry, "activityDisplayName").is_some_and(|name| ACTIVITIES.contains(&name));
    if !is_one || word(entry, "result").is_some_and(|result| result != "success") {
        return Vec::new();
    }
    let targets = elements(entry, "targetResources");
    let users = targets.filter(|target| word(target, "type").is_some_and(|kind| kind == "User"));
    let users = users.filter_map(|target| Guid::read(word(target, "id")?));
    users
        .filter_map(|guid| {
            let about = About::User(guid.to_string());
            let known = host.record(&about).mfa_enabled;
            let is_known = known.is_some_and(|known| known.at >= at);
            (!is_known).then(|| Fact::new(about, What::SecondFactor, at))
        })
        .collect()
}
