//! `in_doubt = ..`

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates, write_through};

struct Error;

impl Error {
    fn is_timeout(&self) -> bool {
        true
    }
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<String, Error> {
    todo!()
}

#[invalidates(get_user(id), fence = "off", in_doubt = Error::is_timeout)]
async fn without_a_fence(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(id), in_doubt = true)]
async fn without_a_closure(id: i64) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(id), in_doubt)]
async fn without_a_value(id: i64) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(id) = String::new(), in_doubt = |error| error.is_timeout())]
async fn without_errors(id: i64) -> Option<String> {
    todo!()
}

type Deleted = Option<String>;

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
