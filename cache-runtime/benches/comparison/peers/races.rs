//! A load that began before a write, and stores after it: the value that it stores is old. Each
//! step waits for the one before, so it happens in every round.

use std::sync::Arc;

use super::super::scenarios::{Bench, fresh};
use super::load::Database;
use super::{Load, Peer};

const ROUNDS: usize = 100;

impl Bench {
    /// In how many rounds the old value is still read when everything is over.
    pub(super) fn races(&self, peers: &[(&'static str, Peer)]) {
        println!("\na load that began before a write and ends after it: {ROUNDS} times");
        println!("  {:<18} {:>12}", "", "stale after");
        for (name, peer) in peers {
            let mut stale = 0;
            for _ in 0..ROUNDS {
                stale += usize::from(self.runtime.block_on(leaves_stale(peer.clone())));
            }
            println!("  {name:<18} {stale:>12}");
        }
    }
}

/// One round of it.
async fn leaves_stale(peer: Peer) -> bool {
    let (id, database) = (fresh(1), Arc::new(Database::default()));
    let reader = tokio::spawn({
        let (peer, load) = (peer.clone(), Load::Held(Arc::clone(&database)));
        async move { peer.user(id, load).await }
    });
    database.was_read().await;
    peer.write(id, &database).await;
    database.let_end();
    reader.await.expect("a reader that does not panic").expect("an answer");
    let read = peer.user(id, Load::From(Arc::clone(&database))).await.expect("an answer");
    *read != database.read()
}
