//! Durations that users give.
//!
//! Everything here is settled where a duration is given, in a setting, an option or a key, so that
//! the rest of the crate adds, triples and converts durations without looking at them: a few of the
//! longest are far from what clocks, floating point and Redis can hold.

use std::time::Duration;

/// The longest duration that counts, thirty years: an `Instant` that is a century away overflows on
/// some platforms.
pub(crate) const LONGEST: Duration = Duration::from_secs(30 * 365 * 86_400);

/// The shortest time for which anything is stored: times in Redis are whole milliseconds.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// At most the longest duration that counts.
pub(crate) const fn capped(span: Duration) -> Duration {
    // `Duration` cannot be compared in a constant.
    if span.as_secs() >= LONGEST.as_secs() { LONGEST } else { span }
}

/// The same for an option that makes no sense without some time.
///
/// # Panics
///
/// With `mistake`, if there is not even a millisecond. This runs while a static is evaluated, so
/// the panic is a compile error at the attribute.
#[track_caller]
pub(crate) const fn positive(span: Duration, mistake: &'static str) -> Duration {
    assert!(span.as_millis() > 0, "{}", mistake);
    capped(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_counts_as_the_longest() {
        for span in [Duration::ZERO, SHORTEST, LONGEST] {
            assert_eq!(capped(span), span);
        }
        for span in [LONGEST + Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(capped(span), LONGEST);
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert_eq!(positive(SHORTEST, "too short"), SHORTEST);
        for span in [Duration::ZERO, Duration::from_micros(999)] {
            let refused = std::panic::catch_unwind(|| positive(span, "too short")).unwrap_err();
            assert_eq!(refused.downcast_ref::<String>().map(String::as_str), Some("too short"));
        }
    }
}
