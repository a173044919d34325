#![allow(unused_variables)]

use cache_runtime::{invalidates, write_through};

#[invalidates(batch(id in ids) get_user(id))]
async fn rename(ids: &[i64]) {}

#[write_through(each(id in ids) get_user(id) = id)]
async fn count(ids: &[i64]) {}

fn main() {}
