#![allow(unused_variables)]

use std::borrow::Cow;

use cache_runtime::cached;

#[cached(ttl = 60)]
async fn get_name<'a>(name: &'a str) -> Result<String, Cow<'a, str>> {
    todo!()
}

fn main() {}
