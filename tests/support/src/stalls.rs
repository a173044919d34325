//! What this machine takes away: the time for which it does not run a thread that is due.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often the thread is due.
const BEAT: Duration = Duration::from_millis(5);

/// When the thread ran, and how late it was, in the order of time.
static STALLS: Mutex<Vec<(Instant, Duration)>> = Mutex::new(Vec::new());

fn stalls() -> MutexGuard<'static, Vec<(Instant, Duration)>> {
    STALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to watch, for as long as this program runs.
pub fn watch() {
    static ONCE: Once = Once::new();
    // A thread of its own: what blocks those of the runtime is not the machine's fault.
    ONCE.call_once(|| drop(thread::spawn(beat)));
}

fn beat() {
    loop {
        let due = Instant::now() + BEAT;
        thread::sleep(BEAT);
        let now = Instant::now();
        let late = now.saturating_duration_since(due);
        if late > Duration::from_millis(1) {
            stalls().push((now, late));
        }
    }
}

/// How much of the time since `begun`, and before it was over `took` later, was taken away.
pub fn within(begun: Instant, took: Duration) -> Duration {
    let (stalls, end) = (stalls(), begun + took);
    let first = stalls.partition_point(|(ran, _)| *ran < begun);
    let lost = stalls[first..].iter().map_while(|(ran, late)| {
        let since = ran.checked_sub(*late).unwrap_or(begun).max(begun);
        (since < end).then(|| ran.min(&end).saturating_duration_since(since))
    });
    lost.sum()
}
