#![allow(unused_variables)]

use std::borrow::Cow;
use std::collections::HashMap;

use cache_runtime::cached;

#[derive(serde::Serialize, serde::Deserialize)]
struct Title<'a>(Cow<'a, str>);

#[cached(key = "title:<name>", ttl = 60)]
async fn title(name: &str) -> Result<Title, String> {
    todo!()
}

#[cached(batch(id in ids), key = "titles:<id>", ttl = 60)]
async fn titles(ids: &[i64]) -> HashMap<i64, Title> {
    todo!()
}

struct Shop {
    name: String,
}

impl Shop {
    #[cached(key = "shop:<self.name>:<id>", ttl = 60)]
    async fn title(&self, id: i64) -> std::io::Result<Option<Title>> {
        todo!()
    }
}

fn main() {}
