//! How the text of a key is built, so that different arguments give different keys.
//!
//! Template text is taken as it is; values are escaped. The text of a value never contains characters that separate
//! segments (`:`), that have a meaning in Redis (`*?[]\` in patterns, `{}` as hash tags), that lead to the key beside
//! an entry (`!`, for refreshes), or that are inconvenient in a key (whitespace, control characters): they appear as
//! `%XX`, and so does `%`. `<` and `>` are escaped in values too, so they are free to mark structure: lists are
//! `<a,b,>`, `None` is `<->`, and a truncated text ends in `<#hash>`.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use super::canonical::{self, Unhashable};
use super::{Key, KeyPart};
use crate::callsite::Callsite;
use crate::place;
use crate::token::Token;

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

    /// Appends a value that is followed by text beginning with `next`, and escapes that character in the value too:
    /// in `<from>/<to>`, a `/` inside `from` must not look like the separator.
    pub fn part_before(self, value: &(impl KeyPart + ?Sized), next: char) -> Self {
        self.segment(Some(next), |segment| value.write(segment))
    }

    /// Appends a 128-bit hash of a value, in hexadecimal.
    ///
    /// Equal values of a type have the same hash in every process, and different ones have different hashes, whatever
    /// serde tells apart: `None`, `Some(None)` and `()`, infinities and NaN, `0.0` and `-0.0` (every NaN is the same).
    /// How a value is held makes no difference: `&str` and `String`, an array and a list, a pointer and what is behind it,
    /// kinds of sets and of maps. Numbers of different types are different values.
    /// The order of maps does not matter, nor does that of `HashSet` and other known sets; a type that serializes a
    /// set's elements by itself is a sequence, so that equal sets get different keys.
    ///
    /// A value is refused if it does not serialize (such as a path that is not UTF-8), if it is nested deeper than 127
    /// levels, or if serde visibly skips a field of it. A key with such a value names no entry: calls with it bypass
    /// the cache, operations by hand return [`ErrorKind::Codec`](crate::ErrorKind::Codec), and both are counted in
    /// [`FunctionStats::misuses`](crate::FunctionStats::misuses). What serde leaves out unseen is not in the hash: a
    /// skipped field of an enum's variant, or of a struct behind a pointer, in a list or in a map, a small field beside
    /// others, and whatever a `with` function or `skip_serializing_if` takes for the same.
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

    /// Appends where the function `name` is, and the name. `here` is the type of a closure in it, or in its companion.
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

    /// Appends a parameter to an automatic key. An empty one is marked: between two colons it would look like the path
    /// of another function.
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

/// The writer that a [`KeyPart`] writes itself to. It escapes everything.
#[derive(Debug)]
pub struct Segment<'a> {
    out: &'a mut String,
    /// The template's character behind this placeholder, where a value might contain it.
    next: Option<char>,
    /// How many lists we are inside; commas separate their items.
    depth: usize,
    /// Texts are written without the white space around them.
    pub(super) trim: bool,
    /// Texts are written in lower case.
    pub(super) lower: bool,
}

impl<'a> Segment<'a> {
    pub(crate) fn new(out: &'a mut String, next: Option<char>) -> Self {
        Self { out, next, depth: 0, trim: false, lower: false }
    }

    /// Writes a path, whose colons are kept.
    pub(crate) fn path(&mut self, path: &str) {
        for (at, part) in path.split("::").enumerate() {
            if at > 0 {
                self.out.push_str("::");
            }
            self.text(part);
        }
    }

    /// Writes text, escaped.
    pub fn text(&mut self, text: &str) {
        let text = if self.trim { text.trim() } else { text };
        if self.lower { self.escaped(&text.to_lowercase()) } else { self.escaped(text) }
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(|c| self.must_escape(c)) {
            let (plain, tail) = rest.split_at(at);
            self.out.push_str(plain);
            let mut chars = tail.chars();
            if let Some(c) = chars.next() {
                self.escape(c);
            }
            rest = chars.as_str();
        }
        self.out.push_str(rest);
    }

    /// Writes an ordered list of values, such that different lists never look alike.
    pub fn list<P: KeyPart>(&mut self, items: impl IntoIterator<Item = P>) {
        self.items(|list| items.into_iter().for_each(|item| list.item(&item)));
    }

    /// Writes values whose order means nothing, such that the same ones look alike, however they are held.
    pub(super) fn set<P: KeyPart>(&mut self, items: impl IntoIterator<Item = P>) {
        let mut texts: Vec<_> = items.into_iter().map(|item| self.item_text(&item)).collect();
        texts.sort_unstable();
        // With `:lower`, different elements can be one.
        texts.dedup();
        self.items(|list| {
            for text in texts {
                list.out.push_str(&text);
                list.out.push(',');
            }
        });
    }

    /// The text of a list's item.
    fn item_text(&self, item: &impl KeyPart) -> String {
        let (mut out, depth) = (String::new(), self.depth + 1);
        item.write(&mut Segment { out: &mut out, depth, ..*self });
        out
    }

    /// Writes the values of a struct's fields, or the name of an enum's variant and those of its fields.
    #[doc(hidden)]
    pub fn record(&mut self, variant: Option<&str>, fields: &[&dyn KeyPart]) {
        match variant {
            Some(name) if fields.is_empty() => self.escaped(name),
            _ => self.items(|list| {
                if let Some(name) = variant {
                    list.escaped(name);
                    list.out.push(',');
                }
                for field in fields {
                    list.item(*field);
                }
            }),
        }
    }

    pub(super) fn items(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.depth += 1;
        write(self);
        self.depth -= 1;
        self.out.push('>');
    }

    pub(super) fn item(&mut self, item: &(impl KeyPart + ?Sized)) {
        item.write(self);
        self.out.push(',');
    }

    /// `None` is `<->`. So that `Some(None)` differs, a present value that begins with `<-` gets one more dash.
    pub(super) fn option<P: KeyPart>(&mut self, value: Option<&P>) {
        let start = self.out.len();
        match value {
            None => self.out.push_str("<->"),
            Some(value) => {
                value.write(self);
                if self.out[start..].starts_with("<-") {
                    self.out.insert(start + 1, '-');
                }
            }
        }
    }

    fn must_escape(&self, c: char) -> bool {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' => Some(c) == self.next,
            '%' | ':' | '{' | '}' | '<' | '>' | '*' | '?' | '[' | ']' | '\\' | '!' => true,
            ',' if self.depth > 0 => true,
            _ => Some(c) == self.next || c.is_whitespace() || c.is_control(),
        }
    }

    fn escape(&mut self, c: char) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            self.out.push('%');
            self.out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            self.out.push(char::from(DIGITS[usize::from(byte & 0xF)]));
        }
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
