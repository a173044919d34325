//! Whether two templates can make the same key.
//!
//! A shape is a template whose placeholders have a kind in place of their name: `user:<int>`. It
//! stands for the set of all keys that the template can make, or of all keys that a pattern
//! matches. Two shapes have a key in common if both can be walked through at the same time,
//! character by character: each is a small automaton, and the search goes through the pairs of
//! their states.

mod pieces;
mod sketch;
#[cfg(test)]
mod tests;

use self::pieces::{Piece, Pieces};
pub(crate) use self::sketch::Sketch;
use crate::policy::place::{self, Place};

/// The names of types that a key shows as they are, without a path. `_` stands for one that the
/// name of a generic `impl` block leaves open.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "&str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
    "i64", "i128", "isize", "f32", "f64", "()",
];

/// Digits of the longest number of 64 bits, and of 128 bits.
const DIGITS: usize = 20;
const MANY_DIGITS: usize = 39;
/// Hexadecimal digits of `<filter:hash>`, and of a `Uuid` between its hyphens.
const HASH: usize = 32;
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// The automaton of a template or of a pattern. It begins in the first state and ends in the last.
#[derive(Debug)]
pub(crate) struct Shape(Vec<Vec<Arrow>>);

/// Leads to another state, past a character or without one.
#[derive(Clone, Copy, Debug)]
struct Arrow {
    past: Option<Kind>,
    to: usize,
}

/// A set of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Only(char),
    /// What the escaped form of a value may hold: all of it, or all but the character that follows
    /// in the template.
    Value(Option<char>),
    Digit,
    /// A hexadecimal digit in lower case.
    Hexadecimal,
    /// What a glob leaves open.
    Open,
}

impl Shape {
    /// Reads the shape of a key of a function that is at `place`.
    pub(crate) fn of_key(shape: &str, place: Option<&Place>) -> Self {
        let mut made = Self(vec![Vec::new()]);
        for piece in Pieces(shape) {
            match piece {
                Piece::Text(text) => made.text(text),
                Piece::Kind(kind) => made.placeholder(kind, place),
            }
        }
        made
    }

    /// That of one key, whose text it is.
    #[cfg(feature = "catalog")]
    pub(crate) fn of_text(text: &str) -> Self {
        let mut made = Self(vec![Vec::new()]);
        made.text(text);
        made
    }

    /// Reads the shape of a pattern, whose literal text is a glob.
    #[cfg(feature = "catalog")]
    pub(crate) fn of_pattern(shape: &str, place: Option<&Place>) -> Self {
        let mut made = Self(vec![Vec::new()]);
        for piece in Pieces(shape) {
            match piece {
                Piece::Text(text) => made.glob(text),
                Piece::Kind(kind) => made.placeholder(kind, place),
            }
        }
        made
    }

    /// Whether there is a key that both can make.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (ends, width) = ((self.end(), other.end()), other.0.len());
        let mut seen = vec![false; self.0.len() * width];
        let mut open = vec![(0, 0)];
        while let Some(at) = open.pop() {
            if at == ends {
                return true;
            }
            match seen.get_mut(at.0 * width + at.1) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            for arrow in self.arrows(at.0) {
                let Some(kind) = arrow.past else {
                    open.push((arrow.to, at.1));
                    continue;
                };
                let others = other.arrows(at.1).iter();
                let same = others.filter(|it| it.past.is_some_and(|past| past.meets(kind)));
                open.extend(same.map(|it| (arrow.to, it.to)));
            }
            let free = other.arrows(at.1).iter().filter(|it| it.past.is_none());
            open.extend(free.map(|it| (at.0, it.to)));
        }
        false
    }

    fn arrows(&self, state: usize) -> &[Arrow] {
        self.0.get(state).map_or(&[], Vec::as_slice)
    }

    fn end(&self) -> usize {
        self.0.len() - 1
    }

    fn state(&mut self) -> usize {
        self.0.push(Vec::new());
        self.end()
    }

    fn arrow(&mut self, from: usize, past: Option<Kind>, to: usize) {
        if let Some(arrows) = self.0.get_mut(from) {
            arrows.push(Arrow { past, to });
        }
    }

    fn one(&mut self, kind: Kind) {
        let from = self.end();
        let to = self.state();
        self.arrow(from, Some(kind), to);
    }

    fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.one(Kind::Only(c)));
    }

    /// What `make` adds, or nothing.
    fn optional(&mut self, make: impl FnOnce(&mut Self)) {
        let from = self.end();
        make(self);
        let to = self.end();
        self.arrow(from, None, to);
    }

    /// Any number of such characters, or none.
    fn any(&mut self, kind: Kind) {
        let here = self.end();
        self.arrow(here, Some(kind), here);
        // The next piece must not lead back here.
        let to = self.state();
        self.arrow(here, None, to);
    }

    /// What one of the alternatives adds.
    fn alternatives<T>(&mut self, of: impl IntoIterator<Item = T>, make: impl Fn(&mut Self, T)) {
        let from = self.end();
        let mut ends = Vec::new();
        for one in of {
            let start = self.state();
            self.arrow(from, None, start);
            make(self, one);
            ends.push(self.end());
        }
        let to = self.state();
        for end in ends {
            self.arrow(end, None, to);
        }
    }

    fn placeholder(&mut self, kind: &str, place: Option<&Place>) {
        match (kind, place) {
            ("int", _) => self.integer(DIGITS),
            ("wide", _) => self.integer(MANY_DIGITS),
            ("bool", _) => self.alternatives(["true", "false"], Self::text),
            ("hash", _) => self.times(HASH, Kind::Hexadecimal),
            ("uuid", _) => {
                for (at, length) in UUID.into_iter().enumerate() {
                    if at > 0 {
                        self.one(Kind::Only('-'));
                    }
                    self.times(length, Kind::Hexadecimal);
                }
            }
            ("origin", Some(place)) => self.known(&place.shape()),
            ("self", Some(place)) => self.known(&place.self_shape()),
            ("type" | "self", _) => self.type_name(),
            // A text may be empty.
            (kind, _) => {
                let next = kind.strip_prefix("any before ").and_then(|rest| rest.chars().next());
                self.any(Kind::Value(next));
            }
        }
    }

    /// What is known of the place of a function.
    fn known(&mut self, text: &str) {
        for c in text.chars() {
            if c == place::OPEN { self.any(Kind::Open) } else { self.one(Kind::Only(c)) }
        }
    }

    fn integer(&mut self, digits: usize) {
        // It is escaped where a hyphen follows.
        self.optional(|it| it.alternatives(["-", "%2D"], Self::text));
        self.one(Kind::Digit);
        let mut ends = vec![self.end()];
        for _ in 1..digits {
            self.one(Kind::Digit);
            ends.push(self.end());
        }
        // Each leads to the end at once, so that two numbers are walked through in step.
        let to = self.state();
        for end in ends {
            self.arrow(end, None, to);
        }
    }

    fn times(&mut self, times: usize, kind: Kind) {
        (0..times).for_each(|_| self.one(kind));
    }

    /// The escaped name of a type: it has a path in it, unless it is one of the language's own.
    fn type_name(&mut self) {
        let named = PRIMITIVES.iter().copied().map(Some);
        self.alternatives(named.chain([None]), |it, name| {
            if let Some(name) = name {
                it.text(name);
            } else {
                it.any(Kind::Value(None));
                it.text("%3A%3A");
                it.any(Kind::Value(None));
            }
        });
    }

    #[cfg(feature = "catalog")]
    fn glob(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '*' => self.any(Kind::Open),
                '?' => self.one(Kind::Open),
                '[' => {
                    chars.find(|&c| c == ']');
                    self.one(Kind::Open);
                }
                '\\' => chars.next().into_iter().for_each(|c| self.one(Kind::Only(c))),
                c => self.one(Kind::Only(c)),
            }
        }
    }
}

impl Kind {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Only(one), other) => other.holds(one),
            (one, Self::Only(other)) => one.holds(other),
            // Sets that have a character in common have one of these.
            (one, other) => ['0', 'a', ':'].iter().any(|&it| one.holds(it) && other.holds(it)),
        }
    }

    fn holds(self, character: char) -> bool {
        match self {
            Self::Only(only) => only == character,
            Self::Value(next) => {
                !matches!(character, '!' | ':' | '{' | '}' | '*' | '?' | '[' | ']' | '\\')
                    && !character.is_whitespace()
                    && !character.is_control()
                    && Some(character) != next
            }
            Self::Digit => character.is_ascii_digit(),
            Self::Hexadecimal => matches!(character, '0'..='9' | 'a'..='f'),
            Self::Open => true,
        }
    }
}
