//! The embedded store at the end of a network that loses, delays and answers late: for the simulation.

mod network;
mod outage;
pub(crate) mod producers;
mod queue;

use std::sync::Arc;

pub(crate) use self::network::Network;
pub(crate) use self::outage::Server;
pub(crate) use self::queue::Primary;
use crate::error::Refusal;
use crate::store::embedded::{BoxFuture, Embedded, Work};
use crate::store::memory::MemoryStore;
use crate::store::protocol::request::Effect;
use crate::store::queue::embedded::EmbeddedQueue;
use crate::store::{Store, StoreError, StoreResult};
use crate::support::budget::Deadline;
use crate::testing::faulty_store::queue::FaultyQueue;

/// A store that several processes share, as one of them reaches it.
#[derive(Debug)]
struct FaultyStore {
    memory: Arc<MemoryStore>,
    queues: Arc<Primary>,
    network: Arc<Network>,
}

/// A way to a store that other processes reach, too.
pub(crate) fn to_memory(memory: Arc<MemoryStore>, network: Arc<Network>) -> Store {
    Store::embedded(Arc::new(FaultyStore { memory, queues: Arc::default(), network }))
}

/// A way to a store whose queues others reach, too.
pub(crate) fn to_queues(queues: Arc<Primary>, network: Arc<Network>) -> Store {
    let memory = Arc::new(MemoryStore::new(1 << 20));
    Store::embedded(Arc::new(FaultyStore { memory, queues, network }))
}

impl Embedded for FaultyStore {
    fn here(&self) -> Option<&MemoryStore> {
        None
    }

    /// What was sent is executed whether or not somebody waits for the answer.
    fn send(&self, effect: Effect, by: Deadline, work: Work) -> BoxFuture<'_, StoreResult<()>> {
        Box::pin(async move {
            if effect != Effect::Reads && self.network.refuses_writes() {
                return Err(StoreError::Refused(Refusal::new("READONLY", "")));
            }
            let memory = Arc::clone(&self.memory);
            let execute = move || {
                work(&memory);
                Some(())
            };
            self.network.send(by, execute).await
        })
    }

    fn is_quiet(&self) -> bool {
        self.network.link.is_quiet()
    }

    fn hasten(&self) {
        self.network.link.hasten();
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.network.link.changed())
    }

    fn queue(&self) -> Arc<dyn EmbeddedQueue> {
        let (primary, network) = (Arc::clone(&self.queues), Arc::clone(&self.network));
        Arc::new(FaultyQueue { primary, network })
    }
}
