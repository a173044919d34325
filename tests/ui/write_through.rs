//! Entries and options of `#[write_through]`.

#![allow(unused_mut, unused_variables)]

use cache_runtime::{cached, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

struct Transaction;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(invalidates(get_user(user.id)))]
async fn nothing(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(key = "user:<user.id>", pattern = "user:<user.id>:*")]
async fn template(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id), invalidates(get_user(1), fence = "strict"), only_okay)]
async fn option_inside(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id), fence = "off")]
async fn fence_off(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id))]
async fn in_transaction(tx: &mut Transaction, user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id), in_transaction)]
async fn option_in_transaction(user: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(result.id))]
async fn key_over_result(name: &str) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(id) = result.clone())]
async fn result_is_a_parameter(id: i64, result: User) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id) = user.clone())]
async fn save_changed(user: &mut User) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(user.id) = user)]
async fn save_mutable(mut user: User) -> Result<(), Error> {
    todo!()
}

impl User {
    #[write_through(get_user(id) = self.clone())]
    async fn save(&mut self, id: i64) -> Result<(), Error> {
        todo!()
    }
}

#[cached(key = "user:<idx>", ttl = 60, skip(id))]
async fn get_broken(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_broken(user.id), get_broken(1) = user.clone())]
async fn save_broken(user: User) -> Result<User, Error> {
    todo!()
}

fn main() {}
