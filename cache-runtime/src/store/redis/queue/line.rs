//! A worker's own connection to the server of one partition.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, Value};
use tokio::time::timeout_at;

use super::super::breaker::Breaker;
use super::super::calls::millis;
use super::super::cause::Cause;
use super::super::dial::{Driver, dial, log_in, login};
use super::super::link::Server;
use super::super::script::{self, Script};
use super::super::session::is_error;
use super::super::source::Source;
use super::super::supervisor::Plan;
use super::super::url::Endpoint;
use super::call::{self, Call, number};
use super::{PUSH, reply};
use crate::queue::Position;
use crate::record::Origin;
use crate::store::queue::{Added, Addition, Claim, From, Lane, Read};
use crate::store::{Deadline, StoreError, StoreResult};

static READ: Script = script::queue!("read");
static RENEW: Script = script::queue!("renew_owner");
static ACK: Script = script::queue!("ack");
static BURY: Script = script::queue!("bury");

/// How much later than asked a command that blocks may answer: the server is as punctual as its load permits.
const GRACE: Duration = Duration::from_secs(1);

/// A connection on which commands may block. It is of no use any more after an error other than a refusal.
#[derive(Debug)]
pub(crate) struct Line {
    connection: MultiplexedConnection,
    origin: Origin,
    endpoint: Endpoint,
    /// Of the connection that all others share.
    breaker: Arc<Breaker>,
    _driver: Driver,
}

impl Line {
    pub(super) async fn open(plan: &Plan, breaker: Arc<Breaker>) -> StoreResult<Self> {
        Self::connect(plan, breaker).await.map_err(|cause| match cause {
            Cause::Refused(code) => StoreError::Refused(code),
            Cause::TimedOut => StoreError::TimedOut,
            Cause::Io(_) | Cause::Other(_) => StoreError::Down,
        })
    }

    async fn connect(plan: &Plan, breaker: Arc<Breaker>) -> Result<Self, Cause> {
        let Plan { source, access, settings } = plan;
        let endpoint = source.endpoint(access).await?;
        let stream = dial(&endpoint, access.tls).await?;
        let (mut connection, driver) =
            log_in(stream, &login(access), AsyncConnectionConfig::new(), ()).await?;
        let server = Server::ask(&mut connection, &settings.client_name).await?;
        if matches!(source, Source::Primary(_)) && !server.is_primary {
            return Err(Cause::Other("no primary yet"));
        }
        let origin = server.origin;
        Ok(Self { connection, origin, endpoint, breaker, _driver: driver })
    }

    /// Whether the sentinels have deposed its server, which may know nothing of that.
    pub(crate) fn is_of_the_past(&self) -> bool {
        self.breaker.link().as_ref().is_some_and(|link| link.endpoint != self.endpoint)
    }

    /// Waits until the partition holds more than `last`, for at most `limit`.
    pub(crate) async fn wait(
        &self,
        lane: &Lane,
        last: Position,
        limit: Duration,
    ) -> StoreResult<()> {
        let mut read = redis::cmd("XREAD");
        let id = format!("{}-{}", last.generation, last.number);
        read.arg("COUNT").arg(1).arg("BLOCK").arg(millis(limit));
        read.arg("STREAMS").arg(&lane.stream).arg(id);
        let by = Deadline::now() + limit + GRACE;
        answer(self.call(&read, by).await?).map(|_| ())
    }

    /// The owner's next items.
    pub(crate) async fn read(
        &self,
        lane: &Lane,
        claim: &Claim,
        count: usize,
        from: From,
        by: Deadline,
    ) -> StoreResult<Read> {
        let id = match from {
            From::New => ">".to_owned(),
            From::Pending(Position { generation, number }) => format!("{generation}-{number}"),
        };
        let call = Call::new(&READ)
            .key(&lane.owner)
            .key(&lane.stream)
            .key(&lane.clock)
            .arg(&claim.token)
            .arg(&claim.worker)
            .arg(number(count as u64))
            .arg(id);
        reply::read(self.run(&call, by).await?).ok_or(StoreError::Unexpected)
    }

    /// Keeps the partition, from now on under the token `fresh`. False: it is lost.
    pub(crate) async fn renew(
        &self,
        lane: &Lane,
        claim: &Claim,
        fresh: &str,
        by: Deadline,
    ) -> StoreResult<bool> {
        let call = Call::new(&RENEW)
            .key(&lane.owner)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)))
            .arg(fresh);
        self.decide(&call, by).await
    }

    /// Removes what was delivered. False: the partition is lost, and nothing was removed.
    pub(crate) async fn ack(
        &self,
        lane: &Lane,
        claim: &Claim,
        done: &[Position],
        by: Deadline,
    ) -> StoreResult<bool> {
        let mut call = Call::new(&ACK)
            .key(&lane.owner)
            .key(&lane.stream)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)));
        for Position { generation, number } in done {
            call = call.arg(format!("{generation}-{number}"));
        }
        self.decide(&call, by).await
    }

    /// Moves an item to the dead letters. False: the partition is lost, and nothing was moved.
    pub(crate) async fn bury(
        &self,
        lane: &Lane,
        claim: &Claim,
        position: Position,
        error: &str,
        attempts: u32,
        by: Deadline,
    ) -> StoreResult<bool> {
        let call = Call::new(&BURY)
            .key(&lane.owner)
            .key(&lane.stream)
            .key(&lane.dead)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)))
            .arg(format!("{}-{}", position.generation, position.number))
            .arg(error)
            .arg(number(attempts.into()));
        self.decide(&call, by).await
    }

    /// Appends an item, and waits until so many replicas have it: how many have. The item is there also if the server does not
    /// say so, as it has become a replica itself (`UNBLOCKED`) or does not let this user ask.
    pub(crate) async fn push_replicated(
        &self,
        lane: &Lane,
        addition: Addition<'_>,
        replicas: u32,
        by: Deadline,
    ) -> StoreResult<(Added, StoreResult<u32>)> {
        let call = call::push(&PUSH, lane, &[addition], self.origin);
        let mut replies = self.call_and_wait(&call.by_sha(), replicas, by).await?;
        if is_error(&replies.0, "NOSCRIPT") {
            replies = self.call_and_wait(&call.by_body(), replicas, by).await?;
        }
        let (push, have) = (answer(replies.0)?, answer(replies.1));
        let added = reply::added(&push, 1)?.pop().ok_or(StoreError::Unexpected)?;
        let have = have.and_then(|have| match have {
            Value::Int(have) => Ok(u32::try_from(have).unwrap_or_default()),
            _ => Err(StoreError::Unexpected),
        });
        Ok((added, have))
    }

    async fn call_and_wait(
        &self,
        command: &Cmd,
        replicas: u32,
        by: Deadline,
    ) -> StoreResult<(Value, Value)> {
        let patience = by.saturating_duration_since(Deadline::now());
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(millis(patience));
        let mut both = Pipeline::new();
        both.add_command(command.clone()).add_command(wait);
        let mut connection = self.connection.clone();
        let replies = Box::pin(connection.send_packed_commands(&both, 0, 2));
        match timeout_at(by + GRACE, replies).await {
            Ok(Ok(replies)) => match <[Value; 2]>::try_from(replies) {
                Ok([reply, have]) => Ok((reply, have)),
                Err(_) => Err(StoreError::Unexpected),
            },
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }

    async fn decide(&self, call: &Call, by: Deadline) -> StoreResult<bool> {
        reply::decision(&self.run(call, by).await?)
    }

    async fn run(&self, call: &Call, by: Deadline) -> StoreResult<Value> {
        let mut reply = self.call(&call.by_sha(), by).await?;
        if is_error(&reply, "NOSCRIPT") {
            reply = self.call(&call.by_body(), by).await?;
        }
        answer(reply)
    }

    async fn call(&self, command: &Cmd, by: Deadline) -> StoreResult<Value> {
        let mut connection = self.connection.clone();
        let reply = Box::pin(connection.send_packed_command(command));
        match timeout_at(by, reply).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }
}

/// A reply that is no refusal.
fn answer(reply: Value) -> StoreResult<Value> {
    match reply {
        Value::ServerError(error) => Err(StoreError::Refused(error.code().to_owned())),
        reply => Ok(reply),
    }
}
