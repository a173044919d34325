//! The check of the keys of a program.

use std::fmt;

use super::shape::Shape;
use super::{CachedFunction, Catalog, Target};

/// A problem with the keys of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Two functions can make the same key and store values of different types.
    SameKey {
        /// A function and its key.
        one: (&'static str, &'static str),
        /// The other function and its key.
        other: (&'static str, &'static str),
    },
    /// A write invalidates a key that no cached function makes.
    NoSuchKey {
        /// The write.
        write: &'static str,
        /// The template.
        key: &'static str,
    },
}

impl Catalog {
    /// All problems with the keys of this program.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let pairs = self.functions.iter().enumerate().flat_map(|(at, one)| {
            let others = self.functions.iter().skip(at + 1);
            others.filter(|other| one.collides_with(other)).map(move |other| Problem::SameKey {
                one: (one.function, one.key),
                other: (other.function, other.key),
            })
        });
        let keys = self.writes.iter().flat_map(|write| {
            write.site.targets.iter().filter_map(move |target| match *target {
                Target::Key(key, shape) if !self.has(&Shape::of_key(shape)) => {
                    Some(Problem::NoSuchKey { write: write.function, key })
                }
                _ => None,
            })
        });
        pairs.chain(keys).collect()
    }

    fn has(&self, shape: &Shape) -> bool {
        self.functions.iter().any(|function| function.site.meets(shape))
    }
}

impl CachedFunction {
    fn collides_with(&self, other: &Self) -> bool {
        let (one, other) = (self.site, other.site);
        let same_type = match (one.type_name, other.type_name) {
            (Some(one), Some(other)) => one() == other(),
            _ => spelled(one.value) == spelled(other.value),
        };
        !same_type
            && one.cache == other.cache
            && one.shape.is_some_and(|shape| other.meets(&Shape::of_key(shape)))
    }
}

/// A type without the modules that its names are in.
pub(super) fn unqualified(ty: &str) -> String {
    let names = ty.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let last = |name: &str| name.rsplit("::").next().unwrap_or_default().to_owned();
    names.map(last).collect()
}

/// A type as it is written, without what may be written in more ways than one.
fn spelled(ty: &str) -> String {
    unqualified(ty).replace(' ', "")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameKey { one: (one, key), other: (other, other_key) } => write!(
                f,
                "`{one}` (key `{key}`) and `{other}` (key `{other_key}`) store different types and can make the \
                 same key: put a word of its own in front of one"
            ),
            Self::NoSuchKey { write, key } => write!(
                f,
                "`{write}` invalidates `{key}`, which no cached function makes: name the function instead, \
                 `get_user(id)`"
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
        assert_eq!(spelled("Vec<(a::B,C)>"), spelled("Vec<(B, C)>"));
        assert_ne!(spelled("Option<User>"), spelled("User"));
    }
}
