//! Lists that are asked for by the time of their entries: what came since the last one that was seen, page by page.

use cae_core::time::{EventTime, UnixTime};

use super::graph::{Graph, GraphError, Page};
use super::host::Host;
use super::pages::Pages;

/// How far the reading of such a list has come.
#[derive(Debug, Default)]
pub(crate) struct ByTime {
    /// The page to go on with.
    link: Option<String>,
    pages: Pages,
    /// The latest entry on all pages of the rounds before.
    seen: Option<EventTime>,
    /// The same of this round.
    latest: Option<EventTime>,
}

impl ByTime {
    /// Goes on after what an earlier process had seen.
    pub(crate) fn from(seen: Option<&str>) -> Self {
        let micros = seen.and_then(|seen| seen.parse().ok());
        Self {
            seen: micros.map(EventTime::from_micros),
            ..Self::default()
        }
    }

    /// Reads the next page; the first one of a round is what `question` asks of what was seen.
    ///
    /// # Errors
    /// The page is read again the next time; the round begins again where its link ended.
    pub(crate) fn page(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        question: impl FnOnce(Option<EventTime>) -> String,
    ) -> Result<Page, GraphError> {
        let link = self
            .link
            .clone()
            .unwrap_or_else(|| graph.url(&question(self.seen)));
        let page = self.pages.read(graph, host, &link);
        if page.as_ref().is_err_and(GraphError::ends_link) {
            self.link = None;
        }
        page
    }

    /// An entry of this time was on the page.
    pub(crate) fn saw(&mut self, at: EventTime) {
        self.latest = self.latest.max(Some(at));
    }

    /// Turns to the next page, once what stood on this one is kept; what to keep of the place if the round is over. Without
    /// any entry so far the next round asks for what comes from now on.
    pub(crate) fn turn(&mut self, next: Option<String>, now: UnixTime) -> Option<Vec<u8>> {
        self.link = next;
        if self.link.is_some() {
            return None;
        }
        let seen = self.latest.take().max(self.seen);
        let seen = seen.unwrap_or_else(|| now.into());
        self.seen = Some(seen);
        Some(seen.as_micros().to_string().into_bytes())
    }
}
