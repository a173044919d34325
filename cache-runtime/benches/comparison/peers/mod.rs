//! What users would pick instead, on the same work: 300 bytes of JSON by a key.

mod frozen;
mod load;
mod peer;
mod races;

use std::sync::Arc;

use super::measure::Contender;
use super::scenarios::{BY_HAND, Bench, CACHED, ENTRIES, fresh};
use super::server::Server;
use super::stampede;
use super::subject::User;

pub(crate) use self::load::{LOADS, Load};
use self::peer::{CACHED_CRATE, FRED, MOKA, TEXTBOOK};
pub(crate) use self::peer::{CACHED_WITH_LOCK, Peer};

const PEERS: [&str; 6] = [BY_HAND, CACHED, TEXTBOOK, CACHED_CRATE, FRED, MOKA];

impl Bench {
    pub(crate) fn peers(&self, server: &Server) {
        let connected = |name| (name, self.runtime.block_on(Peer::connected(name, server.url())));
        let peers = PEERS.map(connected);
        for callers in [1, 64, 256] {
            self.compare(
                &format!("hits, 300 B, callers: {callers}"),
                self.hits_of_peers(&peers, callers),
            );
        }
        for callers in [1, 64] {
            self.compare(
                &format!("misses, 300 B, callers: {callers}"),
                self.reads_of(&peers, callers, |_| fresh(1)),
            );
        }
        stampede::run(
            server,
            self.effort,
            &[BY_HAND, CACHED_WITH_LOCK, TEXTBOOK, CACHED_CRATE, FRED, MOKA],
        );
        self.races(&peers);
        // Last, as all connections of before are frozen with it.
        self.frozen(server);
    }

    fn hits_of_peers(&self, peers: &[(&'static str, Peer)], callers: u64) -> Vec<Contender<'_>> {
        for (name, peer) in peers {
            self.runtime.block_on(async {
                for id in 0..ENTRIES {
                    let stored = peer.user(id, Load::Free).await;
                    stored.unwrap_or_else(|error| panic!("{name}: {error}"));
                }
            });
        }
        self.reads_of(peers, callers, |argument| argument % ENTRIES)
    }

    fn reads_of(
        &self,
        peers: &[(&'static str, Peer)],
        callers: u64,
        id: fn(u64) -> u64,
    ) -> Vec<Contender<'_>> {
        let contender = |(name, peer): &(&'static str, Peer)| {
            let peer = Arc::new(peer.clone());
            Contender::new(name, move || {
                let peer = Arc::clone(&peer);
                self.cached(callers, move |argument| {
                    let peer = Arc::clone(&peer);
                    async move {
                        let id = id(argument);
                        // As users would do it: some give up early where the machine stalls.
                        let user = peer.user(id, Load::Free).await;
                        user.unwrap_or_else(|_| Arc::new(User::new(id)))
                    }
                })
            })
        };
        peers.iter().map(contender).collect()
    }
}
