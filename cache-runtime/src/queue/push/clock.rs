//! When items are pushed: a hybrid clock, which follows the wall clock and never goes back.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

use crate::store::queue::PushTime;
use crate::support::clock::wall_us;
use crate::support::random::random_u64;

/// The latest time of a stamp that this process has made or seen.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Keeps that time instead, where it keeps any: all processes of a simulation are in this one.
pub(crate) static SUBSTITUTE: OnceLock<fn() -> Option<Rc<AtomicU64>>> = OnceLock::new();

/// A stamp later than all that this process has made or [seen](observe).
pub(in crate::queue) fn now() -> PushTime {
    now_for(1)
}

/// The same for so many items, of which each gets a microsecond more than the one before.
pub(in crate::queue) fn now_for(items: usize) -> PushTime {
    let (wall, more) = (wall_us(), (items as u64).saturating_sub(1));
    let next = |last: u64| wall.max(last.saturating_add(1));
    let last = with_last(|last| {
        let after = |last| Some(next(last).saturating_add(more));
        last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after)
    });
    PushTime { us: next(last.unwrap_or_else(|last| last)), node: node() }
}

/// A number that is this process's own among those that push.
pub(crate) fn node() -> u16 {
    static NODE: LazyLock<u16> = LazyLock::new(|| {
        u16::try_from(random_u64() % u64::from(PushTime::NODES)).unwrap_or_default()
    });
    *NODE
}

/// Another process, or the partition, was ahead.
pub(in crate::queue) fn observe(us: u64) {
    with_last(|last| last.fetch_max(us, Ordering::Relaxed));
}

fn with_last<R>(act: impl FnOnce(&AtomicU64) -> R) -> R {
    match SUBSTITUTE.get().and_then(|substitute| substitute()) {
        Some(last) => act(&last),
        None => act(&LAST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_also_past_what_others_had() {
        let (first, second) = (now(), now());
        assert!(first.us < second.us && first.version() < second.version());
        let ahead = second.us + 1_000_000;
        observe(ahead);
        assert!(now().us > ahead);
        observe(1);
        assert!(now().us > ahead);
        let several = now_for(10);
        assert!(now().us >= several.us + 10);
    }

    #[test]
    fn a_version_tells_time_before_node() {
        let version = |us, node| PushTime { us, node }.version();
        assert!(version(1, PushTime::NODES - 1) < version(2, 0));
        assert!(version(2, 0) < version(2, 1));
        assert!(version((1 << 52) - 1, PushTime::NODES - 1) > 0);
    }
}
