//! What `#[cached]` works on, and its options: each is really cached, under the key that is
//! expected.
#![deny(warnings, clippy::pedantic)]

mod arguments;
mod associated;
mod attributes;
mod case;
mod control;
mod generics;
mod handle;
mod hygiene;
mod in_doubt;
mod methods;
mod nested;
mod once;
mod options;
mod parameters;
mod results;
mod targets;
mod writes;

/// The macros of tokio are for modules with a prelude.
#[tokio::test]
async fn no_prelude_and_another_name() {
    hygiene::no_prelude_and_another_name().await;
}
