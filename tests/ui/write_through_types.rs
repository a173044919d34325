//! The value that is stored is of the type that the entry holds.

#![allow(unused_variables)]

use cache_runtime::{cached, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn find_user(id: i64) -> Result<Option<User>, Error> {
    todo!()
}

#[write_through(find_user(user.id))]
async fn value_of_another_type(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(find_user(user.id) = result.clone(), find_user(1) = user.name)]
async fn expression_of_another_type(user: User) -> Result<User, Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(id) = users.clone())]
async fn parameter_unknown(id: i64, user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(id))]
async fn returns_nothing(id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

struct Draft;

#[write_through(get_user(id) = User::from(draft))]
async fn not_clonable(id: i64, draft: Draft) -> Result<(), Error> {
    todo!()
}

impl From<Draft> for User {
    fn from(_: Draft) -> Self {
        todo!()
    }
}

fn main() {}
