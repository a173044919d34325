//! How the text of a key is built, so that different arguments give different keys.
//!
//! Template text is taken as it is; values are escaped. The text of a value never contains characters that separate
//! segments (`:`), that have a meaning in Redis (`*?[]\` in patterns, `{}` as hash tags), that lead to the key beside
//! an entry (`!`, for refreshes), or that are inconvenient in a key (whitespace, control characters): they appear as
//! `%XX`, and so does `%`. `<` and `>` are escaped in values too, so they are free to mark structure: lists are
//! `<a,b,>`, `None` is `<->`, and a truncated text ends in `<#hash>`.

use serde::Serialize;

use super::{Key, KeyPart, canonical};
use crate::callsite::Callsite;

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
#[derive(Clone, Debug)]
#[must_use = "a key text does nothing until `done`"]
pub struct KeyText {
    text: String,
    callsite: &'static Callsite,
}

impl KeyText {
    pub(crate) fn new(callsite: &'static Callsite) -> Self {
        // Long enough for most keys: one allocation.
        Self { text: String::with_capacity(48), callsite }
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

    /// Appends a 128-bit hash of a value's serialized form, in hexadecimal. Equal values have the same hash in every
    /// process, whatever the order of their maps. A value that does not serialize to JSON's data model (such as a map
    /// whose keys are not strings) gets a different hash every time, so its entries are never found.
    pub fn hash(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        canonical::hash(value).push_to(&mut self.text);
        self
    }

    /// Appends the name of a type, for functions whose type parameters decide what they return.
    pub fn type_name<T: ?Sized>(self) -> Self {
        self.segment(None, |segment| segment.text(std::any::type_name::<T>()))
    }

    /// The finished key.
    #[must_use]
    pub fn done<T>(self) -> Key<T> {
        Key::new(self.text, self.callsite)
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }

    fn segment(mut self, next: Option<char>, write: impl FnOnce(&mut Segment<'_>)) -> Self {
        let start = self.text.len();
        write(&mut Segment { out: &mut self.text, next, depth: 0 });
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

/// The writer that a [`KeyPart`] writes itself to. It escapes everything.
#[derive(Debug)]
pub struct Segment<'a> {
    out: &'a mut String,
    /// The template's character behind this placeholder, where a value might contain it.
    next: Option<char>,
    /// How many lists we are inside; commas separate their items.
    depth: usize,
}

impl Segment<'_> {
    /// Writes text, escaped.
    pub fn text(&mut self, text: &str) {
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
