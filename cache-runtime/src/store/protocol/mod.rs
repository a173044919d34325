//! What is asked of a store, and what it answers.

pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod reply;
pub(crate) mod request;
