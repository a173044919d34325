//! Keeping a lease while its load runs.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::sleep;

use crate::engine::Core;
use crate::read::lease::Lease;
use crate::record::KeyHash;
use crate::record::token::Token;
use crate::store::{Name, Renew};
use crate::support::budget::Budget;

impl Lease {
    /// A copy of what it takes to renew the lease while the load is running.
    pub(in crate::read) fn renewal(&self) -> Renewal {
        let Name { text, hash } = self.place();
        let (cache, text, budget) = (self.call.cache.clone(), text.to_owned(), self.budget);
        let of_entity = self.of_entity().map(|lease| Box::new(lease.renewal()));
        Renewal { cache, text, hash, token: self.token, length: self.length, budget, of_entity }
    }
}

/// What it takes to renew a lease.
pub(in crate::read) struct Renewal {
    cache: Core,
    /// The key that holds the lease itself.
    text: String,
    hash: KeyHash,
    token: Token,
    length: Duration,
    budget: Budget,
    /// The same for the lease of the entity, if the load is one of an alias.
    of_entity: Option<Box<Self>>,
}

impl Renewal {
    async fn renew(&self) {
        if let Some(store) = self.cache.store() {
            let by = self.budget.anew().deadline();
            let place = Name { text: &self.text, hash: self.hash };
            // If the lease is lost, or there is no answer, the fill will notice.
            _ = store.send(place, Renew { token: self.token, lease: self.length }, by).await;
        }
        if let Some(lease) = &self.of_entity {
            lease.boxed().await;
        }
    }

    /// One renewal, as a future without its type.
    pub(in crate::read) fn boxed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.renew())
    }

    /// Renews the lease three times in its length, until dropped.
    pub(in crate::read) async fn keep(self) {
        loop {
            sleep(self.length / 3).await;
            self.renew().await;
        }
    }
}
