//! One connection to one server.

use std::sync::Weak;
use std::sync::atomic::AtomicBool;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Value};

use super::breaker::Breaker;
use super::cause::Cause;
use super::dial::{Driver, dial, log_in, login};
use super::url::{Access, Endpoint};
use crate::record::Origin;

/// A connection with its driver. Dropping it closes the socket, and every call still on it ends at once.
#[derive(Debug)]
pub(super) struct Link {
    /// Tells this connection from those before and after it.
    pub(super) epoch: u64,
    pub(super) endpoint: Endpoint,
    pub(super) connection: MultiplexedConnection,
    pub(super) server: Server,
    driver: Driver,
}

/// What the server said of itself.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) origin: Origin,
    pub(super) is_primary: bool,
    /// Whether this user may run scripts.
    pub(super) runs_scripts: AtomicBool,
    /// Whether `SET` takes `NX` and `GET` together, as from Redis 7.0.
    pub(super) sets_and_gets: AtomicBool,
}

/// Tells the breaker that a connection has ended.
struct Ended {
    breaker: Weak<Breaker>,
    epoch: u64,
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(breaker) = self.breaker.upgrade() {
            breaker.lost(self.epoch);
        }
    }
}

impl Link {
    /// Connects under the name `client`; `breaker` is notified when the connection ends.
    pub(super) async fn open(
        endpoint: Endpoint,
        access: &Access,
        client: &str,
        epoch: u64,
        breaker: Weak<Breaker>,
    ) -> Result<Self, Cause> {
        let stream = dial(&endpoint, access.tls).await?;
        let (mut connection, driver) =
            log_in(stream, &login(access), AsyncConnectionConfig::new(), Ended { breaker, epoch })
                .await?;
        let server = Server::ask(&mut connection, client).await?;
        Ok(Self { epoch, endpoint, connection, server, driver })
    }

    /// Ends the connection, and with it every call on it.
    pub(super) fn close(&self) {
        self.driver.stop();
    }

    /// Whether the server answers, be it with an error.
    pub(super) async fn ping(&self) -> bool {
        let mut ping = Cmd::with_capacity(1, 4);
        ping.arg("PING");
        self.connection.clone().send_packed_command(&ping).await.is_ok()
    }
}

impl Server {
    pub(super) async fn ask(
        connection: &mut MultiplexedConnection,
        client: &str,
    ) -> Result<Self, Cause> {
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("server");
        questions.cmd("INFO").arg("replication");
        questions.cmd("EVAL").arg("return 1").arg(0);
        questions.cmd("CLIENT").arg("SETNAME").arg(client);
        let count = questions.len();
        let answers = connection.send_packed_commands(&questions, 0, count).await?;
        let [server, replication, script, ..] = &answers[..] else {
            return Err(Cause::Other("not a Redis server"));
        };
        if let Value::ServerError(error) = server
            && error.code() == "NOAUTH"
        {
            return Err(Cause::Refused(error.code().to_owned()));
        }
        let (server, replication) = (text(server), text(replication));
        Ok(Self {
            origin: origin(field(server, "run_id"), field(replication, "master_replid")),
            is_primary: field(replication, "role").is_none_or(|role| role == "master"),
            runs_scripts: AtomicBool::new(!matches!(
                script,
                Value::ServerError(error) if matches!(error.code(), "NOPERM" | "ERR")
            )),
            sets_and_gets: AtomicBool::new(true),
        })
    }
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

/// A primary's identity. Its run alone is not enough, a demoted node may come back with it; its replication alone
/// survives a restart from an old snapshot.
fn origin(run: Option<&str>, replication: Option<&str>) -> Origin {
    match (run, replication) {
        (Some(run), Some(replication)) => Origin(
            xxhash_rust::xxh3::xxh3_64(format!("{run}{replication}").as_bytes()).to_be_bytes(),
        ),
        _ => Origin::default(),
    }
}
