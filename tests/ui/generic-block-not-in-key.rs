#![allow(unused_variables)]

use cache_runtime::cached;

struct Repo<Row>(Row);

impl<Row: serde::Serialize + serde::de::DeserializeOwned> Repo<Row> {
    #[cached(key = "row:<id>", ttl = 60)]
    async fn find(id: i64) -> Option<Row> {
        todo!()
    }

    #[cached(key = "row:<Self>:<id>", ttl = 60)]
    async fn find_of_each(id: i64) -> Option<Row> {
        todo!()
    }
}

fn main() {}
