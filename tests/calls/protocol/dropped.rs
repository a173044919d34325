//! Writes that end before their database does: dropped, panicking, or with an error that leaves the
//! outcome open.
//!
//! The database is the test itself: it commits when nobody waits for it any more.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{cached, invalidates, write_through};
use cache_testing::barrier::Gate;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::protocol::fixture::{Fixture, Table, row_key};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The connection was lost before the answer came.
    Lost,
    Refused,
}

impl Failure {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as `in_doubt` asks")]
    fn is_lost(&self) -> bool {
        *self == Self::Lost
    }
}

impl From<cache_runtime::Error> for Failure {
    fn from(_: cache_runtime::Error) -> Self {
        Self::Refused
    }
}

/// What becomes of a statement that the database has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its future is dropped.
    Dropped,
    Panics,
    Fails(Failure),
}

/// A statement about a row, and the gate at which it waits for its answer.
#[derive(Clone, Debug)]
struct Statement {
    id: u64,
    answer: Gate,
    end: End,
}

impl Statement {
    fn new(id: u64, end: End) -> Self {
        Self { id, answer: Gate::new(), end }
    }

    async fn run(&self) -> Result<(), Failure> {
        self.answer.pass().await;
        match self.end {
            End::Fails(failure) => Err(failure),
            end => panic!("the statement ends as the test asks: {end:?}"),
        }
    }

    /// Lets the write that runs it end, and waits for that.
    async fn end(&self, write: JoinHandle<Result<(), Failure>>) {
        self.answer.entered(1).await;
        if self.end == End::Dropped {
            write.abort();
        } else {
            self.answer.open();
        }
        match (self.end, write.await) {
            (End::Dropped, Err(error)) if error.is_cancelled() => {}
            (End::Panics, Err(error)) if error.is_panic() => {}
            (End::Fails(failure), Ok(returned)) => assert_eq!(returned, Err(failure)),
            (end, ended) => panic!("{end:?} ended as {ended:?}"),
        }
    }
}

#[invalidates(row(of.id), in_doubt = Failure::is_lost)]
async fn delete(of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[invalidates(row(of.id), fence = "strict", only_ok, in_doubt = Failure::is_lost)]
async fn delete_strictly(of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[write_through(row(of.id) = 7, in_doubt = |failure| matches!(failure, Failure::Lost))]
async fn replace(of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[invalidates(each(id in ids) row(id), only_ok, in_doubt = |error: &Failure| error.is_lost())]
async fn delete_all(ids: &[u64], of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[invalidates(tag = "one:<of.id>", in_doubt = Failure::is_lost)]
async fn delete_by_tag(of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[invalidates(row(of.id), in_transaction, in_doubt = Failure::is_lost)]
async fn delete_later(of: &Statement) -> Result<(), Failure> {
    of.run().await
}

#[invalidates(row(id), in_transaction)]
async fn prepare(id: u64) -> Result<(), Failure> {
    _ = id;
    Ok(())
}

#[invalidates(row(of.id + 1_000), in_doubt = Failure::is_lost)]
async fn around(of: &Statement) -> Result<(), Failure> {
    delete(of).await
}

/// The row in an entry with a tag.
#[cached(key = "tagged:<id>", ttl = 3600, tags = ["one:<id>"], skip(db))]
async fn tagged(db: &Table, id: u64) -> u64 {
    db.select(id).await.unwrap_or_default()
}

/// Starts a write in a task of its own.
type Start = fn(&Fixture, Statement) -> JoinHandle<Result<(), Failure>>;

const BY_TAG: &str = "by tag";

const WRITES: [(&str, Start); 10] = [
    ("write", |fixture, of| fixture.spawn(async move { delete(&of).await })),
    ("strict", |fixture, of| fixture.spawn(async move { delete_strictly(&of).await })),
    ("storing", |fixture, of| fixture.spawn(async move { replace(&of).await })),
    ("several", |fixture, of| fixture.spawn(async move { delete_all(&[2_001, of.id], &of).await })),
    (BY_TAG, |fixture, of| fixture.spawn(async move { delete_by_tag(&of).await })),
    ("inside another", |fixture, of| fixture.spawn(async move { around(&of).await })),
    ("in the caller's transaction", |fixture, of| {
        fixture.spawn(async move { delete_later(&of).await })
    }),
    ("in a transaction", |fixture, of| {
        let cache = fixture.cache.clone();
        fixture.spawn(async move { cache.after_commit(delete_later(&of)).await })
    }),
    ("the commit", |fixture, of| {
        let cache = fixture.cache.clone();
        fixture.spawn(async move {
            cache.try_after_commit(prepare_and_run(&of), Failure::is_lost).await
        })
    }),
    ("a nested commit", |fixture, of| {
        let cache = fixture.cache.clone();
        fixture.spawn(async move {
            let inner = cache.try_after_commit(prepare_and_run(&of), Failure::is_lost);
            cache.after_commit(inner).await
        })
    }),
];

async fn prepare_and_run(of: &Statement) -> Result<(), Failure> {
    prepare(of.id).await?;
    of.run().await
}

/// What a reader is served, and what is stored then.
async fn read(fixture: &Fixture, id: u64, by_tag: bool) -> (u64, Option<u64>) {
    let cache = &fixture.cache;
    if by_tag {
        let served = cache.scope(tagged(&fixture.db, id)).await;
        (served, cache.get(&tagged_key(&id)).await.unwrap())
    } else {
        (fixture.get(id).await, fixture.stored(id).await)
    }
}

/// Readers get what is in the database, and store nothing of it.
async fn nothing_is_stored(fixture: &Fixture, id: u64, by_tag: bool, value: u64, why: &str) {
    for _ in 0..20 {
        assert_eq!(read(fixture, id, by_tag).await, (value, None), "{why}");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Whatever kind of write it is: between its end and the database's commit nobody stores the old
/// row, and after the commit nobody is served it.
async fn a_fence_outlives_a_write_whose_database_goes_on(fixture: Fixture) {
    let ends = [End::Dropped, End::Panics, End::Fails(Failure::Lost)];
    let all = WRITES.iter().flat_map(|(name, start)| ends.map(|end| (*name, *start, end)));
    for (id, (name, start, end)) in (1..).zip(all) {
        let (why, by_tag) = (format!("{name}, {end:?}"), name == BY_TAG);
        fixture.db.set(id, 0);
        assert_eq!(read(&fixture, id, by_tag).await, (0, Some(0)), "{why}");
        let statement = Statement::new(id, end);
        let write = start(&fixture, statement.clone());
        statement.end(write).await;
        nothing_is_stored(&fixture, id, by_tag, 0, &why).await;
        fixture.db.set(id, 1);
        nothing_is_stored(&fixture, id, by_tag, 1, &why).await;
    }
}

/// Whether a future panics.
async fn panics(future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let poll = |cx: &mut Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
            .map_or(Poll::Ready(true), |poll| poll.map(|()| false))
    };
    poll_fn(poll).await
}

/// A write that is dropped, or fails, inside an `after_commit` that comes to its end all the same.
async fn a_transaction_that_goes_on_leaves_the_fence_too(fixture: Fixture) {
    for (id, end) in (1..).zip([End::Dropped, End::Panics, End::Fails(Failure::Lost)]) {
        fixture.db.set(id, 0);
        fixture.db.set(100 + id, 0);
        assert_eq!(read(&fixture, id, false).await, (0, Some(0)));
        let statement = Statement::new(id, end);
        let work = async {
            prepare(100 + id).await.unwrap();
            let lost = async {
                tokio::select! {
                    biased;
                    ended = delete(&statement) => assert_eq!(ended, Err(Failure::Lost)),
                    () = statement.answer.entered(1), if end == End::Dropped => {}
                }
            };
            if end != End::Dropped {
                statement.answer.open();
            }
            assert_eq!(panics(lost).await, end == End::Panics);
        };
        fixture.cache.scope(fixture.cache.after_commit(work)).await;
        nothing_is_stored(&fixture, id, false, 0, &format!("{end:?}")).await;
        fixture.db.set(id, 1);
        nothing_is_stored(&fixture, id, false, 1, &format!("{end:?}")).await;
        // The other one is committed.
        assert_eq!(read(&fixture, 100 + id, false).await, (0, Some(0)));
    }
}

/// An error that leaves nothing open is the end of the fence.
async fn without_a_doubt_the_fence_is_lifted(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let refused = Statement::new(1, End::Fails(Failure::Refused));
    refused.answer.open();
    let mut calls: Vec<(&str, Start)> = WRITES.to_vec();
    // That one leaves it to its caller whether there will be a commit.
    calls.retain(|(name, _)| *name != "in the caller's transaction");
    for (name, start) in calls {
        let write = start(&fixture, refused.clone());
        assert_eq!(write.await.unwrap(), Err(Failure::Refused));
        assert_eq!(read(&fixture, 1, name == BY_TAG).await, (0, Some(0)), "{name}");
    }
}

on_all_stores! {
    a_fence_outlives_a_write_whose_database_goes_on
    a_transaction_that_goes_on_leaves_the_fence_too
    without_a_doubt_the_fence_is_lifted
}
