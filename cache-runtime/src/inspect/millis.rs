//! Durations as whole milliseconds, which is how precisely records and servers tell them.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// For `serialize_with`.
pub(super) fn as_ms<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    millis(*time).serialize(serializer)
}

/// The same of a duration that may have no end.
#[expect(clippy::ref_option, reason = "so does serde call it")]
pub(super) fn as_ms_if_any<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(millis).serialize(serializer)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
