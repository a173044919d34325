#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

struct Users {
    tenant: i64,
}

impl Users {
    #[cached(key = "user:<self.tenant>:<id>", ttl = 60)]
    async fn get(&self, id: i64) -> String {
        todo!()
    }

    #[cached(key = "name:<id>", ttl = 60)]
    async fn name(id: i64) -> String {
        todo!()
    }

    #[invalidates(get(id), name(id))]
    async fn rename(&self, id: i64) {}
}

#[invalidates(users.gett(id))]
async fn rename(users: &Users, id: i64) {}

fn main() {}
