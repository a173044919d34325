//! Where a function is in the program, as the compiler names it: `shop::users::get_user`,
//! `<shop::Repo as shop::Find<shop::User>>::find`.
//!
//! An attribute sees its function alone. Whether the function is in another function, in an `impl`
//! block, or in the implementation of which trait for which type, only the compiler knows, and
//! shows it in the name of the type of a closure that the expansion leaves in the function. A
//! closure that is built with the key has the arguments of a generic `impl` block in its name. One
//! in a static has `_` there.

use std::panic::Location;

use crate::support::escape::{self, Surroundings};

/// What stands in the name of a type and is no path, and yet nothing that a generic block leaves
/// open.
const WORDS: &[&str] = &[
    "as", "closure", "const", "dyn", "extern", "false", "fn", "for", "impl", "mut", "true",
    "unsafe", "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16",
    "i32", "i64", "i128", "isize", "f32", "f64",
];

/// Stands for what a generic block leaves open. No name has it.
pub(crate) const OPEN: char = '\0';

/// The place of a function, before it is read: a static can hold it.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    name: &'static str,
    /// What the closure is in: the function or its companion.
    item: &'static str,
    closure: fn() -> &'static str,
    /// The binary that it was compiled for, if it was for one.
    binary: Option<&'static str>,
}

impl Here {
    /// The place of the function `name`. `closure` names a closure in `item`, which is the function
    /// or its companion; compiled for `binary` or for a library.
    #[must_use]
    pub const fn new(
        name: &'static str,
        item: &'static str,
        closure: fn() -> &'static str,
        binary: Option<&'static str>,
    ) -> Self {
        Self { name, item, closure, binary }
    }

    pub(crate) fn place(self) -> Place {
        Place::of((self.closure)(), self.item, self.name)
    }

    /// The binary that it was compiled for, if it was for one.
    pub(crate) fn binary(self) -> Option<&'static str> {
        self.binary
    }
}

/// Where an attribute is written, and what it was compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The path of the function.
    pub(crate) function: &'static str,
    pub(crate) here: Option<Here>,
    pub(crate) location: &'static Location<'static>,
}

impl Source {
    /// Whether two attributes are one, compiled twice: a file may be part of a library and of a
    /// binary. What was compiled together is never one, wherever it is written, since a macro may
    /// expand to several functions at one location.
    pub(crate) fn is_compiled_again(&self, other: &Self) -> bool {
        let name = |it: &Self| it.function.rsplit("::").next();
        let compiled =
            |it: &Self| (it.function.split("::").next(), it.here.and_then(|here| here.binary));
        self.location == other.location
            && name(self) == name(other)
            && compiled(self) != compiled(other)
    }
}

/// The place of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The module, the type, or the implementation that the function is in.
    outside: String,
    name: String,
}

impl Place {
    /// Reads the name of the type of a closure in `item`, which is the function `name` or its
    /// companion.
    pub(crate) fn of(closure: &str, item: &str, name: &str) -> Self {
        Self { outside: outside(closure, item).to_owned(), name: name.to_owned() }
    }

    /// The text of an automatic key as far as the parameters, with [`OPEN`] for what is not known.
    pub(crate) fn shape(&self) -> String {
        escaped(&[&self.outside, "::", &self.name].concat(), escape::push_path)
    }

    /// The text that `<Self>` gives in the `impl` block that the function is in, with [`OPEN`] as
    /// well. In a method that a trait provides it is not known; the name of the trait is given
    /// then.
    pub(crate) fn self_shape(&self) -> String {
        let outside = self.outside.as_str();
        let block = outside.rsplit_once("::<impl ").map(|(_, block)| block);
        let named = match (block, outside.strip_prefix('<')) {
            (Some(block), _) => {
                let block = block.strip_suffix('>').unwrap_or(block);
                block.rsplit_once(" for ").map_or(block, |(_, of)| of)
            }
            (None, Some(qualified)) => qualified.split(" as ").next().unwrap_or(qualified),
            (None, None) => outside,
        };
        escaped(named, escape::push)
    }
}

/// What the function or companion `name` is in; all of the name where that cannot be told.
///
/// Behind the function may stand closures and statics, and its own generic arguments, which must
/// not make a difference: a read may be called with a `&str` where the write that invalidates it
/// has a `String`.
pub(crate) fn outside<'a>(closure: &'a str, name: &str) -> &'a str {
    let mut path = closure;
    while let Some((before, last)) = without_generics(path).rsplit_once("::") {
        if last == name || last.strip_suffix("_key") == Some(name) {
            return before;
        }
        path = before;
    }
    closure
}

/// `a::find` of `a::find<u8>`.
fn without_generics(path: &str) -> &str {
    if !path.ends_with('>') {
        return path;
    }
    let mut depth = 0;
    for (at, c) in path.char_indices().rev() {
        match c {
            '>' if !path[..at].ends_with('-') => depth += 1,
            '<' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return path.get(..at).unwrap_or_default();
        }
    }
    path
}

/// The name as a key shows it.
fn escaped(name: &str, push: impl Fn(&mut String, &str, Surroundings)) -> String {
    let mut out = String::new();
    for (at, known) in opened(name).split(OPEN).enumerate() {
        if at > 0 {
            out.push(OPEN);
        }
        push(&mut out, known, Surroundings::default());
    }
    out
}

/// The name, with [`OPEN`] in place of generic parameters.
fn opened(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    while !rest.is_empty() {
        let length = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(length);
        let is_open = !(word.is_empty()
            || word.contains("::")
            || word.starts_with(|c: char| c.is_ascii_digit())
            || WORDS.contains(&word));
        if is_open {
            out.push(OPEN);
        } else {
            out.push_str(word);
        }
        let others = tail.find(is_of_word).unwrap_or(tail.len());
        let (others, tail) = tail.split_at(others);
        out.push_str(others);
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_in_what_the_compiler_names() {
        for (closure, name, expected) in [
            ("shop::get_user_key::{{closure}}", "get_user", "shop"),
            (
                "shop::users::get_user_key::__CALLSITE::{{closure}}::{{closure}}",
                "get_user",
                "shop::users",
            ),
            ("shop::B<u8>::find_key<&str>::{{closure}}", "find", "shop::B<u8>"),
            ("shop::B<u8>::find_key<fn(u8) -> u8>::{{closure}}", "find", "shop::B<u8>"),
            (
                "<shop::A as shop::Find<shop::U>>::find::{{closure}}::{{closure}}",
                "find",
                "<shop::A as shop::Find<shop::U>>",
            ),
            ("shop::_::<impl shop::U>::find_key::{{closure}}", "find", "shop::_::<impl shop::U>"),
            ("shop::find::{{closure}}::find_key::{{closure}}", "find", "shop::find::{{closure}}"),
            ("shop::unlike::{{closure}}", "find", "shop::unlike::{{closure}}"),
        ] {
            assert_eq!(outside(closure, name), expected, "{closure}");
        }
    }

    #[test]
    fn one_file_may_be_compiled_twice() {
        #[track_caller]
        fn source(function: &'static str, binary: Option<&'static str>) -> Source {
            let here = Some(Here::new("find", "find", || "", binary));
            Source { function, here, location: Location::caller() }
        }
        let [library, program, again, other, moved] = [
            ("shop::users::find", None),
            ("shop::users::find", Some("shop")),
            ("worker::common::users::find", Some("worker")),
            ("shop::orgs::find", None),
            ("worker::users::load", None),
        ]
        .map(|(function, binary)| source(function, binary));
        assert!(library.is_compiled_again(&program), "by the package's two targets");
        assert!(library.is_compiled_again(&again), "by another crate");
        assert!(!library.is_compiled_again(&other), "a macro makes several functions");
        assert!(!library.is_compiled_again(&library), "even of one path");
        assert!(!library.is_compiled_again(&moved), "of another name");
        assert!(!library.is_compiled_again(&source("worker::users::find", None)), "elsewhere");
    }

    #[test]
    fn what_a_generic_block_leaves_open_is_open() {
        let shape = |closure| Place::of(closure, "find", "find").shape();
        assert_eq!(shape("shop::find_key::{{closure}}"), "shop::find");
        assert_eq!(shape("shop::B<_>::find_key::{{closure}}"), "shop::B%3C\0%3E::find");
        assert_eq!(shape("shop::N<K, 3>::find_key::{{closure}}"), "shop::N%3C\0,%203%3E::find");
        assert_eq!(
            shape("<shop::A as shop::Find<u8>>::find::{{closure}}"),
            "%3Cshop::A%20as%20shop::Find%3Cu8%3E%3E::find"
        );
    }

    #[test]
    fn self_is_found_in_every_kind_of_block() {
        let of_self = |closure| Place::of(closure, "find", "find").self_shape();
        for closure in [
            "shop::A::find_key::{{closure}}",
            "shop::other::<impl shop::A>::find_key::{{closure}}",
            "<shop::A as shop::Find<u8>>::find::{{closure}}",
            "shop::other::<impl shop::Find<u8> for shop::A>::find::{{closure}}",
        ] {
            assert_eq!(of_self(closure), "shop%3A%3AA", "{closure}");
        }
        assert_eq!(of_self("shop::B<_>::find_key::{{closure}}"), "shop%3A%3AB%3C\0%3E");
    }
}
