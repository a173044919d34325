//! Key templates: `"user:<id>"`.
//!
//! | piece | meaning |
//! |---|---|
//! | `<id>`, `<user.id>`, `<self.id>`, `<pair.0>` | a placeholder: a parameter or fields of it |
//! | `<T>`, `<N>` | the name of a type parameter, the value of a const parameter |
//! | `<email:trim:lower>` | a value without white space around it, in lower case; either or both |
//! | `<day:display>` | what `Display` shows of a value; first, if there is more |
//! | `<filter:hash>` | a stable hash of any `Serialize`; last, if there is more |
//! | `<<`, `>>` | a literal `<`, `>` |
//! | `{..}` | a Redis Cluster hash tag: at most one, not empty |
//! | anything else | itself; no whitespace, no control characters, `*` only in patterns |
//!
//! An encoded value never contains one of [`RESERVED`] as such. Any other character that follows a
//! placeholder is escaped in its value too, so that different values give different keys.

// The fuzz target includes this file, since a crate of macros exports nothing else.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod parser;

use std::iter::once;

use syn::{Error, LitStr};

use self::parser::parse;

/// What the encoding of a value always escapes, besides whitespace and control characters.
const RESERVED: &str = "%:{}<>*?[]\\";

/// What a template names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    /// A group of entries. Its own key begins with `~`, which is why no other does.
    Tag,
    /// Many keys. Its literal text is a glob; a placeholder's value still stands for itself only.
    Pattern,
}

/// A template whose syntax is right; what its placeholders stand for is not known here.
pub(crate) struct Template {
    /// As it was written: every message about the template stands there.
    pub(crate) literal: LitStr,
    pub(crate) segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Placeholder {
    /// The name it starts at.
    pub(crate) root: String,
    /// `.name` and `.0`, in order.
    pub(crate) fields: Vec<String>,
    /// `:display`, `:trim` and `:lower`, in order.
    pub(crate) changes: Vec<Change>,
    /// `:hash`.
    pub(crate) hash: bool,
    /// The literal character behind it.
    pub(crate) next: Option<char>,
}

/// What is done to a value, or to its text, before it is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Makes the text, so it is the first.
    Display,
    Trim,
    Lower,
}

impl Change {
    /// As it stands in a placeholder.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Trim => "trim",
            Self::Lower => "lower",
        }
    }
}

impl Placeholder {
    /// The character behind it, if the encoding of a value would leave that as it is.
    pub(crate) fn ambiguous_next(&self) -> Option<char> {
        self.next.filter(|&next| !RESERVED.contains(next))
    }

    /// As it stands in the template.
    pub(crate) fn name(&self) -> String {
        let path: Vec<_> = once(&self.root).chain(&self.fields).map(String::as_str).collect();
        let path = path.join(".");
        let options = options(&self.changes, self.hash);
        format!("<{path}{options}>")
    }
}

/// `:trim:lower:hash`
pub(crate) fn options(changes: &[Change], hash: bool) -> String {
    let names = changes.iter().map(|change| change.option()).chain(hash.then_some("hash"));
    names.flat_map(|name| [":", name]).collect()
}

impl Template {
    /// Parses `literal`; the error says everything that is wrong with it.
    pub(crate) fn parse(literal: LitStr, kind: Kind) -> syn::Result<Self> {
        let (segments, problems) = parse(&literal.value(), kind);
        let errors = problems.into_iter().map(|problem| Error::new(literal.span(), problem));
        let errors = errors.reduce(|mut all, next| {
            all.combine(next);
            all
        });
        errors.map_or(Ok(Self { literal, segments }), Err)
    }
}
