//! How the text of a key is built, so that different arguments give different keys.
//!
//! Template text is taken as it is; values are escaped. The text of a value never contains
//! characters that separate segments (`:`), that have a meaning in Redis (`*?[]\` in patterns, `{}`
//! as hash tags), that lead to the key beside an entry (`!`, for refreshes), or that are
//! inconvenient in a key (whitespace, control characters): they appear as `%XX`, and so does `%`.
//! `<` and `>` are escaped in values too, so they are free to mark structure: lists are `<a,b,>`,
//! `None` is `<->`, and a truncated text ends in `<#hash>`.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::key::canonical::{self, Unhashable};
use crate::key::{Key, KeyPart, Segment};
use crate::policy::{Callsite, place};
use crate::record::token::Token;

/// Longest encoded form of one placeholder; what is longer is cut and ends in its hash.
const SEGMENT_LIMIT: usize = 200;
/// How much of a long segment stays legible.
const SEGMENT_PREFIX: usize = 100;

/// Builds the text of a key; created by [`Key::builder`].
///
/// Literal text is taken as it is, values are escaped:
///
/// ```
/// # use cache_runtime::Key;
/// let key: Key<u64> = Key::<u64>::builder().text("hits:").part("/a:b?c=*").done();
/// assert_eq!(key.as_str(), "hits:/a%3Ab%3Fc=%2A");
/// ```
///
/// A value whose escaped form is longer than 200 bytes is truncated, and ends in its hash.
#[must_use = "a key text does nothing until `done`"]
pub struct KeyText<T = ()> {
    text: String,
    callsite: &'static Callsite,
    /// Why there is no such entry.
    unhashable: Option<Unhashable>,
    /// What the entry stores.
    value: PhantomData<fn() -> T>,
}

impl<T> KeyText<T> {
    pub(crate) fn new(callsite: &'static Callsite) -> Self {
        // Long enough for most keys: one allocation.
        Self { text: String::with_capacity(48), callsite, unhashable: None, value: PhantomData }
    }

    /// Appends literal text of the template as it is. Values go through [`part`](Self::part).
    pub fn text(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends a value, escaped.
    pub fn part(self, value: &(impl KeyPart + ?Sized)) -> Self {
        self.segment(None, |segment| value.write(segment))
    }

    /// Appends a value that is followed by text beginning with `next`, and escapes that character
    /// in the value too: in `<from>/<to>`, a `/` inside `from` must not look like the separator.
    pub fn part_before(self, value: &(impl KeyPart + ?Sized), next: char) -> Self {
        self.segment(Some(next), |segment| value.write(segment))
    }

    /// Appends a 128-bit hash of a value, in hexadecimal.
    ///
    /// Equal values of a type have the same hash in every process, and different ones have
    /// different hashes, whatever serde tells apart: `None`, `Some(None)` and `()`, infinities and
    /// NaN, `0.0` and `-0.0` (every NaN is the same). How a value is held makes no difference:
    /// `&str` and `String`, an array and a list, a pointer and what is behind it, kinds of sets and
    /// of maps. Numbers of different types are different values. The order of maps does not matter,
    /// nor does that of `HashSet` and other known sets; a type that serializes a set's elements by
    /// itself is a sequence, so that equal sets get different keys.
    ///
    /// A value is refused if it does not serialize (such as a path that is not UTF-8), if it is
    /// nested deeper than 127 levels, or if serde visibly skips a field of it. A key with such a
    /// value names no entry: calls with it bypass the cache, operations by hand return
    /// [`ErrorKind::Codec`](crate::ErrorKind::Codec), and both are counted in
    /// [`FunctionStats::misuses`](crate::stats::FunctionStats::misuses). What serde leaves out
    /// unseen is not in the hash: a skipped field of an enum's variant, or of a struct behind a
    /// pointer, in a list or in a map, a small field beside others, and whatever a `with` function
    /// or `skip_serializing_if` takes for the same.
    pub fn hash(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        let hash = canonical::hash(value).unwrap_or_else(|unhashable| {
            self.unhashable.get_or_insert(unhashable);
            // Whatever came to be stored under it, nobody would take it for another value's.
            Hash::of(Token::random().as_bytes())
        });
        hash.push_to(&mut self.text);
        self
    }

    /// Appends the name of a type, for functions whose type parameters decide what they return.
    pub fn type_name<N: ?Sized>(self) -> Self {
        self.segment(None, |segment| segment.text(std::any::type_name::<N>()))
    }

    /// Appends where the function `name` is, and the name. `here` is the type of a closure in it,
    /// or in its companion.
    #[doc(hidden)]
    pub fn origin<H>(self, here: &H, name: &'static str) -> Self {
        self.origin_in(here, name, name)
    }

    /// The same, where the closure is in `item`, a companion of another name.
    #[doc(hidden)]
    pub fn origin_in<H>(mut self, _here: &H, name: &'static str, item: &'static str) -> Self {
        let path = self.callsite.path(std::any::type_name::<H>(), |here| {
            let made = KeyText::<()>::new(self.callsite).segment(None, |segment| {
                segment.path(place::outside(here, item));
                segment.path("::");
                segment.path(name);
            });
            made.text
        });
        self.text.push_str(&path);
        self
    }

    /// Appends a parameter to an automatic key. An empty one is marked: between two colons it would
    /// look like the path of another function.
    #[doc(hidden)]
    pub fn argument(self, value: &(impl KeyPart + ?Sized)) -> Self {
        let start = self.text.len();
        let mut made = self.part(value);
        if made.text.len() == start {
            made.text.push_str("<.>");
        }
        made
    }

    /// The finished key.
    #[must_use]
    pub fn done(self) -> Key<T> {
        Key::new(self.text, self.callsite.one(), self.unhashable)
    }

    /// The finished text, and why it names no entry.
    pub(super) fn into_parts(self) -> (String, Option<Unhashable>) {
        (self.text, self.unhashable)
    }

    /// The finished text, if it names an entry.
    pub(crate) fn into_text(self) -> Result<String, Unhashable> {
        self.unhashable.map_or(Ok(self.text), Err)
    }

    fn segment(mut self, next: Option<char>, write: impl FnOnce(&mut Segment<'_>)) -> Self {
        let start = self.text.len();
        write(&mut Segment::new(&mut self.text, next));
        // Keys that begin with `~` are the cache's own: those of tags.
        if start == 0 && self.text.starts_with('~') {
            self.text.replace_range(..1, "%7E");
        }
        if self.text.len() - start > SEGMENT_LIMIT {
            let hash = Hash::of(&self.text.as_bytes()[start..]);
            let mut cut = start + SEGMENT_PREFIX;
            while !self.text.is_char_boundary(cut) {
                cut -= 1;
            }
            self.text.truncate(cut);
            self.text.push_str("<#");
            hash.push_to(&mut self.text);
            self.text.push('>');
        }
        self
    }
}

impl<T> Clone for KeyText<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), ..*self }
    }
}

impl<T> fmt::Debug for KeyText<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyText").field(&self.text).finish()
    }
}

/// 128 bits of BLAKE3: nobody can make two texts that collide.
pub(super) struct Hash([u8; 16]);

impl Hash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        Self(hash)
    }

    fn push_to(&self, out: &mut String) {
        for byte in self.0 {
            out.extend(
                [byte >> 4, byte & 0xF]
                    .map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')),
            );
        }
    }
}
