//! Which mutant is on: `CACHE_MUTANT` has its name. This module is in no other copy of the sources
//! than the one that has the mutants.

use std::sync::LazyLock;

use crate::record::token::Token;

static ON: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CACHE_MUTANT").ok());

pub(crate) fn on(mutant: &str) -> bool {
    ON.as_ref().is_some_and(|name| name == mutant)
}

/// A script that asks for mutants, with the answers in it.
pub(crate) fn script(body: &'static str) -> &'static str {
    let mut parts = body.split("mutant('");
    let mut answered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("')").expect("the end of a mutant's name");
        answered += if on(name) { "true" } else { "false" };
        answered += rest;
    }
    answered.leak()
}

/// A token that is no random one.
pub(crate) fn token(high: u64, low: u32) -> Token {
    let mut bytes = [0; Token::LEN];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[12..].copy_from_slice(&low.to_be_bytes());
    Token::from_bytes(bytes)
}
