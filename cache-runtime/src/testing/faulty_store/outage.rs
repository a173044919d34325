//! A server that dies and comes back empty, and how processes find it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_testing::dice::Dice;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::store::memory::MemoryStore;
use crate::store::quiet::{self, LONGEST_PAUSE, Quiet};
use crate::testing::faulty_store::network::Network;

/// Of a hundred attempts that writes ask for, as many get through in time.
const HASTENED: u64 = 30;

/// Whether the server runs, and which of its lives it is.
#[derive(Debug, Default)]
pub(crate) struct Server {
    state: Mutex<Life>,
}

/// A time for which a server runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Life {
    number: u64,
    is_down: bool,
}

/// A process's connection.
#[derive(Debug)]
pub(super) struct Link {
    dice: Dice,
    server: Arc<Server>,
    /// The life of the server that it is to; none while it is lost.
    connected: watch::Sender<Option<u64>>,
    quiet: Quiet,
}

impl Server {
    /// Kills it, and starts it again after a while, with nothing in it.
    pub(crate) async fn restart(
        &self,
        down: Duration,
        memory: &MemoryStore,
        networks: &[Arc<Network>],
    ) {
        {
            let mut life = self.life();
            *life = Life { number: life.number + 1, is_down: true };
        }
        memory.lose_everything();
        for network in networks {
            let network = Arc::clone(network);
            network.link.lose();
            tokio::spawn(async move { network.link.reconnect().await });
        }
        sleep(down).await;
        self.life().is_down = false;
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life that it is in; none while it is down.
    fn alive(&self) -> Option<u64> {
        let life = *self.life();
        (!life.is_down).then_some(life.number)
    }
}

impl Link {
    pub(super) fn new(dice: &Dice, server: Arc<Server>) -> Self {
        let connected = watch::Sender::new(server.alive());
        Self { dice: dice.fork(7), server, connected, quiet: Quiet::default() }
    }

    /// The life of the server that a command is sent to; none where there is no connection.
    pub(super) fn life(&self) -> Option<u64> {
        *self.connected.borrow()
    }

    /// Whether a connection to that life of the server is still there.
    pub(super) fn is_alive(&self, life: u64) -> bool {
        self.server.alive() == Some(life)
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.is_on()
    }

    /// Waits until the connection has been lost or established.
    pub(super) async fn changed(&self) {
        _ = self.connected.subscribe().changed().await;
    }

    /// A write has the server tried at once, which is not always in time.
    pub(super) fn hasten(&self) {
        if self.life().is_none() && self.dice.percent(HASTENED) {
            self.attempt();
        }
    }

    fn lose(&self) {
        self.connected.send_replace(None);
    }

    /// Tries again and again, with pauses that have grown to the longest.
    async fn reconnect(&self) {
        let mut next = Instant::now();
        while self.life().is_none() {
            let longest = u64::try_from(LONGEST_PAUSE.as_millis()).unwrap_or_default();
            next += Duration::from_millis(self.dice.below(longest));
            sleep_until(next).await;
            self.attempt();
        }
    }

    fn attempt(&self) {
        let Some(life) = self.server.alive() else { return };
        self.connected.send_if_modified(|connected| {
            let is_new = connected.is_none();
            if is_new {
                self.quiet.begin(quiet::span(Duration::ZERO));
                *connected = Some(life);
            }
            is_new
        });
    }
}
