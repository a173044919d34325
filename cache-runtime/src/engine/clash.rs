//! What is looked at when a function is first used in a cache: whether another function of the same
//! cache can make the same keys, and whether it can read the entries that it shares with another.
//!
//! The functions of other caches are not looked at, since their entries are elsewhere.

use std::fmt;

use crate::engine::Base;
use crate::engine::misuse::{self, Misuse};
use crate::policy::place::Here;
use crate::policy::shape::{Shape, Sketch};
use crate::policy::{BY_HAND, Callsite, SharedEntries};

/// Looks at a function, and tells what is wrong with it.
pub(crate) fn examine(cache: &Base, function: &'static Callsite, others: &[&'static Callsite]) {
    if let Some(own) = Own::of(function) {
        let others = others.iter().filter_map(|other| Own::of(other));
        let clashes: Vec<_> = others.filter(|other| own.clashes(other)).collect();
        if !clashes.is_empty() {
            let (key, others) = (own.described(), List(&clashes));
            if own.sketch.is_automatic() && clashes.iter().any(|own| own.sketch.is_automatic()) {
                function.refuse();
                let description = format_args!(
                    "its automatic key {key} is that of {others}, since the compiler gives them \
                     one path, so its calls bypass the cache: give one of them a `key`",
                );
                misuse::report(cache, function, Misuse::SharedKey, description);
            } else {
                let description = format_args!(
                    "its key {key} can equal that of {others}, so one may be served what the other \
                     has stored: put a word of its own in front of one key, or share the entry on \
                     purpose with `key = {}`",
                    clashes.first().map_or_else(String::new, Own::shared),
                );
                misuse::report(cache, function, Misuse::SharedKey, description);
            }
        }
    }
    if let Some(shared) = function.shares()
        && let Some(differs) = differs(cache, function, shared)
    {
        let description = format_args!(
            "it shares the entries of `{}` with {differs}, so neither finds what the other has \
             stored: give it the same, or a key of its own",
            shared.owner.name(),
        );
        misuse::report(cache, function, Misuse::OtherSchema, description);
    }
}

/// What keeps two functions from reading each other's values, though they share entries.
fn differs(cache: &Base, function: &Callsite, shared: &SharedEntries) -> Option<&'static str> {
    let (here, owner) = (function.policy(), shared.owner.policy());
    // Of a key made by hand it is not known what belongs to it.
    if std::ptr::eq(shared.owner, &raw const BY_HAND) {
        return None;
    }
    let codec = owner.codec.unwrap_or(cache.settings().codec);
    if here.codec.is_some_and(|own| own != codec) {
        Some("another `codec`")
    } else if here.version.is_some_and(|own| own != owner.version.unwrap_or_default()) {
        Some("another `version`")
    } else if shared.tags != shared.owner.own_tags() {
        Some("other tags")
    } else {
        None
    }
}

/// A function with a key of its own.
struct Own {
    callsite: &'static Callsite,
    sketch: Sketch<'static>,
}

impl Own {
    fn of(callsite: &'static Callsite) -> Option<Self> {
        Some(Self { callsite, sketch: callsite.sketch()? })
    }

    fn clashes(&self, other: &Self) -> bool {
        self.sketch.may_meet(other.sketch)
            && !self.callsite.source().is_compiled_again(&other.callsite.source())
            && self.shape().meets(&other.shape())
    }

    fn shape(&self) -> Shape {
        let place = self.callsite.here().map(Here::place);
        Shape::of_key(self.sketch.shape, place.as_ref())
    }

    /// The key and where it is written.
    fn described(&self) -> String {
        format!("`{}` ({})", self.callsite.template(), self.callsite.location())
    }

    /// How another function would share its entry.
    fn shared(&self) -> String {
        let name = self.callsite.name();
        format!("{}_key(..)", name.rsplit("::").next().unwrap_or(name))
    }
}

/// Functions with their keys, as a sentence has them.
struct List<'a>(&'a [Own]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, own) in self.0.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}`{}`, {}", own.callsite.name(), own.described())?;
        }
        Ok(())
    }
}
