//! Keeps one server connected.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout};

use super::Settings;
use super::backoff::{Backoff, LONGEST};
use super::breaker::Breaker;
use super::cause::Cause;
use super::link::Link;
use super::source::Source;
use super::url::Access;

/// Where to connect, and how.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Source,
    pub(super) access: Access,
    pub(super) settings: Settings,
}

/// A supervisor's time in office, which ends with its task: also when that is dropped with its runtime.
struct Term {
    breaker: Arc<Breaker>,
    number: u64,
}

impl Drop for Term {
    fn drop(&mut self) {
        self.breaker.resign(self.number);
    }
}

/// How a server reacts to a probe.
enum Pulse {
    /// It answers as fast as calls need it.
    Prompt,
    /// It answers, but calls would not wait for it.
    Slow,
    None,
}

pub(super) struct Supervisor {
    plan: Arc<Plan>,
    term: Term,
    backoff: Backoff,
}

impl Supervisor {
    /// A supervisor for the term that was claimed; to be [run](Self::run) at once.
    pub(super) fn new(plan: Arc<Plan>, breaker: Arc<Breaker>, number: u64) -> Self {
        Self { plan, term: Term { breaker, number }, backoff: Backoff::default() }
    }

    /// Connects, again and again. The next supervisor aborts this task when it takes office.
    pub(super) async fn run(mut self) {
        let mut connected = self.connect().await;
        loop {
            let successor = match connected {
                Ok(link) => self.stand_by(link).await,
                Err(cause) => {
                    self.breaker().refuse(self.term.number, &cause);
                    None
                }
            };
            connected = if let Some(link) = successor {
                Ok(link)
            } else {
                self.pause().await;
                self.connect().await
            };
        }
    }

    fn breaker(&self) -> &Arc<Breaker> {
        &self.term.breaker
    }

    async fn pause(&mut self) {
        let pause = self.backoff.pause();
        self.breaker().promise(pause);
        sleep(pause).await;
    }

    async fn connect(&mut self) -> Result<Arc<Link>, Cause> {
        let Plan { source, access, settings } = &*self.plan;
        let breaker = self.breaker();
        breaker.promise(settings.connect_timeout);
        let connect = async {
            let endpoint = source.endpoint(access).await?;
            let (epoch, observer) = (breaker.next_epoch(), Arc::downgrade(breaker));
            let link = Link::open(endpoint, access, &settings.client_name, epoch, observer).await?;
            source.accept(link)
        };
        let link =
            timeout(settings.connect_timeout, connect).await.unwrap_or(Err(Cause::TimedOut))?;
        self.backoff.up();
        Ok(Arc::new(link))
    }

    /// Lets calls through on `link` until it has to be replaced; by its successor, if there is one already.
    async fn stand_by(&mut self, link: Arc<Link>) -> Option<Arc<Link>> {
        self.breaker().publish(self.term.number, &link);
        let plan = Arc::clone(&self.plan);
        let (successor, why) = tokio::select! {
            successor = self.attend(&link) => (successor, Cause::TimedOut),
            () = plan.source.moved(&plan.access, &link.endpoint) => (None, Cause::Other("the primary has moved")),
        };
        if successor.is_none() {
            self.breaker().withdraw(link.epoch, &why);
        }
        successor
    }

    /// Answers alarms until the connection has to be replaced.
    async fn attend(&mut self, link: &Arc<Link>) -> Option<Arc<Link>> {
        let mut since = Instant::now();
        loop {
            let alarms = self.breaker().alarm().await;
            if self.breaker().is_gone(link.epoch) || (alarms.doubt() && !self.nurse(link).await) {
                return None;
            }
            // Only occasionally: a server that is not a primary may stay that way, and reads still work.
            if alarms.deposed() && since.elapsed() >= LONGEST {
                since = Instant::now();
                if let Ok(successor) = self.connect().await {
                    return Some(successor);
                }
            }
        }
    }

    /// Sees to a connection on which a call was not answered. False: it is to be replaced.
    async fn nurse(&mut self, link: &Arc<Link>) -> bool {
        if let Pulse::None = self.probe(link).await {
            return false;
        }
        while !self.breaker().is_published(link.epoch) {
            self.pause().await;
            self.breaker().probe(self.term.number);
            match self.probe(link).await {
                Pulse::Prompt => {
                    self.backoff.up();
                    self.breaker().try_out(self.term.number, link);
                }
                Pulse::Slow => self.breaker().refuse(self.term.number, &Cause::TimedOut),
                Pulse::None => return false,
            }
        }
        true
    }

    /// Asks for a sign of life. Calls are refused from the moment when it is overdue, unless others are answered.
    async fn probe(&self, link: &Link) -> Pulse {
        let Settings { connect_timeout, prompt, .. } = self.plan.settings;
        self.breaker().promise(connect_timeout);
        self.breaker().suspect();
        let mut pong = pin!(link.ping());
        // In two halves: if it was this process that was paused, the second half finds the answer.
        for _ in 0..2 {
            match timeout(prompt / 2, &mut pong).await {
                Ok(true) => return Pulse::Prompt,
                Ok(false) => return Pulse::None,
                Err(_) => {}
            }
        }
        if self.breaker().is_suspect() {
            self.breaker().withdraw(link.epoch, &Cause::TimedOut);
        }
        match timeout(connect_timeout.saturating_sub(prompt), pong).await {
            Ok(true) => Pulse::Slow,
            Err(_) if !self.breaker().is_suspect() => Pulse::Slow,
            Ok(false) | Err(_) => Pulse::None,
        }
    }
}
