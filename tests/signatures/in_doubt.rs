//! What `in_doubt` works on: whatever kind of function it is, it is asked about the function's own
//! error.

use std::fmt::Debug;

use cache_runtime::{Cache, cached, invalidates, write_through};

use crate::once::{Failed, Row, row};

type Answer<T> = Result<T, Failed>;

/// An error of a parameter's type, which can be told apart.
trait Fault: Debug + Send + Sync {
    fn is_lost(&self) -> bool;
}

impl Fault for Failed {
    fn is_lost(&self) -> bool {
        self.0 == 0
    }
}

impl From<cache_runtime::Error> for Failed {
    fn from(_: cache_runtime::Error) -> Self {
        Self(1)
    }
}

#[cached(key = "doubtful:<id>", ttl = 3600)]
async fn get(id: i64) -> Row {
    row(id)
}

#[invalidates(get(id), in_doubt = Failed::is_lost)]
async fn aliased(id: i64, error: Failed) -> Answer<()> {
    _ = id;
    Err(error)
}

/// The closure uses parameters, one of which the body takes as well.
#[invalidates(get(id), fence = "strict", only_ok, in_doubt = |error| error.0 < limit && id > 0)]
async fn strict(id: i64, limit: u64, error: Failed) -> Result<(), Failed> {
    _ = (id, limit);
    Err(error)
}

#[invalidates(get(id), in_doubt = Fault::is_lost)]
async fn generic<E: Fault>(id: i64, error: E) -> Result<(), E> {
    _ = id;
    Err(error)
}

/// A closure that panics does not know.
#[invalidates(get(id), only_ok, in_doubt = |error: &Failed| {
    assert_ne!(error.0, 0, "on purpose");
    false
})]
async fn panicking(id: i64, error: Failed) -> Result<(), Failed> {
    _ = id;
    Err(error)
}

struct Repository {
    lost: u64,
}

impl Repository {
    fn means(&self, error: &Failed) -> bool {
        error.0 == self.lost
    }

    #[write_through(get(id), in_doubt = |error| self.means(error))]
    async fn save(&self, id: i64, error: Failed) -> Result<Row, Failed> {
        _ = id;
        Err(error)
    }
}

#[async_trait::async_trait]
trait Deletes: Send + Sync {
    async fn delete(&self, id: i64, error: Failed) -> Result<(), Failed>;
}

#[async_trait::async_trait]
impl Deletes for Repository {
    #[invalidates(get(id), in_doubt = |error| self.means(error))]
    async fn delete(&self, id: i64, error: Failed) -> Result<(), Failed> {
        _ = id;
        Err(error)
    }
}

#[tokio::test]
async fn every_kind_of_function_is_asked() {
    let repository = Repository { lost: 0 };
    let deletes: &dyn Deletes = &repository;
    for (error, lost) in [(0, true), (5, false)] {
        let cache = Cache::in_memory();
        let writes = async {
            aliased(1, Failed(error)).await.unwrap_err();
            strict(2, 3, Failed(error)).await.unwrap_err();
            generic(3, Failed(error)).await.unwrap_err();
            panicking(4, Failed(error)).await.unwrap_err();
            repository.save(5, Failed(error)).await.unwrap_err();
            deletes.delete(6, Failed(error)).await.unwrap_err();
            for id in 1..=6 {
                get(id).await;
                let stored = cache.get(&get_key(&id)).await.unwrap();
                assert_eq!(stored.is_none(), lost, "{id}: nothing is stored through its fence");
            }
        };
        cache.scope(writes).await;
    }
}

#[tokio::test]
async fn it_can_be_run_on_any_thread() {
    let cache = Cache::in_memory();
    let write = tokio::spawn(cache.scope(strict(1, 3, Failed(7))));
    assert_eq!(write.await.unwrap(), Err(Failed(7)));
}
