#![allow(unused_variables)]

use std::borrow::Cow;

use cache_runtime::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Title<'a> {
    text: Cow<'a, str>,
}

struct Shop {
    name: String,
}

#[cached(key = "title:<text>", ttl = 60)]
async fn title<'a>(text: &'a str) -> Title<'a> {
    todo!()
}

#[cached(key = "titles:<text>", ttl = 60)]
async fn titles(text: &str) -> Result<Vec<Title<'_>>, String> {
    todo!()
}

impl Shop {
    #[cached(key = "shop:<self.name>", ttl = 60)]
    async fn hidden(&self) -> Title {
        todo!()
    }
}

// This is how to write it.
#[cached(key = "owned:<text>", ttl = 60)]
async fn owned(text: &str) -> Title<'static> {
    Title { text: Cow::Owned(text.to_owned()) }
}

fn main() {}
