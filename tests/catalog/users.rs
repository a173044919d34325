//! Functions of every kind, whose keys go together.

use std::time::Duration;

use cache_runtime::{KeyPart, cached, invalidates, tag, write_behind, write_through};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    id: i64,
    page: u64,
}

type Fetched<T> = Result<T, std::io::Error>;

const TTL: Duration = Duration::from_secs(60);

#[cached(key = "user:<id>", ttl = 3600, lock(wait = "5s"), jitter = 0.5)]
async fn get_user(id: i64) -> Result<User, std::io::Error> {
    Ok(User { id, page: 1 })
}

/// An entry of its own kind below that of the user.
#[cached(key = "user:<id>:posts", ttl = 3600)]
async fn several(id: i64) -> Vec<String> {
    vec![id.to_string()]
}

/// Another value type beside it: a number is never `me`.
#[cached(key = "user:me", ttl = 3600)]
async fn shared() -> String {
    String::new()
}

#[cached(key = get_user_key(&id), ttl = 60)]
async fn same_user(id: i64) -> Fetched<User> {
    Ok(User { id, page: 1 })
}

#[cached(key = "mail:<mail>", ttl = 60, entry = |user: &User| get_user_key(&user.id))]
async fn by_mail(mail: &str) -> Fetched<User> {
    Ok(User { id: 1, page: mail.len() as u64 })
}

#[cached(ttl = TTL)]
async fn list_users(org: i64, page: u64) -> Vec<User> {
    vec![User { id: org, page }]
}

/// The same type by another name.
#[cached(key = "alias:<id>", ttl = 60)]
async fn by_alias(id: i64) -> Fetched<User> {
    Ok(User { id, page: 1 })
}

#[cached(key = "by-type:<T>:<id>", ttl = 60)]
async fn by_type<T: Serialize + DeserializeOwned + From<i64>, K: KeyPart + Into<i64> + Copy>(
    id: K,
) -> T {
    id.into().into()
}

#[cached(key = "find:<name>", ttl = 60)]
pub async fn find(name: &str) -> String {
    name.to_owned()
}

#[cached(key = "tagged:<id>", ttl = 60, tags = ["org:<org>", "all"], skip(org))]
async fn tagged(id: i64, org: i64) -> i64 {
    id + org
}

#[invalidates(tag = "org:<org>")]
async fn of_tag(org: u64) {
    _ = org;
}

/// Its value says which tags it has.
#[cached(key = "told:<id>", ttl = 60, tags = ["told", |user: &User| [tag!("page:<user.page>")]])]
async fn told(id: i64) -> User {
    User { id, page: 1 }
}

#[invalidates(tag = "page:<page>")]
async fn of_told_tag(page: u64) {
    _ = page;
}

/// Any of the numbers.
#[invalidates(tag = "org:7")]
async fn of_one_tag() {}

#[write_behind(queue = "users", key = "<user.id>", put(find(user.id.to_string()) = user.page.to_string()))]
async fn sink(users: Vec<User>) -> Result<(), String> {
    tokio::task::yield_now().await;
    drop(users);
    Ok(())
}

#[cached(key = "local", ttl = 1)]
async fn local() -> u8 {
    0
}

pub struct Repository<T>(T);

impl<T: Serialize + DeserializeOwned + Clone> Repository<T> {
    #[cached(ttl = 60)]
    async fn of_self(&self, id: i64) -> T {
        _ = id;
        self.0.clone()
    }

    #[cached(key = "generic:<Self>", ttl = 60)]
    async fn of_generic(&self) -> Option<T> {
        Some(self.0.clone())
    }

    #[invalidates(Self::of_self(id))]
    async fn of_method(&self, id: i64) {
        _ = id;
    }
}

trait Reads {
    fn trait_method(&self, id: u32) -> impl Future<Output = u64> + Send;
}

impl Reads for User {
    #[cached(key = "trait:<id>", ttl = 60, companion = false, skip(self))]
    async fn trait_method(&self, id: u32) -> u64 {
        u64::from(id)
    }
}

#[invalidates(get_user(id))]
async fn rename(id: i64, name: &str) {
    _ = (id, name);
}

#[write_through(get_user(user.id), invalidates(list_users(org, result.page)))]
async fn save(org: i64, user: User) -> User {
    _ = org;
    user
}

#[invalidates(key = "user:<id>")]
async fn by_key(id: u32) {
    _ = id;
}

#[invalidates(pattern = "user:<id>")]
async fn by_pattern(id: u32) {
    _ = id;
}

#[invalidates(each(id in ids) several(id))]
async fn each(ids: &[i64]) {
    _ = ids;
}

/// Inside of a function, too.
fn nested() {
    #[invalidates(key = "trait:<id>")]
    async fn inner(id: u32) {
        _ = id;
    }
    _ = inner;
}
