//! Whether a server answers, and what to do about a connection on which it does not.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::timeout;

use crate::store::redis::ConnectionSettings;
use crate::store::redis::connection::error::Cause;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::supervisor::Supervisor;

/// How a server reacts to a probe.
enum Pulse {
    /// It answers as fast as calls need it.
    Prompt,
    /// It answers, but calls would not wait for it.
    Slow,
    /// It is sending a large reply, and those that others wait for are behind it.
    Blocked,
    None,
}

/// What is to be done about a connection.
pub(super) enum Finding {
    Stays,
    /// The same server is to be asked by another one.
    Blocked,
    Lost,
}

impl Supervisor {
    /// Whether the server answers on a connection that nobody may have used for a while; otherwise
    /// it is to be replaced, before a call has to find out. Nobody waits, so the server may take
    /// its time.
    pub(super) async fn beats(&self, link: &Link) -> bool {
        let ConnectionSettings { connect_timeout, .. } = self.plan.settings;
        self.breaker().heartbeat(connect_timeout);
        self.breaker().suspect();
        let before = link.progress();
        match timeout(connect_timeout, link.ping()).await {
            Ok(answers) => answers,
            Err(_) => !self.breaker().is_suspect() || link.has_progressed(before),
        }
    }

    /// Probes a connection on which a call was not answered, until calls are let through again or
    /// it has to be replaced.
    pub(super) async fn probe_until_healthy(&mut self, link: &Arc<Link>) -> Finding {
        match self.probe(link).await {
            Pulse::Prompt | Pulse::Slow => {}
            Pulse::Blocked => return Finding::Blocked,
            Pulse::None => return Finding::Lost,
        }
        while !self.breaker().is_published(link.epoch) {
            self.pause().await;
            self.breaker().probe(self.generation.number);
            self.breaker().attempt();
            match self.probe(link).await {
                Pulse::Prompt => {
                    self.backoff.up();
                    self.breaker().try_out(self.generation.number, link);
                }
                Pulse::Slow => self.breaker().refuse(self.generation.number, &Cause::TimedOut),
                Pulse::Blocked => return Finding::Blocked,
                Pulse::None => return Finding::Lost,
            }
        }
        Finding::Stays
    }

    /// Asks for a sign of life. Calls are refused from the moment when it is overdue, unless others
    /// are answered.
    async fn probe(&self, link: &Link) -> Pulse {
        let ConnectionSettings { connect_timeout, prompt, .. } = self.plan.settings;
        self.breaker().heartbeat(connect_timeout);
        self.breaker().suspect();
        let mut pong = pin!(link.ping());
        let before = link.progress();
        // In two halves: if it was this process that was paused, the second half finds the answer.
        for _ in 0..2 {
            match timeout(prompt / 2, &mut pong).await {
                Ok(true) => return Pulse::Prompt,
                Ok(false) => return Pulse::None,
                Err(_) => {}
            }
        }
        if self.breaker().is_suspect() {
            if link.has_progressed(before) {
                return Pulse::Blocked;
            }
            self.breaker().withdraw(link.epoch, &Cause::TimedOut);
        }
        match timeout(connect_timeout.saturating_sub(prompt), pong).await {
            Ok(true) => Pulse::Slow,
            Err(_) if !self.breaker().is_suspect() => Pulse::Slow,
            Ok(false) | Err(_) => Pulse::None,
        }
    }
}
