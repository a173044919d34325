#![allow(unused_variables)]

use cache_runtime::cached;

#[derive(serde::Serialize)]
struct Written;

#[derive(serde::Deserialize)]
struct Read;

struct Neither;

#[cached(key = "written:<id>", ttl = 60)]
async fn written(id: i64) -> Result<Written, String> {
    todo!()
}

#[cached(key = "read:<id>", ttl = 60)]
async fn read(id: i64) -> Option<Read> {
    todo!()
}

#[cached(key = "neither:<id>", ttl = 60)]
async fn neither(id: i64) -> Vec<Neither> {
    todo!()
}

fn main() {}
