//! What is cached: a value of about 300 bytes and one of about 10 KB, as JSON.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    name: String,
    email: String,
    active: bool,
    score: f64,
    roles: Vec<String>,
    about: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page {
    number: u64,
    users: Vec<User>,
}

impl User {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            name: "Ada Lovelace".to_owned(),
            email: "ada.lovelace@example.org".to_owned(),
            active: true,
            score: 99.25,
            roles: ["reader", "writer", "owner"].map(str::to_owned).to_vec(),
            about: "Wrote the first program for a machine that was never finished. ".repeat(2),
        }
    }
}

impl Page {
    pub(crate) fn new(number: u64) -> Self {
        Self { number, users: (0..34).map(User::new).collect() }
    }
}
