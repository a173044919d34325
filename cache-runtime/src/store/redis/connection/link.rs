//! One connection to one server.

use std::sync::Weak;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};

use crate::record::Origin;
use crate::store::redis::Settings;
use crate::store::redis::commands::bulk::Bulk;
use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::dial::{Driver, Watch, dial, log_in};
use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::script::supported::Scripting;
use crate::store::redis::url::{Access, Endpoint};
use crate::support::budget::Deadline;

/// A connection with its driver. Dropping it closes the socket, and every call still on it ends at
/// once.
#[derive(Debug)]
pub(in crate::store) struct Link {
    /// Tells this connection from those before and after it.
    pub(in crate::store) epoch: u64,
    pub(in crate::store) endpoint: Endpoint,
    pub(in crate::store) connection: MultiplexedConnection,
    pub(in crate::store) server: Server,
    /// A second connection, for large values.
    pub(in crate::store) bulk: Bulk,
    driver: Driver,
    born: Instant,
    /// When the server last gave a sign of life that it was asked for, in milliseconds since
    /// `born`.
    heard: AtomicU64,
}

/// What the server said of itself.
#[derive(Debug)]
pub(in crate::store) struct Server {
    pub(in crate::store) origin: Origin,
    /// How long it has been running, at least.
    pub(in crate::store) age: Option<Duration>,
    pub(in crate::store) is_primary: bool,
    pub(in crate::store) scripting: Scripting,
    /// Whether `SET` takes `NX` and `GET` together, as from Redis 7.0.
    pub(in crate::store) sets_and_gets: AtomicBool,
}

/// Tells the breaker that a connection has ended.
struct Ended {
    breaker: Weak<Breaker>,
    epoch: u64,
    /// It has ended by itself, while its runtime was alive.
    is_seen: bool,
}

impl Watch for Ended {
    fn see(&mut self) {
        self.is_seen = true;
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.upgrade() {
            if self.is_seen {
                breaker.lost(self.epoch);
            } else {
                breaker.left(self.epoch);
            }
        }
    }
}

impl Link {
    /// Connects; `breaker` is notified when the connection ends.
    pub(in crate::store) async fn open(
        endpoint: Endpoint,
        access: &Access,
        settings: &Settings,
        epoch: u64,
        breaker: Weak<Breaker>,
    ) -> Result<Self, Cause> {
        let stream = dial(&endpoint, access.tls, settings.connect_timeout).await?;
        let (mut connection, driver) =
            log_in(stream, access, Ended { breaker, epoch, is_seen: false }).await?;
        let server = Server::ask(&mut connection, access, &settings.client_name).await?;
        let (born, heard) = (Instant::now(), AtomicU64::new(0));
        let bulk = Bulk::default();
        Ok(Self { epoch, endpoint, connection, server, bulk, driver, born, heard })
    }

    /// Ends the connection, and with it every call on it.
    pub(in crate::store) fn close(&self) {
        self.driver.stop();
    }

    /// Whether the server answers, be it with an error.
    pub(in crate::store) async fn ping(&self) -> bool {
        let mut ping = Cmd::with_capacity(1, 4);
        ping.arg("PING");
        let answers = self.connection.clone().send_packed_command(&ping).await.is_ok();
        if answers {
            self.heard.store(self.age_ms(), Relaxed);
        }
        answers
    }

    /// Whether the last sign of life that the server was asked for is no older than `age`. Asked by
    /// somebody whose `deadline` is yet to come: if it will be no older even then, nobody need look
    /// at the clock.
    pub(in crate::store) fn was_heard_within(&self, age: Duration, deadline: Deadline) -> bool {
        let heard = Duration::from_millis(self.heard.load(Relaxed));
        let until = self.born.checked_add(heard.saturating_add(age));
        until.is_none_or(|until| deadline.into_std() <= until || Instant::now() <= until)
    }

    /// How many bytes of a large reply have arrived; 0 while there is none.
    pub(in crate::store) fn progress(&self) -> u64 {
        self.driver.progress()
    }

    /// Whether more of a large reply has arrived since its progress was `before`.
    pub(in crate::store) fn has_progressed(&self, before: u64) -> bool {
        let progress = self.progress();
        progress != 0 && progress != before
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Server {
    /// Whether it does not say who it is, so that nobody can tell it from its successor.
    pub(in crate::store) fn is_anonymous(&self) -> bool {
        self.origin == Origin::default()
    }

    pub(in crate::store) async fn ask(
        connection: &mut MultiplexedConnection,
        access: &Access,
        client: &str,
    ) -> Result<Self, Cause> {
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("server");
        questions.cmd("INFO").arg("replication");
        Scripting::try_out(&mut questions);
        questions.cmd("CLIENT").arg("SETNAME").arg(client);
        let count = questions.len();
        let answers = connection.send_packed_commands(&questions, 0, count).await?;
        let [server, replication, eval, evalsha, ..] = &answers[..] else {
            return Err(Cause::Protocol("not a Redis server"));
        };
        if let Value::ServerError(error) = server
            && error.code() == "NOAUTH"
        {
            return Err(refusal(error, access).into());
        }
        let (server, replication) = (text(server), text(replication));
        Ok(Self {
            origin: origin(field(server, "run_id"), field(replication, "master_replid")),
            age: field(server, "uptime_in_seconds")
                .and_then(|age| Some(Duration::from_secs(age.parse().ok()?))),
            is_primary: field(replication, "role").is_none_or(|role| role == "master"),
            scripting: Scripting::tried([eval, evalsha]),
            sets_and_gets: AtomicBool::new(true),
        })
    }
}

/// Whether a server has ever sent anything to a replica, by what `INFO replication` says.
pub(in crate::store) fn has_sent(info: &Value) -> bool {
    field(text(info), "master_repl_offset").is_some_and(|offset| offset != "0")
}

fn text(value: &Value) -> &str {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

/// The value of `name:value` among the lines of `INFO`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// A primary's identity. Its run alone is not enough, a demoted node may come back with it; its
/// replication alone survives a restart from an old snapshot.
fn origin(run: Option<&str>, replication: Option<&str>) -> Origin {
    match (run, replication) {
        (Some(run), Some(replication)) => Origin(
            xxhash_rust::xxh3::xxh3_64(format!("{run}{replication}").as_bytes()).to_be_bytes(),
        ),
        _ => Origin::default(),
    }
}
