//! A write that stores its result, beside a write that deletes the entry. The database costs
//! nothing: what is left is the cache.

use cache_runtime::{cached, invalidates, write_through};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;

use super::hand;
use super::measure::{Contender, compare};
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

impl Bench {
    pub(crate) fn writes(&self) {
        for callers in [1, 64] {
            compare(
                &format!("writes, 300 B, callers: {callers}"),
                self.effort.rounds,
                vec![
                    Contender::new("write, DEL", || {
                        self.by_hand(callers, |connection, argument| {
                            write_and_delete(connection, argument % ENTRIES)
                        })
                    }),
                    Contender::new("no fence", || {
                        self.cached(callers, |argument| write_without_fence(argument % ENTRIES))
                    }),
                    Contender::new("invalidates", || {
                        self.cached(callers, |argument| write_and_invalidate(argument % ENTRIES))
                    }),
                    Contender::new("write_through", || {
                        self.cached(callers, |argument| write_through(argument % ENTRIES))
                    }),
                ],
            );
        }
        let callers = 64;
        compare(
            &format!("a write and the read after it, 300 B, callers: {callers}"),
            self.effort.rounds,
            vec![
                Contender::new("write, DEL", || {
                    self.by_hand(callers, |connection, argument| async move {
                        write_and_delete(connection.clone(), argument % ENTRIES).await;
                        hand::user(connection, argument % ENTRIES).await
                    })
                }),
                Contender::new("invalidates", || {
                    self.cached(callers, |argument| async move {
                        write_and_invalidate(argument % ENTRIES).await;
                        read(argument % ENTRIES).await
                    })
                }),
                Contender::new("write_through", || {
                    self.cached(callers, |argument| async move {
                        write_through(argument % ENTRIES).await;
                        read(argument % ENTRIES).await
                    })
                }),
            ],
        );
    }
}
