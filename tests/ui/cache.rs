//! A companion does not know the cache that the function names.

#![allow(unused_variables)]

use std::collections::HashMap;

use cache_runtime::{Cache, cached, invalidates, write_behind, write_through};

use users::get_user_key;

mod users {
    use cache_runtime::{Cache, cached};

    #[cached(key = "user:<id>", ttl = 60, cache = cache)]
    pub async fn get_user(cache: &Cache, id: i64) -> String {
        todo!()
    }
}

#[invalidates(users::get_user(id))]
async fn rename_user(id: i64) {}

#[invalidates(each(id in ids) get_user(id))]
async fn block_users(ids: &[i64]) {}

#[invalidates(key = get_user_key(&id))]
async fn delete_user(id: i64) {}

#[write_through(get_user(id))]
async fn save_user(id: i64) -> String {
    todo!()
}

#[cached(batch(id in ids), key = get_user_key(id), ttl = 60)]
async fn get_users(ids: &[i64]) -> HashMap<i64, String> {
    todo!()
}

#[write_behind(queue = "names", key = "<item.0>", put(get_user(item.0) = item.1))]
async fn save_names(items: Vec<(i64, String)>) {}

struct Shop {
    cache: Cache,
    tenant: i64,
}

impl Shop {
    #[cached(key = "order:<id>", ttl = 60, cache = self.cache)]
    async fn order(&self, id: i64) -> String {
        todo!()
    }

    #[cached(key = "bill:<self.tenant>:<id>", ttl = 60, cache = self.cache)]
    async fn bill(&self, id: i64) -> String {
        todo!()
    }

    #[invalidates(Self::order(id))]
    async fn cancel(&self, id: i64) {}

    #[invalidates(self.bill(id))]
    async fn ship(&self, id: i64) {}
}

#[invalidates(Shop::order(id))]
async fn pay(id: i64) {}

fn main() {}
