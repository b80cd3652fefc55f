//! The decision log: one JSON object a line, without token, address or name unless that is configured.
//!
//! A thread writes it. What does not fit its queue is dropped and counted in the next line: a slow disk slows no answer.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use cae_core::decision::Outcome;
use cae_core::engine::Verdict;
use cae_core::json;
use cae_core::time::UnixTime;
use serde::Serialize;

use super::engines::Identity;
use super::settings;

const QUEUE: usize = 4_096;

/// Where decisions are written down.
#[derive(Debug)]
pub(crate) struct DecisionLog {
    settings: settings::DecisionLog,
    lines: SyncSender<String>,
    dropped: AtomicU64,
}

/// A decision.
pub(crate) struct Line<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) address: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) now: UnixTime,
    /// Counts requests.
    pub(crate) turn: u64,
}

/// As it is written. `isCaeToken` and `ipAddressSeenByResource` are Microsoft's names in its sign-in log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    time: u64,
    decision: &'static str,
    status: u16,
    reasons: Vec<&'a str>,
    is_cae_token: Option<bool>,
    issuer: Option<&'a str>,
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address_seen_by_resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "is_none")]
    dropped: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl DecisionLog {
    pub(crate) fn open(settings: &settings::DecisionLog) -> io::Result<Self> {
        let mut to: BufWriter<Box<dyn Write + Send>> = BufWriter::new(match &settings.file {
            None => Box::new(io::stdout()),
            Some(file) => Box::new(append(file)?),
        });
        let (lines, queue) = sync_channel::<String>(QUEUE);
        thread::Builder::new()
            .name("decisions".to_owned())
            .spawn(move || {
                while let Ok(line) = queue.recv() {
                    // A log that cannot be written stops nobody.
                    let _ = writeln!(to, "{line}");
                    while let Ok(line) = queue.try_recv() {
                        let _ = writeln!(to, "{line}");
                    }
                    let _ = to.flush();
                }
            })?;
        Ok(Self {
            settings: settings.clone(),
            lines,
            dropped: AtomicU64::new(0),
        })
    }

    pub(crate) fn write(&self, line: &Line<'_>) {
        let passed = line.verdict.outcome == Outcome::Allow;
        let share = self.settings.allowed_per_thousand;
        if passed && line.turn.checked_rem(1_000).unwrap_or(0) >= share {
            return;
        }
        let reasons = &line.verdict.reasons;
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let text = json::to_text(&Written {
            time: line.now.as_secs(),
            decision: line.verdict.outcome.as_str(),
            status: line.verdict.status,
            reasons: reasons.iter().map(String::as_str).collect(),
            is_cae_token: line.identity.map(|identity| identity.capable),
            issuer: line.identity.map(|identity| identity.issuer.as_str()),
            client: line.identity.map(|identity| identity.client.as_str()),
            subject: line
                .identity
                .map(|identity| identity.subject.as_str())
                .filter(|_| self.settings.subject),
            ip_address_seen_by_resource: line.address.filter(|_| self.settings.address),
            path: line.path.filter(|_| self.settings.path),
            dropped,
        });
        if self.lines.try_send(text).is_err() {
            self.dropped
                .fetch_add(dropped.saturating_add(1), Ordering::Relaxed);
        }
    }
}

fn append(file: &std::path::Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(file)
}
