//! The connection that an operation found, used for all of its commands.

mod large;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout_at;

use crate::record::Origin;
use crate::store::redis::connection::admission::Admission;
use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::error;
use crate::store::redis::connection::large::LARGE;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::node::Node;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::refusal::{self, is_error};
use crate::store::redis::connection::turns::{Reading, Turns};
use crate::store::redis::script::Call;
use crate::store::redis::script::supported::Obstacle;
use crate::store::redis::topology::cluster::Redirection;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// One connection of one node. What several commands have in common (that a script was loaded, that
/// replies are in order) holds within it.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    node: &'a Node,
    // A handle of its own, and the little that is needed of the link: counting references to the
    // link as well would make all threads write to one more place, for every hit.
    connection: MultiplexedConnection,
    epoch: u64,
    origin: Origin,
    /// Why no scripts run, if none do.
    obstacle: Option<Obstacle>,
    sets_and_gets: bool,
    /// Every command is preceded by `ASKING`: the node does not serve the slot yet.
    asking: bool,
}

impl<'a> Session<'a> {
    pub(in crate::store) fn new(node: &'a Node, link: &Link) -> Self {
        Self {
            node,
            connection: link.connection.clone(),
            epoch: link.epoch,
            origin: link.server.origin,
            obstacle: link.server.scripting.obstacle(),
            sets_and_gets: link.server.sets_and_gets.load(Relaxed),
            asking: false,
        }
    }

    /// This session, for keys on their way to its node.
    pub(in crate::store) fn asking(self, asking: bool) -> Self {
        Self { asking, ..self }
    }

    /// Whether its node does not serve the slot yet.
    pub(in crate::store) fn is_asking(&self) -> bool {
        self.asking
    }

    /// Where the server is, for a connection of one's own, and where it is later.
    pub(in crate::store) fn whereabouts(&self) -> (Arc<Plan>, Arc<Breaker>) {
        (self.node.plan(), self.node.breaker())
    }

    pub(in crate::store) fn node(&self) -> &'a Node {
        self.node
    }

    /// The connection, with what belongs to it, while calls use it.
    pub(in crate::store) fn link(&self) -> Option<Arc<Link>> {
        self.node.link(self.epoch)
    }

    /// The turns of large pieces of operations on many keys.
    pub(in crate::store) fn pieces(&self) -> Arc<Turns> {
        self.node.pieces()
    }

    /// The primary that stores what is sent here.
    pub(in crate::store) fn origin(&self) -> Origin {
        self.origin
    }

    /// The primary whose records alone count; none where every primary's do.
    pub(in crate::store) fn insists_on(&self) -> Option<Origin> {
        self.node.distrusts().then_some(self.origin)
    }

    /// Whether records may be of a primary that is not trusted, and nobody can tell, since the
    /// server does not say who it is.
    pub(in crate::store) fn trusts_nothing(&self) -> bool {
        self.node.distrusts() && self.origin == Origin::default()
    }

    /// Whether nothing is to be stored. Asked with the connection in hand: a quiet time begins
    /// before there is one.
    pub(in crate::store) fn is_quiet(&self) -> bool {
        self.node.is_quiet() || self.trusts_nothing()
    }

    /// Whether one `SET` takes a lease and scripts, which alone can fill it, run. It cannot tell
    /// whose value it finds.
    pub(in crate::store) fn takes_leases_by_set(&self) -> bool {
        self.obstacle.is_none() && self.sets_and_gets && !self.node.distrusts()
    }

    /// Whether one command may have several keys, wherever they belong.
    pub(in crate::store) fn takes_many_keys(&self) -> bool {
        !self.node.is_member()
    }

    /// Why no scripts run, if none do.
    pub(in crate::store) fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle
    }

    /// An error where no scripts run: nothing is to be sent that is, or needs, one.
    pub(in crate::store) fn require_scripts(&self) -> StoreResult<()> {
        self.obstacle.map_or(Ok(()), |obstacle| Err(obstacle.refusal()))
    }

    pub(in crate::store) fn takes_no_leases_by_set(&mut self) {
        self.sets_and_gets = false;
        self.node.learn(self.epoch, |server| server.sets_and_gets.store(false, Relaxed));
    }

    /// Sends one command; errors of the server are replies.
    pub(in crate::store) async fn call(
        &mut self,
        command: &Cmd,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        match self.admitted() {
            Some(admission) => self.send(admission, command, deadline).await,
            None => Box::pin(self.call_in_line(command, deadline)).await,
        }
    }

    /// Room for one more command, at once, which takes no other before it.
    fn admitted(&self) -> Option<Admission<'a>> {
        if self.asking { None } else { self.node.admit(self.epoch) }
    }

    #[cold]
    async fn call_in_line(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        if self.asking {
            return self.call_asking(command, deadline).await;
        }
        let admission = self.node.admit_in_line(self.epoch, deadline).await?;
        self.send(admission, command, deadline).await
    }

    /// As [`call`](Self::call), for a command that changes nothing. While no turn is free, all
    /// callers that are about to send the very same command send it once: see
    /// [`line`](crate::store::redis::connection::turns::Others).
    pub(in crate::store) async fn read(
        &mut self,
        command: &Cmd,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        match self.admitted() {
            Some(admission) => self.send(admission, command, deadline).await,
            None => Box::pin(self.read_in_line(command, deadline)).await,
        }
    }

    #[cold]
    async fn read_in_line(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        if self.asking {
            return self.call_asking(command, deadline).await;
        }
        let words = command.get_packed_command();
        loop {
            match self.node.admit_reader(self.epoch, &words, deadline).await? {
                Reading::Turn(admission, others) => {
                    let reply = self.send(admission, command, deadline).await;
                    others.tell(&reply);
                    return reply;
                }
                Reading::Told(reply) => return reply,
                Reading::Nothing => {}
            }
        }
    }

    /// Sends one command, whose turn it is.
    fn send<'s>(
        &'s mut self,
        admission: Admission<'a>,
        command: &'s Cmd,
        deadline: Deadline,
    ) -> impl Future<Output = StoreResult<Value>> + use<'s, 'a> {
        // Boxed, as in the client's own high-level functions: its future takes more than 2 KB. So
        // would every future of ours that awaits it, and each would be copied when it is put into
        // the next.
        let reply = Box::pin(self.connection.send_packed_command(command));
        async move { admission.conclude(timeout_at(deadline, reply).await) }
    }

    /// As [`call`](Self::call), preceded by `ASKING`, for a node that does not serve the slot yet.
    async fn call_asking(&mut self, command: &Cmd, deadline: Deadline) -> StoreResult<Value> {
        let mut commands = Pipeline::with_capacity(1);
        commands.add_command(command.clone());
        let replies = self.call_all(&commands, deadline).await?;
        replies.into_iter().next().ok_or(StoreError::Unexpected)
    }

    /// Sends many commands at once; one reply for each.
    pub(in crate::store) async fn call_all(
        &mut self,
        commands: &Pipeline,
        deadline: Deadline,
    ) -> StoreResult<Vec<Value>> {
        if !self.asking {
            return self.send_all(commands, deadline).await;
        }
        let mut questions = Pipeline::with_capacity(2 * commands.len());
        for command in commands.cmd_iter() {
            questions.cmd("ASKING").add_command(command.clone());
        }
        let replies = self.send_all(&questions, deadline).await?;
        Ok(replies.into_iter().skip(1).step_by(2).collect())
    }

    async fn send_all(
        &mut self,
        commands: &Pipeline,
        deadline: Deadline,
    ) -> StoreResult<Vec<Value>> {
        let count = commands.len();
        let admission = match self.node.admit(self.epoch) {
            Some(admission) => admission,
            None => Box::pin(self.node.admit_in_line(self.epoch, deadline)).await?,
        };
        let replies = Box::pin(self.connection.send_packed_commands(commands, 0, count));
        let replies = admission.conclude(timeout_at(deadline, replies).await)?;
        if replies.len() == count { Ok(replies) } else { Err(self.out_of_order()) }
    }

    /// Runs a script, which is sent in full if the server does not have it yet.
    pub(in crate::store) async fn eval(
        &mut self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        self.require_scripts()?;
        let reply = self.reply(call, deadline).await?;
        self.ran(reply)
    }

    /// The reply to a script. A large value has a connection of its own.
    pub(in crate::store) async fn reply(
        &mut self,
        call: &Call<'_>,
        deadline: Deadline,
    ) -> StoreResult<Value> {
        if call.size() > LARGE && !self.asking {
            return Box::pin(self.reply_in_bulk(call, deadline)).await;
        }
        let reply = self.call(&call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            return self.call(&call.by_body(), deadline).await;
        }
        Ok(reply)
    }

    #[cold]
    async fn reply_in_bulk(&mut self, call: &Call<'_>, deadline: Deadline) -> StoreResult<Value> {
        let reply = self.call_in_bulk(&call.by_sha(), deadline).await?;
        if is_error(&reply, "NOSCRIPT") {
            return self.call_in_bulk(&call.by_body(), deadline).await;
        }
        Ok(reply)
    }

    /// Result of a script, and what its reply tells about scripts in general.
    pub(in crate::store) fn ran(&mut self, reply: Value) -> StoreResult<Value> {
        if let Some(obstacle) = Obstacle::of(&reply) {
            self.obstacle = Some(obstacle);
            self.node.loses_scripts(self.epoch, obstacle);
            return Err(obstacle.refusal());
        }
        match reply {
            Value::ServerError(_) => Err(self.refused(reply)),
            reply => Ok(reply),
        }
    }

    /// What a reply that is no result means.
    pub(in crate::store) fn refused(&self, reply: Value) -> StoreError {
        let Value::ServerError(error) = reply else {
            return self.out_of_order();
        };
        let here = self.node.endpoint();
        match refusal::code(&error) {
            "MOVED" | "ASK"
                if let Some(there) = here.and_then(|it| Redirection::read(&error, it)) =>
            {
                StoreError::Redirected(Box::new(there))
            }
            code => {
                let refusal = error::refusal(&error, self.node.access());
                match code {
                    "READONLY" => self.node.demoted(self.epoch),
                    // Until it has loaded its data, nobody can deliver what it does not know.
                    "LOADING" => self.node.begin_quiet(),
                    _ => {}
                }
                self.node.refused(self.epoch, refusal.clone());
                StoreError::Refused(refusal)
            }
        }
    }

    /// A reply came that no command of ours gives, or that belongs to another request: so may all
    /// that follow.
    pub(in crate::store) fn out_of_order(&self) -> StoreError {
        self.node.kill(self.epoch);
        StoreError::Unexpected
    }
}
