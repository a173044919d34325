//! Messages about options that do not exist, and values without a name.

use syn::parse::ParseStream;
use syn::{Error, Ident, LitStr};

use crate::diagnostics::did_you_mean;

/// A value without the name of its option.
///
/// `first` is the first option of the table, with its example.
pub(super) fn unnamed(input: ParseStream<'_>, first: Option<(&str, &str)>) -> Error {
    let (first, example) = first.unwrap_or_default();
    match input.fork().parse::<LitStr>() {
        Ok(text) if matches!(first, "key" | "queue") => unnamed_text(first, &text),
        _ => input.error(format!("expected an option, such as `{example}`")),
    }
}

/// What to do instead of an option that other crates have, and this one needs none for.
fn instead_of(text: &str) -> Option<&'static str> {
    Some(match text {
        "result" => {
            "leave it out; of a `Result` only `Ok` is stored, and `error_ttl` remembers errors too"
        }
        "option" => {
            "leave it out; of an `Option` only `Some` is stored, and `none_ttl = \"30s\"` stores \
             `None` too"
        }
        "size" | "max_size" | "max_capacity" | "unbound" | "unbounded" => {
            "the store is bounded as a whole: by `maxmemory` of Redis, or by \
             `Cache::builder().capacity(..)` in memory"
        }
        "convert" => "the key is a template over the parameters: write `key = \"user:<id>\"`",
        "time" | "time_to_live" => {
            "for how long a value is served is `ttl`: write `ttl = \"1h\"`, or `ttl = 3600` for \
             seconds"
        }
        "timeout" => {
            "for how long a value is served is `ttl`; how long a stale one waits for its load is \
             `load_timeout`, and how long Redis may keep a call waiting is `budget`"
        }
        "ty" | "create" | "redis" | "disk" | "map_error" => {
            "leave it out; entries are in the installed `Cache`, or the one that `cache = ..` \
             names, and a store that fails is no error of the call"
        }
        "with_cached_flag" => "leave it out; hits and loads are counted in `cache.stats()`",
        _ => return None,
    })
}

pub(super) fn unnamed_text(name: &str, text: &LitStr) -> Error {
    let message = format!("a {name} is given by name: write `{name} = {}`", text.token());
    Error::new(text.span(), message)
}

/// An option that is not in the table, which has the names `known`.
pub(super) fn unknown(ident: &Ident, text: &str, known: &[&str]) -> Error {
    // Of reads alone: elsewhere these words mean nothing.
    if known.contains(&"none_ttl")
        && let Some(instead) = instead_of(text)
    {
        return Error::new(ident.span(), format!("there is no option `{text}`: {instead}"));
    }
    // What other libraries call the same thing.
    let elsewhere = match text {
        "expire" | "expires" | "expiry" | "ex" | "time" | "timeout" | "duration" | "seconds" => {
            "ttl"
        }
        "name" | "prefix" | "template" | "id" => "key",
        "cache_none" | "cache_null" | "negative_ttl" | "null_ttl" => "none_ttl",
        "cache_err" | "cache_error" => "error_ttl",
        "group" | "groups" => "tags",
        "grace" | "stale" | "swr" | "refresh" => "stale_while_revalidate",
        "beta" | "xfetch" => "early",
        "ignore" | "exclude" | "except" => "skip",
        "condition" | "cond" | "if" => "when",
        "mutex" | "sync" | "single_flight" | "sync_writes" => "lock",
        "serializer" | "serialize" | "format" => "codec",
        "store" | "client" | "connection" => "cache",
        "stream" | "topic" | "list" => "queue",
        "interval" | "delay" | "window" => "linger",
        "capacity" | "max_length" => "max_len",
        "retries" => "max_attempts",
        "shards" => "partitions",
        _ => text,
    };
    let hint = did_you_mean(elsewhere, known);
    Error::new(ident.span(), format!("there is no option `{text}`{hint}"))
}
