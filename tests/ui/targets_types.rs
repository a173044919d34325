//! Targets are checked like calls.

#![allow(unused_variables)]

use cache_runtime::{cached, invalidates};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    id: i64,
}

struct Pool;

struct Error;

async fn count_users(id: i64) -> i64 {
    todo!()
}

#[invalidates(count_users(id))]
async fn not_cached(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_user(id: i64) -> Result<User, Error> {
    todo!()
}

#[invalidates(get_usr(id))]
async fn unknown_function(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user())]
async fn argument_missing(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(idx))]
async fn argument_unknown(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(name))]
async fn argument_of_wrong_type(db: &Pool, id: i64, name: &str) -> Result<(), Error> {
    todo!()
}

#[invalidates(get_user(result.name))]
async fn result_of_wrong_type(name: &str) -> Result<User, Error> {
    todo!()
}

// The arguments of a method's companion are counted, and converted, as in a call.
struct Users;

impl Users {
    #[cached(key = "user:<id>", ttl = 60, skip(self))]
    async fn get(&self, id: i64) -> String {
        todo!()
    }

    #[invalidates(self.get(id, name))]
    async fn too_many(&self, id: i64, name: String) {}

    #[invalidates(self.get(name))]
    async fn of_another_type(&self, name: String) {}

    #[invalidates(self.gte(id))]
    async fn misspelt(&self, id: i64) {}
}

struct Directory {
    tenant: i64,
}

impl Directory {
    #[cached(key = "user:<self.tenant>:<id>", ttl = 60)]
    async fn get(&self, id: i64) -> String {
        todo!()
    }

    #[cached(key = "name:<id>", ttl = 60)]
    async fn name(id: i64) -> String {
        todo!()
    }

    #[invalidates(get(id), name(id))]
    async fn rename_in(&self, id: i64) {}
}

#[invalidates(users.gett(id))]
async fn rename_in(users: &Directory, id: i64) {}

struct Accounts {
    tenant: i64,
}

struct Row {
    tenant: Tenant,
}

#[derive(serde::Serialize)]
struct Tenant;

impl Accounts {
    #[cached(key = "user:<self.tenant>:<id>", ttl = 60)]
    async fn get_user(&self, id: i64) -> i64 {
        todo!()
    }

    #[invalidates(self.get_user(*result))]
    async fn add_user(&mut self, name: &str) -> i64 {
        todo!()
    }
}

#[invalidates(key = "user:<row.tenant:hash>:<result>")]
async fn add_row(row: Row) -> i64 {
    todo!()
}

#[cached(key = "user:<id>", ttl = 60)]
async fn get_name(id: i64) -> String {
    id.to_string()
}

#[invalidates(each(id in count) get_name(id))]
async fn rename(count: i64) {}

#[invalidates(each(name in names) get_name(name))]
async fn merge(names: &[String]) {}

fn main() {}
