//! Options that other crates have.

#![allow(unused_variables)]

use cache_runtime::cached;

#[cached(key = "user:<id>", ttl = 60, result = true)]
async fn by_result(id: i64) -> Result<String, String> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, option)]
async fn by_option(id: i64) -> Option<String> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, size = 100)]
async fn by_size(id: i64) -> String {
    todo!()
}

#[cached(ttl = 60, convert = r#"{ format!("{}", id) }"#)]
async fn by_convert(id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", time = 60)]
async fn by_time(id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, timeout = 5)]
async fn by_timeout(id: i64) -> String {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60, map_error = "|e| e", with_cached_flag = true)]
async fn by_others(id: i64) -> String {
    todo!()
}

fn main() {}
