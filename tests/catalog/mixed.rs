//! Functions that share what they should not, and others that only look as if they did.

use cache_runtime::{Cache, Key, cached, invalidates, write_behind};

#[cached(key = "contact:<id>", ttl = 60)]
async fn email(id: i64) -> String {
    id.to_string()
}

/// Of the same type, but something else.
#[cached(key = "contact:<id>", ttl = 60)]
async fn phone(id: i64) -> String {
    id.to_string()
}

/// Numbers, words, hashes and names of types are not the same.
#[cached(key = "contact:me", ttl = 60)]
async fn me() -> String {
    String::new()
}

#[cached(key = "filter:<filter:hash>", ttl = 60)]
async fn filtered(filter: (i64, String)) -> String {
    filter.1
}

#[cached(key = "filter:<id>", ttl = 60)]
async fn filter(id: i64) -> i64 {
    id
}

#[cached(key = "filter:<on>", ttl = 60)]
async fn switched(on: bool) -> bool {
    on
}

#[cached(key = "mixed:<from>-<to>", ttl = 60)]
async fn range(from: u32, to: u32) -> u32 {
    to - from
}

#[cached(key = "mixed:<id>", ttl = 60)]
async fn number(id: u32) -> u32 {
    id
}

struct Users;
struct Orgs;

impl Users {
    #[cached(key = "<Self>:<id>", ttl = 60)]
    async fn get(id: i64) -> i64 {
        id
    }
}

impl Orgs {
    #[cached(key = "<Self>:<id>", ttl = 60)]
    async fn get(id: i64) -> i64 {
        id
    }
}

#[cached(key = "org:<id>", ttl = 60)]
async fn org(id: i64) -> i64 {
    id
}

trait Find<T> {
    fn by_id(&self, id: i64) -> impl Future<Output = i64> + Send;
}

/// The automatic keys differ.
impl Find<Users> for Orgs {
    #[cached(ttl = 60, companion = false)]
    async fn by_id(&self, id: i64) -> i64 {
        id
    }
}

impl Find<Orgs> for Orgs {
    #[cached(ttl = 60, companion = false)]
    async fn by_id(&self, id: i64) -> i64 {
        id
    }
}

/// The compiler gives both one name.
async fn in_blocks() {
    {
        #[cached(ttl = 60)]
        async fn local(id: i64) -> i64 {
            id
        }
        local(1).await;
    }
    {
        #[cached(ttl = 60)]
        async fn local(id: i64) -> i64 {
            id
        }
        local(1).await;
    }
}

#[cached(key = "page:<id>", ttl = 60, version = 2)]
async fn page(id: i64) -> i64 {
    id
}

#[cached(key = page_key(&id), ttl = 60, version = 3)]
async fn other_version(id: i64) -> i64 {
    id
}

#[cached(key = page_key(&id), ttl = 60, codec = MessagePack)]
async fn other_codec(id: i64) -> i64 {
    id
}

#[cached(key = page_key(&id).tag("pages"), ttl = 60)]
async fn other_tags(id: i64) -> i64 {
    id
}

#[cached(key = page_key(&id).clone(), ttl = 30, version = 2)]
async fn the_same(id: i64) -> i64 {
    id
}

#[invalidates(tag = "orgs:<id>")]
async fn of_no_tag(id: i64) {
    _ = id;
}

struct Shop {
    cache: Cache,
}

impl Shop {
    #[cached(key = "elsewhere:<id>", ttl = 60, tags = ["elsewhere"], cache = self.cache)]
    async fn elsewhere(&self, id: i64) -> i64 {
        id
    }

    #[invalidates(Self::elsewhere(id), key = "elsewhere:<id>", tag = "elsewhere", cache = self.cache)]
    async fn named(&self, id: i64) {
        _ = id;
    }
}

/// Not seen by the compiler, since the name before the last does not look like that of a type.
#[cached(key = <Shop>::elsewhere_key(&id), ttl = 60)]
async fn read_elsewhere(id: i64) -> i64 {
    id
}

#[invalidates(key = "elsewhere:<id>")]
async fn by_key(id: i64) {
    _ = id;
}

#[invalidates(tag = "elsewhere")]
async fn by_tag() {}

#[invalidates(pattern = "elsewhere:*")]
async fn by_pattern() {}

struct Keys;

impl Keys {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a companion takes references")]
    fn elsewhere_key(&self, id: &i64) -> Key<i64> {
        _ = self;
        Shop::elsewhere_key(id)
    }
}

/// What another receiver is, only the compiler knows.
#[invalidates(keys.elsewhere(id))]
async fn by_method(keys: &Keys, id: i64) {
    _ = (keys, id);
}

#[write_behind(queue = "views")]
async fn sink(views: Vec<u8>) {
    tokio::task::yield_now().await;
    drop(views);
}

#[write_behind(queue = "views")]
async fn sink_too(views: Vec<u16>) {
    tokio::task::yield_now().await;
    drop(views);
}

#[write_behind(queue = "others")]
async fn sink_of_others(views: Vec<u16>) {
    tokio::task::yield_now().await;
    drop(views);
}
