//! A write that stores its result, beside a write that deletes the entry. The database costs
//! nothing: what is left is the cache.

use cache_runtime::{cached, invalidates, write_through};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use super::hand;
use super::measure::Contender;
use super::scenarios::{Bench, ENTRIES};
use super::subject::User;

#[cached(key = "written:<id>", ttl = 3600)]
async fn read(id: u64) -> User {
    User::new(id)
}

#[invalidates(read(id))]
async fn write_and_invalidate(id: u64) -> User {
    User::new(id)
}

#[invalidates(read(id), fence = "off")]
async fn write_without_fence(id: u64) -> User {
    User::new(id)
}

#[write_through(read(id))]
async fn write_through(id: u64) -> User {
    User::new(id)
}

/// As it is written by hand: the update, then `DEL`.
async fn write_and_delete(mut connection: MultiplexedConnection, id: u64) -> User {
    let user = User::new(id);
    let () = connection.del(format!("hand:user:{id}")).await.expect("an answer to DEL");
    user
}

/// As it is written by hand: the update, then the new value.
async fn write_and_store(mut connection: MultiplexedConnection, id: u64) -> User {
    let user = User::new(id);
    let json = serde_json::to_vec(&user).expect("a value that encodes");
    let stored = connection.set_ex(format!("hand:user:{id}"), json, hand::TTL).await;
    let () = stored.expect("an answer to SETEX");
    user
}

pub(crate) const INVALIDATES: &str = "invalidates";
pub(crate) const WRITE_THROUGH: &str = "write_through";

impl Bench {
    pub(crate) fn writes(&self) {
        for callers in [1, 64] {
            self.compare(&format!("writes, callers: {callers}"), self.invalidations(callers));
            self.compare(
                &format!("writes that store, 300 B, callers: {callers}"),
                self.writes_through(callers),
            );
        }
        let callers = 64;
        self.compare(
            &format!("a write and the read after it, 300 B, callers: {callers}"),
            vec![
                Contender::new("write, DEL", || {
                    self.by_hand(callers, |connection, argument| async move {
                        write_and_delete(connection.clone(), argument % ENTRIES).await;
                        hand::user(connection, argument % ENTRIES).await
                    })
                }),
                Contender::new(INVALIDATES, || {
                    self.cached(callers, |argument| async move {
                        write_and_invalidate(argument % ENTRIES).await;
                        read(argument % ENTRIES).await
                    })
                }),
                Contender::new(WRITE_THROUGH, || {
                    self.cached(callers, |argument| async move {
                        write_through(argument % ENTRIES).await;
                        read(argument % ENTRIES).await
                    })
                }),
            ],
        );
    }

    pub(crate) fn invalidations(&self, callers: u64) -> Vec<Contender<'_>> {
        vec![
            Contender::new("write, DEL", move || {
                self.by_hand(callers, |connection, id| write_and_delete(connection, id % ENTRIES))
            }),
            Contender::new("no fence", move || {
                self.cached(callers, |id| write_without_fence(id % ENTRIES))
            }),
            Contender::new(INVALIDATES, move || {
                self.cached(callers, |id| write_and_invalidate(id % ENTRIES))
            }),
        ]
    }

    pub(crate) fn writes_through(&self, callers: u64) -> Vec<Contender<'_>> {
        vec![
            Contender::new("write, SET", move || {
                self.by_hand(callers, |connection, id| write_and_store(connection, id % ENTRIES))
            }),
            Contender::new(WRITE_THROUGH, move || {
                self.cached(callers, |id| write_through(id % ENTRIES))
            }),
        ]
    }
}
