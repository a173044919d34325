//! What a server says of itself when it is connected to.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::record::Origin;
use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::multiplexer::Multiplexer;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::supported::Scripting;
use crate::store::redis::url::Access;

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

impl Server {
    /// Whether it does not say who it is, so that nobody can tell it from its successor.
    pub(in crate::store) fn is_anonymous(&self) -> bool {
        self.origin == Origin::default()
    }

    pub(in crate::store) async fn ask(
        connection: &Multiplexer,
        access: &Access,
        client: &str,
    ) -> Result<Self, Cause> {
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("server");
        questions.cmd("INFO").arg("replication");
        Scripting::try_out(&mut questions);
        questions.cmd("CLIENT").arg("SETNAME").arg(client);
        let answers = connection.send(&questions).await?;
        let [server, replication, eval, evalsha, ..] = &answers[..] else {
            return Err(Cause::Protocol("not a Redis server"));
        };
        if let RespValue::ServerError(error) = server
            && error.code() == "NOAUTH"
        {
            return Err(refusal(error, access).into());
        }
        let (server, replication) =
            (server.text().unwrap_or_default(), replication.text().unwrap_or_default());
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
pub(in crate::store) fn has_sent(info: &RespValue) -> bool {
    field(info.text().unwrap_or_default(), "master_repl_offset").is_some_and(|offset| offset != "0")
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
