//! Arguments that several scripts have.

use std::time::Duration;

use crate::record::Origin;
use crate::store::redis::script::Arg;

/// Whole milliseconds. At least one, because Redis refuses to expire a key at once; at most a century, which Redis
/// can still add to the current time.
pub(in crate::store) fn millis(duration: Duration) -> u64 {
    const CENTURY: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(duration.as_millis()).unwrap_or(CENTURY).clamp(1, CENTURY)
}

/// The argument by which a script insists on an origin, or on none.
pub(in crate::store) fn trusted(origin: Option<&Origin>) -> Arg<'_> {
    Arg::Bytes(origin.map_or(&[], |Origin(origin)| origin))
}
