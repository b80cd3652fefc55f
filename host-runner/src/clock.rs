//! The only clock of the workspace.

use std::time::{SystemTime, UNIX_EPOCH};

use cae_core::time::UnixTime;

/// The time of this machine; the epoch if its clock stands before that.
#[must_use]
pub fn now() -> UnixTime {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime::from_secs(since.as_secs())
}
