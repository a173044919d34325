#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

struct Error;

type Deleted = Option<String>;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<String, Error> {
    todo!()
}

#[invalidates(get_user(id), in_doubt = |_| true)]
async fn aliased(id: i64) -> Deleted {
    todo!()
}

#[invalidates(get_user(id), in_doubt = |error: &String| error.is_empty())]
async fn of_another_error(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(id), in_doubt = |error| Some(error))]
async fn of_another_answer(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(id), only_ok, in_doubt = |_| true)]
async fn with_only_ok(id: i64) -> Result<(), Error> {
    todo!()
}

fn main() {}
