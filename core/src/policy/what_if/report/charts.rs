//! Pictures as inline SVG; colours come from the style of the page.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::page::class;
use super::words::{capital, count, percent, title};
use crate::policy::what_if::{Change, Changes, SignInResult};

type Results = BTreeMap<SignInResult, BTreeMap<SignInResult, u64>>;

const RESULTS: [SignInResult; 3] = [
    SignInResult::Grant,
    SignInResult::Challenge,
    SignInResult::Block,
];

const fn name(result: SignInResult) -> &'static str {
    match result {
        SignInResult::Grant => "granted",
        SignInResult::Challenge => "challenged",
        SignInResult::Block => "blocked",
    }
}

const fn result_class(result: SignInResult) -> &'static str {
    match result {
        SignInResult::Grant => "grant",
        SignInResult::Challenge => "challenge",
        SignInResult::Block => "block",
    }
}

/// Height that all sign-ins together have, in units of the picture.
const HEIGHT: u64 = 260;
/// Space between two levels.
const GAP: u64 = 26;
const TOP: u64 = 26;
/// Where the columns of before and after stand.
const LEFT: u64 = 150;
const RIGHT: u64 = 636;
const COLUMN: u64 = 14;
const WIDTH: u64 = 800;

/// What sign-ins came to before, and what they come to afterwards, as bands in between.
pub(super) fn flow_chart(results: &Results) -> String {
    let of = |before, after| {
        let row: Option<&BTreeMap<SignInResult, u64>> = results.get(&before);
        row.and_then(|row| row.get(&after))
            .copied()
            .unwrap_or_default()
    };
    let sum = |pairs: &dyn Fn(SignInResult) -> u64| {
        RESULTS
            .iter()
            .map(|result| pairs(*result))
            .fold(0, u64::saturating_add)
    };
    let before = |result| sum(&|after| of(result, after));
    let after = |result| sum(&|before| of(before, result));
    let all = sum(&before);
    // A band that is there is seen, however small its share.
    let scale = |number: u64| {
        let height = u128::from(number)
            .saturating_mul(u128::from(HEIGHT))
            .checked_div(u128::from(all));
        let height = u64::try_from(height.unwrap_or_default()).unwrap_or_default();
        if number > 0 { height.max(2) } else { 0 }
    };
    let mut bands = String::new();
    let mut columns = String::new();
    let mut words = String::new();
    let mut in_words = Vec::new();
    let mut arrivals = stack(|result| sum(&|before| scale(of(before, result))));
    let mut y = TOP;
    for from in RESULTS {
        let start = y;
        for to in RESULTS {
            let number = of(from, to);
            let thick = scale(number);
            if thick == 0 {
                continue;
            }
            let arrival = arrivals.entry(to).or_insert(TOP);
            let kind = if from == to { "same" } else { "moved" };
            band(
                &mut bands,
                [y, *arrival],
                thick,
                &format!("{kind} {}", result_class(to)),
                &format!("{} → {}: {}", name(from), name(to), count(number)),
            );
            y = y.saturating_add(thick);
            *arrival = arrival.saturating_add(thick);
            in_words.push(format!(
                "{} {} then {}",
                count(number),
                name(from),
                name(to)
            ));
        }
        if y > start {
            column(&mut columns, LEFT, start, y, from);
            label(
                &mut words,
                LEFT.saturating_sub(10),
                start,
                y,
                "end",
                from,
                before(from),
                all,
            );
            y = y.saturating_add(GAP);
        }
    }
    let mut bottom = y;
    let starts = stack(|result| sum(&|before| scale(of(before, result))));
    for to in RESULTS {
        if let (Some(start), Some(end)) = (starts.get(&to), arrivals.get(&to))
            && end > start
        {
            column(&mut columns, RIGHT, *start, *end, to);
            label(
                &mut words,
                RIGHT.saturating_add(COLUMN).saturating_add(10),
                *start,
                *end,
                "start",
                to,
                after(to),
                all,
            );
            bottom = bottom.max(*end);
        }
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"flow-title flow-words\">\
         <title id=\"flow-title\">Results before and after</title><desc id=\"flow-words\">{}</desc>\
         <text class=\"axis\" x=\"{}\" y=\"14\" text-anchor=\"middle\">before</text>\
         <text class=\"axis\" x=\"{}\" y=\"14\" text-anchor=\"middle\">after</text>{bands}{columns}{words}</svg>",
        bottom.saturating_add(10),
        in_words.join("; "),
        LEFT.saturating_add(COLUMN / 2),
        RIGHT.saturating_add(COLUMN / 2),
    )
}

/// Where each level begins, given its height; levels without height take no room.
fn stack(height: impl Fn(SignInResult) -> u64) -> BTreeMap<SignInResult, u64> {
    let mut y = TOP;
    let mut starts = BTreeMap::new();
    for result in RESULTS {
        let height = height(result);
        starts.insert(result, y);
        if height > 0 {
            y = y.saturating_add(height).saturating_add(GAP);
        }
    }
    starts
}

fn band(into: &mut String, [from, to]: [u64; 2], thick: u64, class: &str, words: &str) {
    let (left, right) = (LEFT.saturating_add(COLUMN), RIGHT);
    let middle = left.saturating_add(right) / 2;
    let (from_end, to_end) = (from.saturating_add(thick), to.saturating_add(thick));
    into.push_str(&format!("<path class=\"band {class}\" d=\"M{left} {from}C{middle} {from} {middle} {to} {right} {to}V{to_end}\
         C{middle} {to_end} {middle} {from_end} {left} {from_end}Z\"><title>{words}</title></path>"
    ));
}

fn column(into: &mut String, x: u64, from: u64, to: u64, result: SignInResult) {
    into.push_str(&format!("<rect class=\"node {}\" x=\"{x}\" y=\"{from}\" width=\"{COLUMN}\" height=\"{}\" rx=\"2\"/>",
        result_class(result),
        to.saturating_sub(from)
    ));
}

#[expect(
    clippy::too_many_arguments,
    reason = "the place, the style and the words of one label"
)]
fn label(
    into: &mut String,
    x: u64,
    from: u64,
    to: u64,
    anchor: &str,
    result: SignInResult,
    number: u64,
    all: u64,
) {
    let middle = from.saturating_add(to) / 2;
    into.push_str(&format!(
        "<text class=\"label\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\
         <text class=\"value\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{} ({}%)</text>",
        middle.saturating_sub(1),
        name(result),
        middle.saturating_add(14),
        count(number),
        percent(number, all)
    ));
}

/// How many sign-ins change in which way, as bars.
pub(super) fn changes_chart(changes: &Changes) -> String {
    const ROW: u64 = 34;
    const NAMES: u64 = 240;
    const LONGEST: u64 = 420;
    let shown: Vec<(Change, u64)> = Change::ALL
        .iter()
        .map(|change| (*change, changes.total(*change)))
        .filter(|(_, number)| *number > 0)
        .collect();
    let most = shown
        .iter()
        .map(|(_, number)| *number)
        .max()
        .unwrap_or(1)
        .max(1);
    let all = changes
        .results
        .values()
        .flat_map(BTreeMap::values)
        .sum::<u64>();
    let mut rows = String::new();
    let mut in_words = Vec::new();
    let mut y = 4_u64;
    for (change, number) in &shown {
        let width = u128::from(*number)
            .saturating_mul(u128::from(LONGEST))
            .checked_div(u128::from(most));
        let width = u64::try_from(width.unwrap_or_default())
            .unwrap_or(LONGEST)
            .max(2);
        let text = y.saturating_add(18);
        rows.push_str(&format!("<text class=\"label\" x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>\
             <rect class=\"node {}\" x=\"{NAMES}\" y=\"{y}\" width=\"{width}\" height=\"24\" rx=\"3\"/>\
             <text class=\"value\" x=\"{}\" y=\"{text}\">{} ({}%)</text>",
            NAMES.saturating_sub(10),
            capital(title(*change)),
            class(*change),
            NAMES.saturating_add(width).saturating_add(8),
            count(*number),
            percent(*number, all)
        ));
        in_words.push(format!("{}: {}", title(*change), count(*number)));
        y = y.saturating_add(ROW);
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {y}\" role=\"img\" aria-labelledby=\"kinds-title kinds-words\">\
         <title id=\"kinds-title\">Sign-ins by kind of change</title><desc id=\"kinds-words\">{}</desc>{rows}</svg>",
        in_words.join("; ")
    )
}
