//! Keeps one server connected.

mod probe;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::probe::Finding;
use crate::store::quiet;
use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::backoff::{Backoff, LONGEST};
use crate::store::redis::connection::breaker::{Alarms, Breaker};
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::large::LargeKeys;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::script::supported;
use crate::support::log;
use crate::support::random::random_fraction;

/// Releases the breaker when the supervisor's task ends, including when its runtime is shut down.
struct Generation {
    breaker: Arc<Breaker>,
    number: u64,
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.breaker.release(self.number);
    }
}

/// Keeps a connection that has been replaced until the calls on it have ended.
fn linger(link: Arc<Link>, farewell: Duration) {
    tokio::spawn(async move {
        sleep(farewell).await;
        drop(link);
    });
}

pub(in crate::store) struct Supervisor {
    plan: Arc<Plan>,
    generation: Generation,
    large: Arc<LargeKeys>,
    backoff: Backoff,
}

impl Supervisor {
    /// The supervisor of a generation that was acquired; to be [run](Self::run) at once.
    pub(in crate::store) fn new(
        plan: Arc<Plan>,
        breaker: Arc<Breaker>,
        large: Arc<LargeKeys>,
        number: u64,
    ) -> Self {
        Self {
            plan,
            generation: Generation { breaker, number },
            large,
            backoff: Backoff::default(),
        }
    }

    /// Connects, again and again. The next supervisor aborts this task when it begins.
    pub(in crate::store) async fn run(mut self) {
        let mut connected = self.attempt().await;
        loop {
            let successor = match connected {
                Ok(link) => self.stand_by(link).await,
                Err(cause) => {
                    self.breaker().refuse(self.generation.number, &cause);
                    None
                }
            };
            connected = if let Some(link) = successor {
                Ok(link)
            } else {
                self.pause().await;
                self.attempt().await
            };
        }
    }

    fn breaker(&self) -> &Arc<Breaker> {
        &self.generation.breaker
    }

    /// Lets time pass until the next attempt, unless a write wants one.
    async fn pause(&mut self) {
        let pause = self.backoff.pause();
        self.breaker().heartbeat(pause);
        self.breaker().pause();
        _ = timeout(pause, self.breaker().hastened()).await;
    }

    /// Connects while calls are refused.
    async fn attempt(&mut self) -> Result<Arc<Link>, Cause> {
        self.breaker().attempt();
        self.connect().await
    }

    async fn connect(&mut self) -> Result<Arc<Link>, Cause> {
        let Plan { source, access, settings } = &*self.plan;
        let breaker = self.breaker();
        breaker.heartbeat(settings.connect_timeout);
        let connect = async {
            let endpoint = source.endpoint(access).await?;
            let epoch = breaker.next_epoch();
            let watch = || breaker.watch(epoch);
            let link = Link::open(endpoint, access, settings, epoch, watch).await?;
            source.accept(&link.server)?;
            Ok(link)
        };
        let link =
            timeout(settings.connect_timeout, connect).await.unwrap_or(Err(Cause::TimedOut))?;
        self.backoff.up();
        Ok(Arc::new(link))
    }

    /// Lets calls through on `link` until it has to be replaced; by its successor, if there is one
    /// already.
    async fn stand_by(&mut self, link: Arc<Link>) -> Option<Arc<Link>> {
        // Before calls are let through: whoever wonders at what comes of them finds the reason in
        // the log.
        if self.plan.settings.distrust && link.server.is_anonymous() {
            log::warn(format_args!(
                "{}: does not say which primary it is, since `INFO` is refused: with \
                    `Failover::Distrust` nothing is cached; permit the user `+info`",
                self.plan.source
            ));
        }
        // Of what is refused later on, the call that it is refused to tells.
        if let Some(obstacle) = link.server.scripting.obstacle() {
            supported::tell_lost(&self.plan.source, obstacle);
        }
        let quiet = quiet::span(self.plan.settings.connect_timeout);
        self.breaker().publish(self.generation.number, &link, quiet);
        let plan = Arc::clone(&self.plan);
        let (successor, why) = tokio::select! {
            successor = self.serve_alarms(&link) => (successor, Cause::TimedOut),
            () = plan.source.moved(&plan.access, &link.endpoint) => (None, Cause::Topology("the \
                primary has moved")),
        };
        if successor.is_none() {
            self.breaker().withdraw(link.epoch, &why);
        }
        successor
    }

    /// Deals with alarms until the connection has to be replaced; its successor, if there is one.
    async fn serve_alarms(&mut self, link: &Arc<Link>) -> Option<Arc<Link>> {
        let (mut since, mut asked) = (Instant::now(), Instant::now());
        let ConnectionSettings { heartbeat, max_age, .. } = self.plan.settings;
        let mut beats_at = asked + heartbeat;
        let mut ends_at = max_age.map(|age| asked + age.mul_f64(1.0 - random_fraction() / 10.0));
        loop {
            let asks_at = link.server.scripting.pause().map(|pause| asked + pause);
            let times = [Some(beats_at), ends_at, asks_at].into_iter().flatten();
            let Some(alarms) = self.alarm_before(times.min()).await else {
                let now = Instant::now();
                if beats_at <= now {
                    if !self.beats(link).await {
                        return None;
                    }
                    beats_at = Instant::now() + heartbeat;
                }
                if ends_at.is_some_and(|end| end <= now) {
                    if let Ok(successor) = self.connect().await {
                        linger(Arc::clone(link), self.plan.settings.farewell());
                        return Some(successor);
                    }
                    ends_at = Some(Instant::now() + LONGEST);
                }
                if asks_at.is_some_and(|asks| asks <= now) {
                    self.ask_for_scripts(link).await;
                    asked = Instant::now();
                }
                continue;
            };
            if alarms.scriptless() {
                asked = Instant::now();
            }
            if self.breaker().is_gone(link.epoch) {
                return None;
            }
            if alarms.doubt() {
                match self.probe_until_healthy(link).await {
                    Finding::Stays => {}
                    Finding::Blocked => return self.evade(link).await,
                    Finding::Lost => return None,
                }
            }
            // Only occasionally: a server that is not a primary may stay that way, and reads still
            // work.
            if alarms.demoted() && since.elapsed() >= LONGEST {
                since = Instant::now();
                if let Ok(successor) = self.connect().await {
                    return Some(successor);
                }
            }
        }
    }

    /// Waits for the next alarms; none if there are none until `time`.
    async fn alarm_before(&self, time: Option<Instant>) -> Option<Alarms> {
        match time {
            Some(time) => timeout_at(time, self.breaker().alarm()).await.ok(),
            None => Some(self.breaker().alarm().await),
        }
    }

    /// Asks a server that ran no scripts whether it does by now. A busy one may take its time: what
    /// is the matter meanwhile is looked after then, and calls that are not answered open the
    /// breaker by themselves.
    async fn ask_for_scripts(&self, link: &Link) {
        let ConnectionSettings { connect_timeout, .. } = self.plan.settings;
        self.breaker().heartbeat(connect_timeout);
        let question = link.server.scripting.ask_again(link.connection.clone());
        if let Ok(true) = timeout(connect_timeout, question).await {
            supported::tell_regained(&self.plan.source);
        }
    }

    /// Another connection for all calls but those that wait for a large value on this one: these
    /// have it for as long as calls may take. From now on, what may be large is not asked for by
    /// the connection that all share.
    async fn evade(&mut self, link: &Arc<Link>) -> Option<Arc<Link>> {
        self.large.expect();
        let successor = self.connect().await.ok()?;
        linger(Arc::clone(link), self.plan.settings.farewell());
        log::info(format_args!(
            "{}: a large value holds up other replies, which have a new connection",
            self.plan.source
        ));
        Some(successor)
    }
}
