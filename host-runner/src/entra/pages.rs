//! The pages of a round, followed from one to the next: to an end, or not for ever.

use super::graph::{Graph, GraphError, Page};
use super::host::Host;

/// Most pages of a round: a hundred million members in pages of a hundred.
const MOST: u64 = 1_000_000;
/// Most pages in a row that hold nothing. Some are documented.
/// SPEC: <https://learn.microsoft.com/graph/delta-query-overview>.
const MOST_EMPTY: u64 = 1_000;

/// How far a round has come.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// The page that was asked for last: one that is read again is no step.
    last: Option<String>,
    /// A link that was met, to be recognised should it come again: the one of the first, second, fourth, eighth … page, so
    /// that every circle is found after a few turns (R. P. Brent, 1980).
    mark: Option<String>,
    steps: u64,
    empty: u64,
}

impl Pages {
    /// Reads a page.
    ///
    /// # Errors
    /// Those of [`Graph::page`]; `Endless` if the pages lead in a circle, or have no end.
    pub(crate) fn read(
        &mut self,
        graph: &mut Graph,
        host: &dyn Host,
        link: &str,
    ) -> Result<Page, GraphError> {
        let page = match graph.page(host, link) {
            Ok(page) => page,
            Err(error) => {
                if error.ends_link() {
                    *self = Self::default();
                }
                return Err(error);
            }
        };
        match &page.next {
            None => *self = Self::default(),
            Some(next) if !self.goes_on(link, next, page.value.is_empty()) => {
                *self = Self::default();
                return Err(GraphError::Endless);
            }
            Some(_) => {}
        }
        Ok(page)
    }

    /// Notes a step; says whether there may be an end.
    fn goes_on(&mut self, link: &str, next: &str, is_empty: bool) -> bool {
        if link == next {
            return false;
        }
        if self.last.as_deref() == Some(link) {
            return true;
        }
        self.last = Some(link.to_owned());
        self.steps = self.steps.saturating_add(1);
        self.empty = match is_empty {
            true => self.empty.saturating_add(1),
            false => 0,
        };
        if self.mark.as_deref() == Some(next) || self.steps > MOST || self.empty > MOST_EMPTY {
            return false;
        }
        if self.steps.is_power_of_two() {
            self.mark = Some(next.to_owned());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many pages of `of` it ends; `None` if it goes on.
    fn ends_after(most: u64, of: impl Fn(u64) -> String, is_empty: bool) -> Option<u64> {
        let mut pages = Pages::default();
        let mut steps = 0..most;
        steps.find(|step| !pages.goes_on(&of(*step), &of(step.saturating_add(1)), is_empty))
    }

    #[test]
    fn circles_of_any_length_end() {
        for length in 1_u64..20 {
            let circle = |step: u64| format!("page {}", step.checked_rem(length).unwrap());
            let ended = ends_after(10_000, circle, false);
            assert!(
                ended.is_some_and(|steps| steps <= 4 * length + 4),
                "{length}: {ended:?}"
            );
            let reached = |step: u64| match step {
                0..7 => format!("way {step}"),
                _ => circle(step),
            };
            assert!(ends_after(10_000, reached, false).is_some(), "{length}");
        }
    }

    #[test]
    fn many_pages_are_no_circle_but_empty_ones_end() {
        let other = |step: u64| step.to_string();
        assert_eq!(ends_after(20_000, other, false), None);
        assert_eq!(ends_after(20_000, other, true), Some(MOST_EMPTY));
    }

    #[test]
    fn a_page_that_is_read_again_is_no_circle() {
        let mut pages = Pages::default();
        for _ in 0..5 {
            assert!(pages.goes_on("a", "b", false));
        }
        assert!(pages.goes_on("b", "c", false));
        assert!(!pages.goes_on("c", "c", false));
    }
}
