#![allow(unused_mut, unused_variables)]

use cache_runtime::{cached, write_through};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
    name: String,
}

struct Error;

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[write_through(get_user(user.id) = user.clone())]
async fn save_user(user: &mut User) -> Result<(), Error> {
    todo!()
}

#[write_through(get_user(user.id) = user)]
async fn save_another_user(mut user: User) -> Result<(), Error> {
    todo!()
}

impl User {
    #[write_through(get_user(id) = self.clone())]
    async fn save(&mut self, id: i64) -> Result<(), Error> {
        todo!()
    }
}

fn main() {}
