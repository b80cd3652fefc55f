//! Forgetting records, in parts: whatever else is to be written waits for no more than one.

use std::ops::Bound;

use cae_core::state::retention::RetentionLimits;
use cae_core::state::{Record, StateKey};
use cae_core::time::UnixTime;
use redb::ReadableTable as _;

use super::super::database::{DatabaseProblem, Writing};

/// Records that one part looks at.
const PART: usize = 8_192;

/// Cleans the records after a key; says which was the last one that was looked at, if there are more, and how many went.
pub(super) fn clean(
    writing: &Writing,
    now: UnixTime,
    limits: &RetentionLimits,
    after: Option<[u8; 16]>,
    forgotten: &mut Vec<(StateKey, Record)>,
) -> Result<(Option<[u8; 16]>, usize), DatabaseProblem> {
    let records = writing.records()?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let (mut last, mut seen, mut gone) = (None, 0_usize, 0_usize);
    for entry in records.range((from, Bound::Unbounded))? {
        let (key, bytes) = entry?;
        let key = key.value();
        if seen >= PART {
            return Ok((last, gone));
        }
        seen = seen.saturating_add(1);
        last = Some(key);
        let state_key = StateKey::from_bytes(key);
        let Ok(known) = Record::from_bytes(bytes.value()) else {
            return Err(DatabaseProblem::Record(state_key));
        };
        let mut record = known.clone();
        record.retain(now, limits);
        if record != known {
            gone = gone.saturating_add(usize::from(record.is_empty()));
            forgotten.push((state_key, record));
        }
    }
    Ok((None, gone))
}
