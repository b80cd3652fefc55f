//! Whose access changes, as a page that stands alone: no script, no request, readable in light and dark and on paper.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::{self, Display, Write as _};

use super::Report;
use super::charts::{changes_chart, flow_chart};
use super::words::{
    capital, count, meaning, pair_name, percent, sign_ins, title, what_differs, word,
};
use crate::policy::what_if::{Change, ChangeGroup, DocumentChange, DocumentPair};

const STYLE: &str = include_str!("style.css");

/// How many applications and sign-ins a group names.
const NAMED: usize = 8;
/// How many groups of one kind of change are open at first.
const OPEN: usize = 8;

/// Text that is not markup.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // A control character is no part of HTML, and nobody could read it.
                control if control.is_control() => f.write_char(' ')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> String {
    let mut page = Page::default();
    let [old, new] = &report.states;
    page.add(format_args!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Whose access changes: {} to {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>",
        Escaped(old),
        Escaped(new)
    ));
    page.header(report, old, new);
    if report.changed() > 0 {
        page.pictures(report);
        page.changes(report);
    }
    page.documents("Policies that differ", &report.description.compared);
    page.documents(
        "Named locations that differ",
        &report.description.named_locations,
    );
    page.notes(report);
    page.add(format_args!("</main>\n</body>\n</html>"));
    page.0
}

/// Whether a change lets in more or fewer, as the class of its elements.
pub(super) const fn class(change: Change) -> &'static str {
    match change {
        Change::NewBlocks => "block",
        Change::NewGrants | Change::LiftedBlocks => "grant",
        Change::NewChallenges | Change::ChangedRequirements => "challenge",
        Change::ChangedSession => "session",
        Change::ChangedCertainty => "certainty",
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn add(&mut self, text: fmt::Arguments<'_>) {
        self.0.push_str(&text.to_string());
        self.0.push('\n');
    }

    fn header(&mut self, report: &Report<'_>, old: &str, new: &str) {
        let changed = report.changed();
        self.add(format_args!(
            "<header>\n<p class=\"kicker\">Conditional Access, before and after</p>\n<h1>{}</h1>\n\
             <p class=\"states\"><span>Before: <b>{}</b></span> <span>After: <b>{}</b></span></p>\n\
             <p>Compared: {}.</p>",
            Escaped(&verdict(report)),
            Escaped(old),
            Escaped(new),
            Escaped(&report.origin)
        ));
        let mut cards = alloc::vec![(
            count(changed),
            format!(
                "of {} change ({}%)",
                sign_ins(report.sign_ins()),
                percent(changed, report.sign_ins())
            ),
            "",
        )];
        for change in Change::ALL {
            let total = report.counts.changes.total(change);
            if total > 0 || matches!(change, Change::NewBlocks | Change::NewGrants) {
                cards.push((count(total), title(change).to_owned(), class(change)));
            }
        }
        if !report.made {
            let affected = &report.counts.changes.affected;
            let about = if affected.is_exact() { "" } else { "about " };
            cards.push((
                format!("{about}{}", count(affected.count())),
                "people affected".to_owned(),
                "",
            ));
        }
        self.add(format_args!("<ul class=\"cards\">"));
        for (number, words, class) in cards {
            self.add(format_args!(
                "<li class=\"{class}\"><b>{}</b> {}</li>",
                Escaped(&number),
                Escaped(&words)
            ));
        }
        self.add(format_args!("</ul>\n</header>"));
    }

    fn pictures(&mut self, report: &Report<'_>) {
        let changes = &report.counts.changes;
        self.add(format_args!(
            "<section aria-labelledby=\"flow-heading\">\n<h2 id=\"flow-heading\">From before to after</h2>\n\
             <p>Each band is a number of sign-ins: on the left what they came to before, on the right what they come \
             to now. Bands that stay on their level do not change.</p>\n<figure>{}</figure>\n</section>",
            flow_chart(&changes.results)
        ));
        self.add(format_args!(
            "<section aria-labelledby=\"kinds-heading\">\n<h2 id=\"kinds-heading\">How access changes</h2>\n\
             <figure>{}</figure>\n</section>",
            changes_chart(changes)
        ));
    }

    fn changes(&mut self, report: &Report<'_>) {
        self.add(format_args!(
            "<section aria-labelledby=\"who-heading\">\n<h2 id=\"who-heading\">Whose access changes, and why</h2>"
        ));
        for change in Change::ALL {
            let total = report.counts.changes.total(change);
            if total == 0 {
                continue;
            }
            self.add(format_args!(
                "<div class=\"kind {}\">\n<h3>{} <span class=\"number\">{}</span></h3>\n<p>{}</p>",
                class(change),
                capital(title(change)),
                sign_ins(total),
                meaning(change)
            ));
            let groups = report.groups(change);
            for group in groups.iter().take(OPEN) {
                self.group(report, group, total);
            }
            if let Some(rest) = Report::rest(&groups, OPEN) {
                self.add(format_args!(
                    "<details>\n<summary>{}</summary>",
                    Escaped(&rest)
                ));
                for group in groups.iter().skip(OPEN) {
                    self.group(report, group, total);
                }
                self.add(format_args!("</details>"));
            }
            self.add(format_args!("</div>"));
        }
        let ungrouped = report.counts.changes.ungrouped;
        if ungrouped > 0 {
            self.add(format_args!(
                "<p>{} more sign-ins change for other combinations of policies.</p>",
                count(ungrouped)
            ));
        }
        self.add(format_args!("</section>"));
    }

    fn group(&mut self, report: &Report<'_>, group: &ChangeGroup, total: u64) {
        self.add(format_args!(
            "<article>\n<div class=\"bar\" aria-hidden=\"true\"><span style=\"width:{}%\"></span></div>\n\
             <h4><span class=\"number\">{}</span> because of</h4>\n<ul class=\"causes\">",
            percent(group.sign_ins, total),
            count(group.sign_ins)
        ));
        for position in &group.policies {
            let change = report
                .description
                .compared
                .get(*position)
                .map(|pair| pair.change);
            self.add(format_args!(
                "<li>{} <span class=\"tag {1}\">{1}</span></li>",
                Escaped(report.labels.compared(*position)),
                change.map_or("", word)
            ));
        }
        if group.policies.is_empty() {
            self.add(format_args!("<li>no policy alone</li>"));
        }
        self.add(format_args!("</ul>\n<dl>"));
        self.facts(report, group);
        self.add(format_args!("</dl>\n</article>"));
    }

    fn facts(&mut self, report: &Report<'_>, group: &ChangeGroup) {
        if group.unmet_before != group.unmet_after {
            let [before, after] = report.demands(group);
            self.fact("Before", &before);
            self.fact("Now", &after);
        }
        if !report.made {
            if group.people.count() > 0 {
                self.fact("People", &report.people(group));
            }
            let mut targets: Vec<&(String, u64)> = group.targets.seen.iter().collect();
            targets.sort_by_key(|(_, number)| core::cmp::Reverse(*number));
            let mut named: Vec<String> = targets
                .iter()
                .take(NAMED)
                .map(|(name, number)| format!("{name} ({})", count(*number)))
                .collect();
            if targets.len() > NAMED || group.targets.others > 0 {
                named.push("others".to_owned());
            }
            if !named.is_empty() {
                self.fact("Applications", &named.join(", "));
            }
        }
        if group.uncertain > 0 {
            self.fact(
                "As far as can be told",
                &format!(
                    "for {} of them an enabled policy is undetermined",
                    count(group.uncertain)
                ),
            );
        }
        self.add(format_args!("<dt>Such as</dt>"));
        for example in report.examples(group) {
            self.add(format_args!("<dd>{}</dd>", Escaped(&example)));
        }
    }

    fn fact(&mut self, name: &str, text: &str) {
        self.add(format_args!(
            "<dt>{}</dt><dd>{}</dd>",
            Escaped(name),
            Escaped(text)
        ));
    }

    fn documents(&mut self, heading: &str, pairs: &[DocumentPair]) {
        let differ = || {
            pairs
                .iter()
                .filter(|pair| pair.change != DocumentChange::Unchanged)
        };
        if pairs.is_empty() {
            return;
        }
        self.add(format_args!(
            "<section>\n<h2>{}</h2>\n<p>{} of {}.</p>",
            Escaped(heading),
            differ().count(),
            pairs.len()
        ));
        if differ().next().is_some() {
            self.add(format_args!(
                "<table>\n<thead><tr><th scope=\"col\">Change</th><th scope=\"col\">Name</th>\
                 <th scope=\"col\">What differs</th></tr></thead>\n<tbody>"
            ));
            for pair in differ() {
                self.add(format_args!(
                    "<tr><td><span class=\"tag {0}\">{0}</span></td><th scope=\"row\">{1}</th><td>{2}</td></tr>",
                    word(pair.change),
                    Escaped(&pair_name(pair)),
                    Escaped(&what_differs(pair))
                ));
            }
            self.add(format_args!("</tbody>\n</table>"));
        }
        self.add(format_args!("</section>"));
    }

    /// How to read it, and what it does not say.
    fn notes(&mut self, report: &Report<'_>) {
        self.add(format_args!(
            "<section>\n<h2>How to read this</h2>\n<ul>\n\
             <li><b>Granted</b>: no enabled policy that applies misses anything. <b>Challenged</b>: a grant control is \
             missing. <b>Blocked</b>: an enabled policy that applies blocks.</li>\n\
             <li>Every sign-in is evaluated against both states of the policies with the same facts. A policy that \
             cannot be told from these facts does not count; where that matters it is said.</li>\n\
             <li>Report-only and disabled policies change nothing.</li>"
        ));
        if report.made {
            self.add(format_args!(
                "<li>The sign-ins were made from the policies themselves. Their number says how many situations \
                 change, not how many people or how often.</li>"
            ));
        }
        let uncertain = report.counts.summary.uncertain;
        if uncertain > 0 {
            self.add(format_args!(
                "<li>For {} an enabled policy of the later state is undetermined.</li>",
                sign_ins(uncertain)
            ));
        }
        let faulty = report.counts.summary.faulty;
        if faulty > 0 {
            self.add(format_args!(
                "<li><b>{} lines could not be used</b> and are not part of this.</li>",
                count(faulty)
            ));
        }
        self.add(format_args!("</ul>\n</section>"));
    }
}

/// The headline: the worst that happens, in words.
fn verdict(report: &Report<'_>) -> String {
    let total = |change| report.counts.changes.total(change);
    let share = |change| format!("{}%", percent(total(change), report.sign_ins()));
    if report.changed() == 0 {
        return "Nobody's access changes".to_owned();
    }
    let mut said = Vec::new();
    for (change, words) in [
        (
            Change::NewBlocks,
            "of the compared sign-ins are newly blocked",
        ),
        (Change::NewGrants, "go through without more"),
        (Change::NewChallenges, "are asked for more"),
        (Change::ChangedRequirements, "are asked for something else"),
        (Change::LiftedBlocks, "are no longer blocked"),
        (Change::ChangedSession, "get other session controls"),
        (
            Change::ChangedCertainty,
            "depend on other policies that cannot be told",
        ),
    ] {
        if total(change) > 0 && said.len() < 3 {
            let words = match (said.is_empty(), words.starts_with("of ")) {
                (true, false) => format!("of the compared sign-ins {words}"),
                _ => words.to_owned(),
            };
            said.push(format!("{} {words}", share(change)));
        }
    }
    match said.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
