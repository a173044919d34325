//! Caches in the servers and the tests of users: which cache a call uses, and what it does without
//! one.

mod actix;
mod axum;
mod switches;
mod tower;
