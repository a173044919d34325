#![allow(unused_variables)]

use std::fmt::Debug;

use cache_runtime::cached;

#[cached(ttl = 60)]
async fn get_object(id: i64) -> dyn Debug {
    todo!()
}

#[cached(ttl = 60)]
async fn run(id: i64) -> ! {
    todo!()
}

fn main() {}
