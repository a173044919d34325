//! What a target of a write may be: however a function is called, and however its companion is
//! named.

use std::sync::Arc;

use cache_runtime::{Cache, Key, cached, invalidates, write_through};

use crate::once::{Row, row};

/// Runs a write and says whether it has emptied the entry of `key`, which `fill` had filled.
async fn empties<T>(
    cache: &Cache,
    fill: impl Future<Output = T>,
    key: Key<T>,
    write: impl Future<Output = ()>,
) -> bool
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    cache.scope(fill).await;
    assert!(cache.get(&key).await.unwrap().is_some(), "{key}");
    cache.scope(write).await;
    cache.get(&key).await.unwrap().is_none()
}

#[cached(key = "target:<id>", ttl = 60)]
async fn get(id: i64) -> Row {
    row(id)
}

/// Whose name ends as that of a companion.
#[cached(key = "target_key:<name>", ttl = 60)]
async fn public_key(name: String) -> String {
    name
}

mod rows {
    use cache_runtime::cached;

    use crate::once::{Row, row};

    #[cached(key = "target_row:<id>", ttl = 60)]
    pub async fn find(id: i64) -> Row {
        row(id)
    }

    #[cached(key = "target_row_key:<id>", ttl = 60)]
    pub async fn session_key(id: i64) -> Row {
        row(id)
    }
}

/// Renamed together with their companions.
use rows::{find as load, find_key as load_key};

#[invalidates(get_key(id))]
async fn by_companion(id: i64) {
    _ = id;
}

#[invalidates(get_key(&id))]
async fn by_companion_with_reference(id: i64) {
    _ = id;
}

#[invalidates(get_key(*result))]
async fn by_companion_later(id: i64) -> i64 {
    id
}

#[invalidates(each(id in ids) get_key(id))]
async fn by_companion_each(ids: &[i64]) {
    _ = ids;
}

#[invalidates(public_key(name))]
async fn by_function_named_as_a_companion(name: String) {
    drop(name);
}

#[invalidates(public_key_key(name))]
async fn by_the_companion_of_that(name: String) {
    drop(name);
}

#[invalidates(rows::find_key(id), rows::session_key(id), load(id + 1))]
async fn by_paths(id: i64) {
    _ = id;
}

#[write_through(get_key(id))]
async fn store(id: i64) -> Row {
    row(id + 100)
}

#[tokio::test]
async fn a_companion_is_a_target() {
    let cache = Cache::in_memory();
    assert!(empties(&cache, get(1), get_key(&1), by_companion(1)).await);
    assert!(empties(&cache, get(1), get_key(&1), by_companion_with_reference(1)).await);
    let later = async { _ = by_companion_later(1).await };
    assert!(empties(&cache, get(1), get_key(&1), later).await);
    assert!(empties(&cache, get(1), get_key(&1), by_companion_each(&[1, 2])).await);
    let name = || "Ada".to_owned();
    let key = || public_key_key("Ada");
    let write = by_function_named_as_a_companion(name());
    assert!(empties(&cache, public_key(name()), key(), write).await);
    assert!(empties(&cache, public_key(name()), key(), by_the_companion_of_that(name())).await);
    assert!(empties(&cache, rows::find(1), rows::find_key(&1), by_paths(1)).await);
    assert!(empties(&cache, rows::session_key(1), rows::session_key_key(&1), by_paths(1)).await);
    assert!(empties(&cache, load(2), load_key(&2), by_paths(1)).await);
    let stored = cache.scope(store(1)).await;
    assert_eq!(cache.get(&get_key(&1)).await.unwrap(), Some(stored));
}

#[derive(Clone, Debug)]
struct Repo {
    tenant: String,
}

impl Repo {
    /// The key has nothing of `self`, so the companion has no receiver.
    #[cached(key = "repo:<id>", ttl = 60, skip(self))]
    async fn find(&self, id: i64) -> Row {
        row(id)
    }

    /// The companion has one.
    #[cached(key = "repo:<self.tenant>:<name>", ttl = 60)]
    async fn by_name(&self, name: String) -> Row {
        row(i64::try_from(name.len()).unwrap())
    }

    #[cached(key = "repos:<Self>", ttl = 60)]
    async fn count() -> Row {
        row(0)
    }

    #[cached(key = "repo_key:<id>", ttl = 60, skip(self))]
    async fn api_key(&self, id: i64) -> Row {
        row(id)
    }

    #[invalidates(self.find(id), self.by_name(name))]
    async fn by_methods(&self, id: i64, name: String) {
        _ = (id, name);
    }

    #[invalidates(self.find_key(id), self.by_name_key(&name), Self::count(), self.api_key(id))]
    async fn by_companions(self: &Arc<Self>, id: i64, name: &str) {
        _ = (id, name);
    }

    #[invalidates(self.find(*result), self.by_name(name))]
    async fn later(&self, id: i64, name: String) -> i64 {
        drop(name);
        id
    }

    #[invalidates(Self::find(id), Self::count_key(), Self::api_key(id))]
    async fn by_paths(id: i64) {
        _ = id;
    }

    #[invalidates(each(id in ids) self.find(id))]
    async fn by_each(self, ids: &[i64]) {
        _ = ids;
    }

    #[write_through(self.find(id))]
    async fn store(&self, id: i64) -> Row {
        row(id + 100)
    }
}

#[invalidates(Repo::find(id), Repo::count_key())]
async fn by_type(id: i64) {
    _ = id;
}

#[invalidates(repo.by_name(name))]
async fn by_another_receiver(repo: &Repo, name: &str) {
    _ = (repo, name);
}

#[tokio::test]
async fn a_method_is_a_target() {
    let cache = Cache::in_memory();
    let repo = Repo { tenant: "acme".to_owned() };
    let (shared, ada) = (Arc::new(repo.clone()), || "Ada".to_owned());
    let of_ada = || repo.by_name_key("Ada");

    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), repo.by_methods(1, ada())).await);
    assert!(empties(&cache, repo.by_name(ada()), of_ada(), repo.by_methods(1, ada())).await);
    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), shared.by_companions(1, "")).await);
    assert!(empties(&cache, repo.by_name(ada()), of_ada(), shared.by_companions(1, "Ada")).await);
    assert!(
        empties(&cache, repo.api_key(1), Repo::api_key_key(&1), shared.by_companions(1, "")).await
    );
    assert!(empties(&cache, Repo::count(), Repo::count_key(), shared.by_companions(1, "")).await);
    let later = async { _ = repo.later(1, ada()).await };
    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), later).await);
    let later = async { _ = repo.later(1, ada()).await };
    assert!(empties(&cache, repo.by_name(ada()), of_ada(), later).await);
    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), Repo::by_paths(1)).await);
    assert!(empties(&cache, Repo::count(), Repo::count_key(), Repo::by_paths(1)).await);
    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), repo.clone().by_each(&[1])).await);
    assert!(empties(&cache, repo.find(1), Repo::find_key(&1), by_type(1)).await);
    assert!(empties(&cache, Repo::count(), Repo::count_key(), by_type(1)).await);
    assert!(
        empties(&cache, repo.by_name(ada()), of_ada(), by_another_receiver(&repo, "Ada")).await
    );
    let stored = cache.scope(repo.store(1)).await;
    assert_eq!(cache.get(&Repo::find_key(&1)).await.unwrap(), Some(stored));
}

/// One for each kind of database.
#[derive(Debug)]
struct Generic<D>(D);

impl<D: std::fmt::Debug + Send + Sync> Generic<D> {
    #[cached(key = "generic:<Self>:<id>", ttl = 60, skip(self))]
    async fn find(&self, id: i64) -> Row {
        row(id)
    }

    #[invalidates(self.find(id))]
    async fn by_method(&self, id: i64) {
        _ = id;
    }

    #[invalidates(Generic::<D>::find(id))]
    async fn by_type(&self, id: i64) {
        _ = id;
    }
}

#[tokio::test]
async fn a_method_of_a_generic_type_is_a_target() {
    let cache = Cache::in_memory();
    let one = Generic(1_u8);
    let key = Generic::<u8>::find_key;
    assert!(empties(&cache, one.find(1), key(&1), one.by_method(1)).await);
    assert!(empties(&cache, one.find(1), key(&1), one.by_type(1)).await);
    assert!(!empties(&cache, one.find(1), key(&1), Generic('a').by_method(1)).await, "another");
}

/// A trait whose implementations are not known: it says what the key is.
#[async_trait::async_trait]
trait Find: Send + Sync {
    async fn find(&self, id: i64) -> Row;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "companions take references")]
    fn find_key(&self, id: &i64) -> Key<Row>;
}

#[async_trait::async_trait]
impl Find for Repo {
    #[cached(key = self.find_key(&id), ttl = 60)]
    async fn find(&self, id: i64) -> Row {
        row(id)
    }

    fn find_key(&self, id: &i64) -> Key<Row> {
        Key::<Row>::builder().text("found:").part(&self.tenant).text(":").part(id).done()
    }
}

#[invalidates(repo.find(id))]
async fn by_object(repo: Arc<dyn Find>, id: i64) {
    _ = (repo, id);
}

#[tokio::test]
async fn a_method_of_a_trait_object_is_a_target() {
    let cache = Cache::in_memory();
    let repo: Arc<dyn Find> = Arc::new(Repo { tenant: "acme".to_owned() });
    let write = by_object(Arc::clone(&repo), 1);
    assert!(empties(&cache, repo.find(1), repo.find_key(&1), write).await);
}

/// Somebody else's.
fn taken_key(id: i64) -> String {
    format!("taken {id}")
}

#[cached(key = "taken:<id>", ttl = 60, companion = taken_entry)]
async fn taken(id: i64) -> Row {
    row(id)
}

#[cached(key = taken_entry(&id), ttl = 30)]
async fn taken_too(id: i64) -> Row {
    row(id)
}

#[invalidates(key = taken_entry(&id))]
async fn take(id: i64) {
    _ = id;
}

impl Repo {
    #[cached(key = "taken:<self.tenant>:<id>", ttl = 60, companion = entry_key)]
    async fn taken(&self, id: i64) -> Row {
        row(id)
    }

    #[invalidates(self.entry_key(id))]
    async fn take(&self, id: i64) {
        _ = id;
    }
}

#[tokio::test]
async fn a_companion_has_the_name_that_it_is_given() {
    let cache = Cache::in_memory();
    assert_eq!(taken_key(1), "taken 1");
    assert!(empties(&cache, taken(1), taken_entry(&1), take(1)).await);
    assert!(empties(&cache, taken_too(1), taken_entry(&1), take(1)).await);
    let repo = Repo { tenant: "acme".to_owned() };
    assert!(empties(&cache, repo.taken(1), repo.entry_key(&1), repo.take(1)).await);
}

/// As `#[async_recursion]` makes it.
#[cached(key = "depth:<id>", ttl = 60)]
fn depth(id: i64) -> std::pin::Pin<Box<dyn Future<Output = Row> + Send>> {
    Box::pin(async move { if id == 0 { row(0) } else { depth(id - 1).await } })
}

#[cfg_attr(all(), cached(key = "conditional:<id>", ttl = 60))]
async fn conditional(id: i64) -> Row {
    row(id)
}

#[invalidates(depth(id), conditional(id))]
async fn by_others(id: i64) {
    _ = id;
}

#[tokio::test]
async fn what_other_attributes_make_is_a_target() {
    let cache = Cache::in_memory();
    assert!(empties(&cache, depth(2), depth_key(&2), by_others(2)).await);
    assert!(empties(&cache, conditional(1), conditional_key(&1), by_others(1)).await);
}

/// What a trait makes keys by.
trait Keys {
    fn part_key(&self, id: i64) -> Key<Row>;
}

struct Parts {
    tenant: i64,
}

impl Keys for Parts {
    fn part_key(&self, id: i64) -> Key<Row> {
        Key::builder().text("part:").part(&self.tenant).text(":").part(&id).done()
    }
}

impl Parts {
    #[cached(key = Keys::part_key(self, id), ttl = 60)]
    async fn part(&self, id: i64) -> Row {
        row(id)
    }

    #[invalidates(key = Keys::part_key(self, id))]
    async fn change(&self, id: i64) {
        _ = id;
    }
}

#[tokio::test]
async fn a_key_comes_from_a_trait() {
    let cache = Cache::in_memory();
    let parts = Parts { tenant: 7 };
    assert!(empties(&cache, parts.part(1), parts.part_key(1), parts.change(1)).await);
}
