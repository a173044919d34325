#![allow(unused_variables)]

use cache_runtime::cached;

struct Users;

impl Users {
    #[cached(key = "name:<id>", ttl = 60)]
    async fn get_name(id: i64) -> String {
        todo!()
    }
}

fn main() {}
