//! A worker's own connection to the server of one partition.

mod replicated;

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;
use tokio::time::timeout_at;

use crate::record::Origin;
use crate::store::queue::redis::call::{Call, number};
use crate::store::queue::redis::reply;
use crate::store::queue::redis::scripts::{ACK, BURY, READ, RENEW, UNHEARD};
use crate::store::queue::{Claim, Lane, Position, ReadFrom, ReadReply, Renewal, Unheard};
use crate::store::redis::commands::encode::millis;
use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::dial::{DriverTask, dial, log_in};
use crate::store::redis::connection::error::{Cause, refusal};
use crate::store::redis::connection::multiplexer::Multiplexer;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::refusal::is_error;
use crate::store::redis::connection::server::Server;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::discovery::Source;
use crate::store::redis::url::Endpoint;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// How much later than asked a command that blocks may answer: the server is as punctual as its
/// load permits.
const GRACE: Duration = Duration::from_secs(1);

/// A connection on which commands may block. It is of no use any more after an error other than a
/// refusal.
#[derive(Debug)]
pub(crate) struct Line {
    connection: Multiplexer,
    origin: Origin,
    endpoint: Box<Endpoint>,
    plan: Arc<Plan>,
    /// Of the connection that all others share.
    breaker: Arc<Breaker>,
    _driver: DriverTask,
}

impl Line {
    pub(super) async fn open(plan: Arc<Plan>, breaker: Arc<Breaker>) -> StoreResult<Self> {
        Self::connect(plan, breaker).await.map_err(|cause| match cause {
            Cause::NoPassword(refusal) | Cause::Refused(refusal) => StoreError::Refused(refusal),
            Cause::TimedOut => StoreError::TimedOut,
            _ => StoreError::Down,
        })
    }

    /// Another one to the same server, or to whatever has taken its place.
    pub(crate) async fn another(&self, by: Deadline) -> StoreResult<Self> {
        let opening = Self::open(Arc::clone(&self.plan), Arc::clone(&self.breaker));
        timeout_at(by, Box::pin(opening)).await.map_err(|_| StoreError::TimedOut)?
    }

    async fn connect(plan: Arc<Plan>, breaker: Arc<Breaker>) -> Result<Self, Cause> {
        let Plan { source, access, settings } = &*plan;
        let endpoint = source.endpoint(access).await?;
        let stream = dial(&endpoint, access.tls, settings.connect_timeout).await?;
        let (connection, driver) = log_in(stream, access, ()).await?;
        let server = Server::ask(&connection, access, &settings.client_name).await?;
        if matches!(source, Source::Primary(_)) && !server.is_primary {
            return Err(Cause::Topology("no primary yet"));
        }
        let origin = server.origin;
        let endpoint = Box::new(endpoint);
        Ok(Self { connection, origin, endpoint, plan, breaker, _driver: driver })
    }

    /// Whether Sentinel has promoted another server since this connection was opened.
    pub(crate) fn is_of_the_past(&self) -> bool {
        self.breaker.link().as_ref().is_some_and(|link| link.endpoint != *self.endpoint)
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
        self.answer(self.call(&read, by).await?).map(|_| ())
    }

    /// The owner's next items; only those from before the partition's layout, if that is later than
    /// the settled one.
    pub(crate) async fn read(
        &self,
        lane: &Lane,
        claim: &Claim,
        count: usize,
        (from, settled): (ReadFrom, u64),
        by: Deadline,
    ) -> StoreResult<ReadReply> {
        let id = match from {
            ReadFrom::New => ">".to_owned(),
            ReadFrom::Pending(Position { generation, number }) => format!("{generation}-{number}"),
        };
        let call = Call::new(&READ)
            .key(&lane.owner)
            .key(&lane.stream)
            .key(&lane.clock)
            .arg(&claim.token)
            .arg(&claim.worker)
            .arg(number(count as u64))
            .arg(id)
            .arg(number(settled));
        reply::read(self.run(&call, by).await?).ok_or(StoreError::Unexpected)
    }

    /// Keeps the partition, from now on under the token `fresh`. False: it is lost.
    pub(crate) async fn renew(
        &self,
        lane: &Lane,
        claim: &Claim,
        Renewal { fresh, is_late }: Renewal<'_>,
        by: Deadline,
    ) -> StoreResult<bool> {
        let call = Call::new(&RENEW)
            .key(&lane.owner)
            .key(&lane.stream)
            .arg(&claim.token)
            .arg(number(millis(claim.lease)))
            .arg(fresh)
            .arg(if is_late { &claim.worker } else { "" });
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

    /// Counts owners that ended without a word from the sink: how many there are. None: the
    /// partition is lost.
    pub(crate) async fn unheard(
        &self,
        lane: &Lane,
        claim: &Claim,
        more: Unheard,
        by: Deadline,
    ) -> StoreResult<Option<u32>> {
        let call = Call::new(&UNHEARD).key(&lane.owner).key(&lane.clock).arg(&claim.token).arg(
            match more {
                Unheard::One => "1",
                Unheard::NotOne => "-1",
                Unheard::None => "0",
            },
        );
        match self.run(&call, by).await? {
            RespValue::Int(-1) => Ok(None),
            RespValue::Int(owners) => {
                u32::try_from(owners).map(Some).map_err(|_| StoreError::Unexpected)
            }
            _ => Err(StoreError::Unexpected),
        }
    }

    /// A reply that is no refusal.
    fn answer(&self, reply: RespValue) -> StoreResult<RespValue> {
        match reply {
            RespValue::ServerError(error) => {
                Err(StoreError::Refused(refusal(&error, &self.plan.access)))
            }
            reply => Ok(reply),
        }
    }

    async fn decide(&self, call: &Call, by: Deadline) -> StoreResult<bool> {
        reply::decision(&self.run(call, by).await?)
    }

    async fn run(&self, call: &Call, by: Deadline) -> StoreResult<RespValue> {
        let mut reply = self.call(&call.by_sha(), by).await?;
        if is_error(&reply, "NOSCRIPT") {
            reply = self.call(&call.by_body(), by).await?;
        }
        self.answer(reply)
    }

    async fn call(&self, command: &Cmd, by: Deadline) -> StoreResult<RespValue> {
        let connection = self.connection.clone();
        let reply = connection.send(command);
        match timeout_at(by, reply).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(StoreError::Lost),
            Err(_) => Err(StoreError::TimedOut),
        }
    }
}
