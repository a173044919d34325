//! The check of the keys, tags and queues of a program.

use std::fmt;

use crate::catalog::reach::{Owner, Reach};
use crate::catalog::site::Target;
use crate::catalog::{CachedFunction, Catalog, WriteFunction};
use crate::policy::shape::{Shape, Sketch};

/// A problem with the keys, tags and queues of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Two functions can make the same key, so one may be served what the other has stored.
    SameKey {
        /// A function and its key.
        one: (&'static str, &'static str),
        /// The other function and its key.
        other: (&'static str, &'static str),
    },
    /// A function shares the entries of another and cannot read what that stores.
    OtherSchema {
        /// The function that shares.
        function: &'static str,
        /// The function that has the template.
        owner: &'static str,
        /// What differs: `codec`, `version` or `tags`.
        differs: &'static str,
    },
    /// A write, or a read that shares entries, names no cache, where the function whose entries it
    /// uses names one.
    OtherCache {
        /// The write or the read.
        user: &'static str,
        /// The function whose entries it uses.
        function: &'static str,
        /// The cache that this function names.
        cache: &'static str,
    },
    /// A write invalidates a key that no cached function makes.
    NoSuchKey {
        /// The write.
        write: &'static str,
        /// The template.
        key: &'static str,
    },
    /// A write invalidates a tag that no cached function carries.
    NoSuchTag {
        /// The write.
        write: &'static str,
        /// The template.
        tag: &'static str,
    },
    /// Two sinks have the same queue, so each gets only some of its items.
    SameQueue {
        /// A sink.
        one: &'static str,
        /// The other sink.
        other: &'static str,
        /// The name of the queue.
        queue: &'static str,
    },
}

impl Catalog {
    /// All problems with the keys, tags and queues of this program.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.same_keys();
        let reach = Reach::new(&self.functions);
        for function in &self.functions {
            problems.extend(other_schema(function, &reach));
            problems.extend(cache_of_owner(function, &reach));
        }
        for write in &self.writes {
            problems.extend(without_effect(write, &reach));
        }
        problems.extend(self.same_queues());
        problems
    }

    fn same_keys(&self) -> Vec<Problem> {
        let own: Vec<_> = self.functions.iter().filter_map(Own::of).collect();
        let pairs = own.iter().enumerate().flat_map(|(at, one)| {
            let others = own.iter().skip(at + 1).filter(|other| one.clashes(other));
            others.map(|other| Problem::SameKey { one: one.named(), other: other.named() })
        });
        pairs.collect()
    }

    fn same_queues(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, one) in self.writes.iter().enumerate() {
            let Some(queue) = one.site.queue else { continue };
            let others = self.writes.iter().skip(at + 1).filter(|other| {
                let same = other.site.queue == Some(queue) && other.site.cache == one.site.cache;
                same && !one.site.source().is_compiled_again(&other.site.source())
            });
            problems.extend(others.map(|other| {
                let (one, other) = (one.function, other.function);
                Problem::SameQueue { one, other, queue }
            }));
        }
        problems
    }
}

/// A function with a template of its own.
struct Own<'a> {
    function: &'a CachedFunction,
    sketch: Sketch<'static>,
    shape: Shape,
}

impl<'a> Own<'a> {
    fn of(function: &'a CachedFunction) -> Option<Self> {
        let sketch = function.site.sketch()?;
        let shape = Shape::of_key(sketch.shape, function.site.place().as_ref());
        Some(Self { function, sketch, shape })
    }

    fn clashes(&self, other: &Self) -> bool {
        let (site, other_site) = (self.function.site, other.function.site);
        site.cache == other_site.cache
            && self.sketch.may_meet(other.sketch)
            && !site.source().is_compiled_again(&other_site.source())
            && self.shape.meets(&other.shape)
    }

    fn named(&self) -> (&'static str, &'static str) {
        (self.function.function, self.function.key)
    }
}

/// A function that shares entries and cannot read them.
fn other_schema(function: &CachedFunction, reach: &Reach<'_>) -> Option<Problem> {
    let Owner::Of(owner) = reach.owner(function.site) else { return None };
    let (here, there) = (function.site, owner);
    let differs = if here.codec.is_some() && here.codec != there.codec {
        "codec"
    } else if here.version.is_some_and(|own| own != there.version.unwrap_or_default()) {
        "version"
    } else if here.retagged {
        "tags"
    } else {
        return None;
    };
    Some(Problem::OtherSchema { function: function.function, owner: owner.function, differs })
}

/// A function that names no cache, where the one whose entries it shares names one.
fn cache_of_owner(function: &CachedFunction, reach: &Reach<'_>) -> Option<Problem> {
    let Owner::Of(owner) = reach.owner(function.site) else { return None };
    let (user, cache) = (function.function, owner.cache);
    (function.site.cache.is_empty() && !cache.is_empty()).then_some(Problem::OtherCache {
        user,
        function: owner.function,
        cache,
    })
}

/// The targets of a write that reach no entry, or entries in another cache.
fn without_effect<'a>(
    write: &'a WriteFunction,
    reach: &'a Reach<'_>,
) -> impl Iterator<Item = Problem> + use<'a> {
    let place = write.site.place();
    write.site.targets.iter().filter_map(move |target| {
        let reached = reach.by(target, write.function, place.as_ref());
        match *target {
            Target::Key(key, _) if reached.is_empty() && !reach.has_keys_by_hand() => {
                Some(Problem::NoSuchKey { write: write.function, key })
            }
            Target::Tag(tag, _) if reached.is_empty() && !reach.has_unseen_tags() => {
                Some(Problem::NoSuchTag { write: write.function, tag })
            }
            _ => {
                let first = reached.first().filter(|_| write.site.cache.is_empty())?;
                let elsewhere = reached.iter().all(|site| !site.cache.is_empty());
                let (user, function, cache) = (write.function, first.function, first.cache);
                elsewhere.then_some(Problem::OtherCache { user, function, cache })
            }
        }
    })
}

/// A type without the modules that its names are in.
pub(super) fn unqualified(ty: &str) -> String {
    let names = ty.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let last = |name: &str| name.rsplit("::").next().unwrap_or_default().to_owned();
    names.map(last).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameKey { one: (one, key), other: (other, other_key) } => {
                let name = one.rsplit("::").next().unwrap_or(one);
                write!(
                    f,
                    "`{one}` (key `{key}`) and `{other}` (key `{other_key}`) can make the same \
                     key, so one may be served what the other has stored: put a word of its own in \
                     front of one key, or share the entry on purpose with `key = {name}_key(..)`"
                )
            }
            Self::OtherSchema { function, owner, differs: "tags" } => write!(
                f,
                "`{function}` shares the entries of `{owner}` with other tags, so neither finds \
                 what the other has stored: give all tags to `{owner}`"
            ),
            Self::OtherSchema { function, owner, differs } => write!(
                f,
                "`{function}` shares the entries of `{owner}` with another `{differs}`, so neither \
                 finds what the other has stored: give `{differs}` to `{owner}` alone, and it \
                 holds for both"
            ),
            Self::OtherCache { user, function, cache } => write!(
                f,
                "`{user}` names no cache, and `{function}`, whose entries it uses, is in \
                 `{cache}`: name that cache in both, `cache = {cache}`"
            ),
            Self::NoSuchKey { write, key } => write!(
                f,
                "`{write}` invalidates `{key}`, which no cached function makes: name the function \
                 instead, `get_user(id)`"
            ),
            Self::NoSuchTag { write, tag } => write!(
                f,
                "`{write}` invalidates the tag `{tag}`, which no cached function carries: add it \
                 to the `tags` of those that are meant"
            ),
            Self::SameQueue { one, other, queue } => write!(
                f,
                "`{one}` and `{other}` are sinks of one queue, `{queue}`, so each gets only some \
                 of its items: give one of them a queue of another name"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_do_not_make_types_different() {
        assert_eq!(unqualified("std::option::Option<model::User>"), "Option<User>");
        assert_eq!(unqualified("(a::B, &'static c::D)"), "(B, &'static D)");
    }
}
