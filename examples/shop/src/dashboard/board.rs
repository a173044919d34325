//! The last ticks, and who waits for the next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::catalog::catalog;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::dashboard::figures::Figures;
use crate::dashboard::tick::Tick;
use crate::shop::Shop;

/// How many ticks are remembered, and shown.
const REMEMBERED: usize = 90;

/// Where ticks are put up.
#[derive(Debug, Default)]
pub(crate) struct Board {
    last: Mutex<VecDeque<Arc<Tick>>>,
    newest: watch::Sender<Arc<Tick>>,
}

impl Board {
    /// From the oldest to the newest.
    pub(crate) fn last(&self) -> Vec<Arc<Tick>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Tick>> {
        self.newest.subscribe()
    }

    fn put_up(&self, tick: Tick) {
        let tick = Arc::new(tick);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == REMEMBERED {
            last.pop_front();
        }
        last.push_back(Arc::clone(&tick));
        drop(last);
        self.newest.send_replace(tick);
    }
}

/// Puts up a tick each second until the service stops.
pub(crate) async fn watch(shop: Shop) {
    let (catalog, stopped) = (catalog(), shop.stopped.clone());
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Arc::default();
    let ticking = async {
        loop {
            seconds.tick().await;
            let figures = Figures::of(&shop.cache.stats(), &catalog);
            shop.board.put_up(Tick::after(&before, figures, &shop));
            before = Arc::clone(&shop.board.newest.borrow());
        }
    };
    tokio::select! {
        () = ticking => {}
        () = stopped.heard() => {}
    }
}
