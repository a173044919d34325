//! Methods of every receiver, of traits, and of `#[async_trait]`.

use std::sync::Arc;

use cache_runtime::{Cache, cached, invalidates};

use crate::once::{Failed, Row, once, once_ok, row, stored};

#[derive(Clone, Debug)]
struct Repository {
    tenant: i64,
}

impl Repository {
    #[cached(key = "shared:<self.tenant>:<id>", ttl = 3600)]
    async fn shared(&self, id: i64) -> Result<Row, Failed> {
        Ok(row(self.tenant + id))
    }

    #[cached(key = "arc:<self.tenant>:<id>", ttl = 3600)]
    async fn arc(self: Arc<Self>, id: i64) -> Row {
        row(self.tenant + id)
    }

    #[cached(key = "exclusive:<id>", ttl = 3600, skip(self))]
    async fn exclusive(&mut self, id: i64) -> Row {
        self.tenant += 1;
        row(self.tenant + id)
    }

    #[cached(key = "consuming:<id>", ttl = 3600, skip(self))]
    async fn consuming(self, id: i64) -> Row {
        row(self.tenant + id)
    }

    #[cached(key = "associated:<id>", ttl = 3600)]
    async fn associated(id: i64) -> Row {
        Self::load(id)
    }

    fn load(id: i64) -> Row {
        row(id)
    }

    #[cached(ttl = 3600, skip(self))]
    async fn automatic(&self, id: i64) -> Row {
        row(self.tenant + id)
    }

    #[invalidates(self.shared(id), Self::associated(id))]
    async fn write(&self, id: i64) -> Result<(), Failed> {
        let _ = id;
        Ok(())
    }
}

#[tokio::test]
async fn receivers() {
    let mut repository = Repository { tenant: 5 };
    once_ok!("shared:5:1", repository.shared(1));
    let shared = Arc::new(repository.clone());
    once!("arc:5:1", Arc::clone(&shared).arc(1));
    once!("exclusive:1", repository.exclusive(1));
    assert_eq!(repository.tenant, 6, "the body has changed it once");
    once!("consuming:1", repository.clone().consuming(1));
    once!("associated:1", Repository::associated(1));
    once!("signatures::methods::Repository::automatic:1", repository.automatic(1));
}

#[tokio::test]
async fn companions_of_methods() {
    let repository = Repository { tenant: 5 };
    assert_eq!(repository.shared_key(&1).as_str(), "shared:5:1");
    assert_eq!(Repository::associated_key(&1).as_str(), "associated:1");
    let automatic = Repository::automatic_key(&1);
    assert_eq!(automatic.as_str(), "signatures::methods::Repository::automatic:1");
}

#[tokio::test]
async fn methods_are_invalidated_by_methods() {
    let (cache, repository) = (Cache::in_memory(), Repository { tenant: 5 });
    let calls = async {
        let (shared, associated) = (repository.shared(1).await, Repository::associated(1).await);
        repository.write(1).await.unwrap();
        assert_ne!(repository.shared(1).await, shared);
        assert_ne!(Repository::associated(1).await, associated);
    };
    cache.scope(calls).await;
}

trait Native {
    fn find(&self, id: i64) -> impl Future<Output = Result<Row, Failed>> + Send;
}

impl Native for Repository {
    #[cached(key = "native:<self.tenant>:<id>", ttl = 3600, companion = false)]
    async fn find(&self, id: i64) -> Result<Row, Failed> {
        Ok(row(self.tenant + id))
    }
}

#[async_trait::async_trait]
trait Boxed: Send + Sync {
    async fn find(&self, id: i64, name: &str) -> Result<Row, Failed>;
    async fn count(&self) -> u64;
    async fn rename(&self, id: i64, name: String) -> Result<Row, Failed>;
}

#[async_trait::async_trait]
impl Boxed for Repository {
    #[cached(key = "boxed:<self.tenant>:<id>:<name>", ttl = 3600, lock)]
    async fn find(&self, id: i64, name: &str) -> Result<Row, Failed> {
        if name.is_empty() {
            return Err(Failed(0));
        }
        let offset: i64 = "4".parse()?;
        Ok(row(id + offset + self.tenant))
    }

    #[cached(key = "count:<self.tenant>", ttl = 3600)]
    async fn count(&self) -> u64 {
        crate::once::serial()
    }

    #[invalidates(key = "boxed:<self.tenant>:<result.id>:<name>", self.shared(id))]
    async fn rename(&self, id: i64, name: String) -> Result<Row, Failed> {
        drop(name);
        Ok(row(id))
    }
}

#[tokio::test]
async fn trait_methods() {
    let repository = Repository { tenant: 5 };
    once_ok!("native:5:1", Native::find(&repository, 1));
    let boxed: &dyn Boxed = &repository;
    assert_eq!(once_ok!("boxed:5:1:Ada", boxed.find(1, "Ada")).id, 10);
    once!("count:5", boxed.count());
    let cache = Cache::in_memory();
    assert_eq!(cache.scope(boxed.find(1, "")).await, Err(Failed(0)));
    assert_eq!(stored(&cache, "boxed:5:1:").await, None);
}

#[tokio::test]
async fn boxed_trait_methods_invalidate() {
    let (cache, repository) = (Cache::in_memory(), Repository { tenant: 5 });
    let boxed: &dyn Boxed = &repository;
    let calls = async {
        let (found, shared) = (boxed.find(1, "Ada").await, repository.shared(1).await);
        boxed.rename(1, "Ada".to_owned()).await.unwrap();
        assert_ne!(boxed.find(1, "Ada").await, found);
        assert_ne!(repository.shared(1).await, shared);
    };
    cache.scope(calls).await;
}
