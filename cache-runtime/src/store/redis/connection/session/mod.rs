//! The connection that an operation found, used for all of its commands.

mod calls;
mod large;
mod scripts;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::record::Origin;
use crate::store::StoreError;
use crate::store::redis::connection::breaker::Breaker;
use crate::store::redis::connection::error;
use crate::store::redis::connection::link::Link;
use crate::store::redis::connection::multiplexer::Multiplexer;
use crate::store::redis::connection::node::Node;
use crate::store::redis::connection::plan::Plan;
use crate::store::redis::connection::refusal;
use crate::store::redis::connection::turns::Turns;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::script::supported::Obstacle;
use crate::store::redis::topology::cluster::Redirection;

/// One connection of one node. What several commands have in common (that a script was loaded, that
/// replies are in order) holds within it.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    node: &'a Node,
    // A handle of its own, and the little that is needed of the link: counting references to the
    // link as well would make all threads write to one more place, for every hit.
    connection: Multiplexer,
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

    pub(in crate::store) fn takes_no_leases_by_set(&mut self) {
        self.sets_and_gets = false;
        self.node.learn(self.epoch, |server| server.sets_and_gets.store(false, Relaxed));
    }

    /// What a reply that is no result means.
    pub(in crate::store) fn refused(&self, reply: RespValue) -> StoreError {
        let RespValue::ServerError(error) = reply else {
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
