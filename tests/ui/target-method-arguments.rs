//! The arguments of a method's companion are counted, and converted, as in a call.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

struct Users;

impl Users {
    #[cached(key = "user:<id>", ttl = 60, skip(self))]
    async fn get(&self, id: i64) -> String {
        todo!()
    }

    #[invalidates(self.get(id, name))]
    async fn too_many(&self, id: i64, name: String) {}

    #[invalidates(self.get(name))]
    async fn of_another_type(&self, name: String) {}

    #[invalidates(self.gte(id))]
    async fn misspelt(&self, id: i64) {}
}

fn main() {}
