//! Which keys of a server belong to which cache.
//!
//! | cache | key in the store |
//! |---|---|
//! | with the namespace `shop` | `@shop:user:7` |
//! | with the namespace `shop:v2` | `@shop%3Av2:user:7` |
//! | without a namespace | `user:7` |
//! | without a namespace, if the key begins with `@` | `@:@ada` |
//!
//! A namespace is written as a value in a key is, so it contains no `:`. A key that begins with `@`
//! therefore belongs to the namespace that stands before its first `:`, and every other key to the
//! caches without one: whatever text a key has, no cache can name a key of another namespace.
//!
//! Patterns follow the same rule: `*` and `?` at the beginning of a pattern stand for no `@` of a
//! namespace.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::store::glob;

/// What a key in a namespace begins with.
const MARK: char = '@';
/// The namespace of keys that are in none, but begin with the mark.
const NONE: &str = "@:";

/// The namespace of a cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespace {
    name: String,
    /// What every key begins with; empty without a namespace.
    prefix: String,
}

impl Namespace {
    pub(crate) fn new(name: String) -> Self {
        let prefix = match name.as_str() {
            "" => String::new(),
            name => {
                let name = Key::<()>::builder().part(name).done();
                format!("{MARK}{name}:")
            }
        };
        Self { name, prefix }
    }

    /// Refuses a name that would not be legible in a key.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || r"*?[]\{}<>%".contains(c);
        match self.name.chars().find(|&c| odd(c)) {
            None => Ok(()),
            Some(c) => {
                let message = format!(
                    "the namespace may not contain {c:?}: use letters, digits, `.`, `-`, `_` and \
                        `:`"
                );
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.prefix.is_empty()
    }

    /// What every key begins with that is not the text of a [`Key`]: those of queues.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The glob that matches every key of this namespace.
    pub(crate) fn everything(&self) -> String {
        format!("{}*", self.prefix)
    }

    /// A key's text as it is in the store.
    pub(crate) fn key<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.with(text, text.starts_with(MARK))
    }

    /// The text of a key of this namespace that is so in the store.
    pub(crate) fn text_in<'a>(&self, key: &'a str) -> &'a str {
        let prefix = if self.is_empty() { NONE } else { &self.prefix };
        key.strip_prefix(prefix).unwrap_or(key)
    }

    /// A glob for the texts of keys, as one for keys in the store.
    pub(crate) fn pattern<'a>(&self, pattern: &'a str) -> Cow<'a, str> {
        self.with(pattern, pattern.strip_prefix('\\').unwrap_or(pattern).starts_with(MARK))
    }

    fn with<'a>(&self, text: &'a str, is_marked: bool) -> Cow<'a, str> {
        match (self.prefix.as_str(), is_marked) {
            ("", false) => Cow::Borrowed(text),
            ("", true) => Cow::Owned([NONE, text].concat()),
            (prefix, _) => Cow::Owned([prefix, text].concat()),
        }
    }
}

/// Whether a pattern matches a key in the store.
pub(crate) fn matches(pattern: &str, key: &str) -> bool {
    let text = if key.starts_with(MARK) && !pattern.starts_with(MARK) {
        // A pattern of a cache without a namespace, and a key that may be in one.
        key.strip_prefix(NONE)
    } else {
        Some(key)
    };
    text.is_some_and(|text| glob::matches(pattern.as_bytes(), text.as_bytes()))
}

/// A glob that a server finds at least those keys by that [`matches`] a pattern.
pub(crate) fn scanned(pattern: &str) -> Cow<'_, str> {
    if pattern.starts_with(['?', '[']) {
        // If this stands for an `@`, more stands before it in the store.
        Cow::Owned(format!("*{pattern}"))
    } else {
        Cow::Borrowed(pattern)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names and texts from few characters, so that they are often nearly the same.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[@:ab~!]{0,6}", "[@:ab%{}*?\\[\\]\\\\4A0]{0,8}", "\\PC{0,12}"]
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[@:ab!]{0,4}", "(a|b|@)(:(a|b|@)){0,2}", "[a:]{190,210}"]
    }

    /// A pattern that matches something of the sort.
    fn pattern() -> impl Strategy<Value = String> {
        "[@:ab*?\\[\\]^\\\\]{0,6}"
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn only_equal_namespaces_and_keys_give_equal_keys(
            a in (name(), text()),
            b in (name(), text()),
        ) {
            let full = |(name, text): &(String, String)| {
                Namespace::new(name.clone()).key(text).into_owned()
            };
            prop_assert_eq!(full(&a) == full(&b), a == b);
        }

        #[test]
        fn a_key_split_elsewhere_is_another(name in name(), texts in (text(), text())) {
            let outer = format!("{name}:{}", texts.0);
            let inner = format!("{}:{}", texts.0, texts.1);
            prop_assert_ne!(
                Namespace::new(name).key(&inner).into_owned(),
                Namespace::new(outer).key(&texts.1).into_owned()
            );
            prop_assert_ne!(
                Namespace::new(texts.0.clone()).key(&texts.1).into_owned(),
                Namespace::default().key(&inner).into_owned()
            );
        }

        #[test]
        fn no_pattern_matches_a_key_of_another_namespace(
            names in (name(), name()),
            pattern in pattern(),
            text in text(),
        ) {
            let [here, there] = [names.0, names.1].map(Namespace::new);
            let key = there.key(&text);
            let ours = here.prefix == there.prefix;
            prop_assert_eq!(matches(&here.everything(), &key), ours);
            let expected = ours && glob::matches(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(&here.pattern(&pattern), &key), expected);
        }

        #[test]
        fn the_server_finds_all_that_matches(
            names in (name(), name()),
            pattern in pattern(),
            text in text(),
        ) {
            let [here, there] = [names.0, names.1].map(Namespace::new);
            let (pattern, key) = (here.pattern(&pattern).into_owned(), there.key(&text));
            let found = glob::matches(scanned(&pattern).as_bytes(), key.as_bytes());
            prop_assert!(found || !matches(&pattern, &key));
        }
    }

    #[test]
    fn keys_are_legible() {
        let key = |name: &str, text| Namespace::new(name.to_owned()).key(text).into_owned();
        assert_eq!(key("", "user:7"), "user:7");
        assert_eq!(key("", "@ada"), "@:@ada");
        assert_eq!(key("shop", "user:7"), "@shop:user:7");
        assert_eq!(key("shop", "@ada"), "@shop:@ada");
        assert_eq!(key("shop:v2", "user:7"), "@shop%3Av2:user:7");
        assert_eq!(key("shop", "~tag:org:7"), "@shop:~tag:org:7");
    }
}
