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

    /// Connects, again and again. Whoever takes office next aborts the task.
    pub(super) async fn run(mut self) {
        loop {
            match self.connect().await {
                Ok(link) => self.stand_by(Arc::new(link)).await,
                Err(cause) => self.breaker().refuse(self.term.number, &cause),
            }
            self.pause().await;
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

    async fn connect(&mut self) -> Result<Link, Cause> {
        let Plan { source, access, settings } = &*self.plan;
        let breaker = self.breaker();
        breaker.promise(settings.connect_timeout);
        let connect = async {
            let endpoint = source.endpoint(access).await?;
            let (epoch, observer) = (breaker.next_epoch(), Arc::downgrade(breaker));
            let link =
                Link::open(&endpoint, access, &settings.client_name, epoch, observer).await?;
            source.accept(link)
        };
        let link =
            timeout(settings.connect_timeout, connect).await.unwrap_or(Err(Cause::TimedOut))?;
        self.backoff.up();
        Ok(link)
    }

    /// Lets calls through on `link` until it has to be replaced by another.
    async fn stand_by(&mut self, mut link: Arc<Link>) {
        self.breaker().publish(self.term.number, &link);
        let mut replaced = Instant::now();
        loop {
            let alarms = self.breaker().alarm().await;
            if self.breaker().is_gone(link.epoch) {
                return;
            }
            // Once in a while: a server that is no primary may stay that way, and reads still pass.
            if alarms.deposed() && replaced.elapsed() >= LONGEST {
                replaced = Instant::now();
                if let Ok(other) = self.connect().await {
                    link = Arc::new(other);
                    self.breaker().publish(self.term.number, &link);
                }
            }
            if alarms.doubt() && !self.nurse(&link).await {
                return self.breaker().withdraw(link.epoch, &Cause::TimedOut);
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

    /// Asks for a sign of life. Calls are refused from the moment when it is overdue.
    async fn probe(&self, link: &Link) -> Pulse {
        let Settings { connect_timeout, prompt, .. } = self.plan.settings;
        self.breaker().promise(connect_timeout);
        let mut pong = pin!(link.ping());
        match timeout(prompt, &mut pong).await {
            Ok(true) => return Pulse::Prompt,
            Ok(false) => return Pulse::None,
            Err(_) => self.breaker().withdraw(link.epoch, &Cause::TimedOut),
        }
        match timeout(connect_timeout.saturating_sub(prompt), pong).await {
            Ok(true) => Pulse::Slow,
            Ok(false) | Err(_) => Pulse::None,
        }
    }
}
