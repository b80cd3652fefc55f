//! Dates as Graph reads them (`Edm.DateTimeOffset`).

use cae_core::time::{EventTime, UnixTime};

/// `2026-01-02T03:04:05.678901Z`.
pub(crate) fn written(at: EventTime) -> String {
    let micros = at.as_micros().checked_rem(1_000_000).unwrap_or_default();
    let text = in_seconds(at.floor());
    let whole = text.strip_suffix('Z').unwrap_or(&text);
    format!("{whole}.{micros:06}Z")
}

/// `2026-01-02T03:04:05Z`.
pub(crate) fn in_seconds(at: UnixTime) -> String {
    at.utc().to_string().replacen(' ', "T", 1)
}

#[cfg(test)]
mod tests {
    use cae_core::policy::date;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for micros in [
            0,
            784_111_777_000_001,
            1_709_164_800_500_000,
            4_102_444_799_999_999,
        ] {
            let at = EventTime::from_micros(micros);
            assert_eq!(date::instant(&written(at)), Some(at), "{}", written(at));
        }
        let at = UnixTime::from_secs(784_111_777);
        assert_eq!(in_seconds(at), "1994-11-06T08:49:37Z");
    }
}
