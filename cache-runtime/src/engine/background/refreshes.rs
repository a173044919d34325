//! The entries that this process is refreshing: a limited number at once, and each only once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::background::Background;
use crate::support::log;

/// Entries that are remembered before those are looked for whose rest is over.
const FEW: usize = 64;

/// The running refreshes, and those that have failed a moment ago.
#[derive(Debug)]
pub(super) struct Refreshes {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    running: usize,
    /// None may begin any more.
    closed: bool,
    /// The log says that there are too many.
    announced: bool,
    entries: HashMap<Arc<str>, Stage>,
    /// How many entries there may be before those are forgotten whose rest is over.
    forget_at: usize,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Running,
    /// The last one failed, or another process is at it.
    Resting(Instant),
}

/// What becomes of the wish to refresh.
#[derive(Debug)]
pub(crate) enum Claimed {
    Granted(RefreshClaim),
    /// This process is at it.
    Busy,
    /// The last attempt was a moment ago, and failed.
    Resting,
    /// Too many are running, or the cache is shutting down.
    Full,
}

/// The right to refresh an entry; given back when dropped.
#[derive(Debug)]
pub(crate) struct RefreshClaim {
    background: Arc<Background>,
    key: Arc<str>,
    rest: Option<Duration>,
}

impl Refreshes {
    pub(super) fn new(limit: usize) -> Self {
        let state = State {
            running: 0,
            closed: false,
            announced: false,
            entries: HashMap::new(),
            forget_at: FEW,
        };
        Self { limit, state: Mutex::new(state) }
    }

    pub(super) fn claim(background: &Arc<Background>, key: &str) -> Claimed {
        let this = &background.refreshes;
        let mut state = this.state();
        match state.entries.get(key) {
            Some(Stage::Running) => return Claimed::Busy,
            Some(Stage::Resting(until)) if *until > Instant::now() => return Claimed::Resting,
            _ if state.closed => return Claimed::Full,
            _ => {}
        }
        if state.running >= this.limit {
            if !std::mem::replace(&mut state.announced, true) {
                log::warn(format_args!(
                    "{} refreshes are under way, as many as may be: further stale values are \
                        served without one",
                    this.limit
                ));
            }
            return Claimed::Full;
        }
        state.running += 1;
        let key: Arc<str> = key.into();
        state.entries.insert(Arc::clone(&key), Stage::Running);
        drop(state);
        Claimed::Granted(RefreshClaim { background: Arc::clone(background), key, rest: None })
    }

    pub(super) fn rest(&self, key: Arc<str>, rest: Duration) {
        self.state().rest(key, rest);
    }

    pub(super) fn is_resting(&self, key: &str) -> bool {
        let resting =
            |stage: &Stage| matches!(stage, Stage::Resting(until) if *until > Instant::now());
        self.state().entries.get(key).is_some_and(resting)
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    pub(super) fn running(&self) -> usize {
        self.state().running
    }

    /// No code that may panic runs under this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, key: Arc<str>, rest: Option<Duration>) {
        self.running -= 1;
        if self.running == 0 {
            self.announced = false;
        }
        match rest {
            Some(rest) => self.rest(key, rest),
            None => _ = self.entries.remove(&key),
        }
    }

    fn rest(&mut self, key: Arc<str>, rest: Duration) {
        let now = Instant::now();
        self.entries.insert(key, Stage::Resting(now + rest));
        if self.entries.len() > self.forget_at {
            self.entries.retain(|_, stage| match stage {
                Stage::Running => true,
                Stage::Resting(until) => *until > now,
            });
            self.forget_at = FEW.max(2 * self.entries.len());
        }
    }
}

impl RefreshClaim {
    /// How long no other refresh of the entry starts in this process after this one has ended;
    /// `None` for not at all.
    pub(crate) fn rest(&mut self, rest: Option<Duration>) {
        self.rest = rest;
    }
}

impl Drop for RefreshClaim {
    fn drop(&mut self) {
        let key = std::mem::replace(&mut self.key, "".into());
        self.background.refreshes.state().end(key, self.rest);
        self.background.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(claimed: Claimed) -> RefreshClaim {
        let Claimed::Granted(claim) = claimed else { panic!("{claimed:?}") };
        claim
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_is_refreshed_once_at_a_time() {
        let background = Background::new(2);
        let mut first = granted(background.claim("a"));
        assert!(matches!(background.claim("a"), Claimed::Busy));
        let second = granted(background.claim("b"));
        assert!(matches!(background.claim("c"), Claimed::Full));
        drop(second);
        drop(granted(background.claim("c")));

        first.rest(Some(Duration::from_secs(1)));
        drop(first);
        assert!(matches!(background.claim("a"), Claimed::Resting));
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(granted(background.claim("a")));
        assert_eq!(background.refreshes.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn entries_whose_rest_is_over_are_forgotten() {
        let background = Background::new(1);
        for number in 0..10 * FEW {
            let mut claim = granted(background.claim(&number.to_string()));
            claim.rest(Some(Duration::from_millis(1)));
            drop(claim);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(background.refreshes.state().entries.len() <= 2 * FEW);
    }
}
