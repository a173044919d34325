//! Attributes that use the entries of a function in another cache than the function does.
//!
//! Most of them do not compile ([`named`](crate::typing::named)). What is left are keys that come
//! from other expressions than a companion, and attributes that name a cache where the function
//! names none.

use crate::engine::misuse::{self, Misuse};
use crate::engine::{Core, ambient};
use crate::policy::{BY_HAND, Callsite};

/// Whether the entries of `owner` are in another cache than `cache`, the one that an attribute
/// names or the ambient one.
pub(crate) fn is_elsewhere(cache: &Core, is_named: bool, owner: &'static Callsite) -> bool {
    match (is_named, owner.is_in_named_cache()) {
        (false, names) => names,
        // Two expressions may name the same cache.
        (true, true) => false,
        (true, false) => {
            let by_hand = std::ptr::eq(owner, &raw const BY_HAND);
            !by_hand && ambient::given().is_some_and(|given| !given.is(cache))
        }
    }
}

/// Logs that `user` looks for an entry of `owner` in a cache that does not hold it.
pub(crate) fn report(
    cache: &Core,
    is_named: bool,
    user: &'static Callsite,
    owner: &'static Callsite,
) {
    let (own, others) = if is_named {
        ("it names a cache", "names none")
    } else {
        ("it names no cache", "names one")
    };
    let description = format_args!(
        "{own}, and `{}`, whose entry it uses, {others}, so the entry is in another cache: name \
         the same cache in both, `cache = ..`",
        owner.name(),
    );
    misuse::report(cache, user, Misuse::OtherCache, description);
}
