//! Whether two templates can make the same key.
//!
//! A shape is a template whose placeholders have a kind where their name was: `user:<int>`. It stands for the set of all keys
//! that the template can make, or of all that a pattern matches. Two of them have a key in common if both can be walked through
//! at the same time, character by character.

use std::collections::BTreeSet;

/// A template, or a pattern, as a sequence of kinds of characters.
#[derive(Debug)]
pub(super) struct Shape(Vec<Step>);

#[derive(Clone, Copy, Debug)]
struct Step {
    of: Kind,
    /// Any number of them, or none.
    repeats: bool,
}

/// A set of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Only(char),
    /// What the escaped form of a value may hold.
    Value,
    /// Digits and a sign.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Hexadecimal digits and hyphens.
    Hexadecimal,
    /// What a glob leaves open.
    Open,
}

impl Shape {
    /// Reads the shape of a key.
    pub(super) fn of_key(shape: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = shape;
        while let Some((literal, tail)) = rest.split_once('<') {
            steps.extend(literal.chars().map(Step::one));
            rest = match (tail.strip_prefix('<'), tail.split_once('>')) {
                (Some(tail), _) => {
                    steps.push(Step::one('<'));
                    tail
                }
                (None, Some((kind, tail))) => {
                    steps.extend(Step::placeholder(kind));
                    tail
                }
                (None, None) => "",
            };
        }
        steps.extend(rest.chars().map(Step::one));
        Self(steps)
    }

    /// Reads the shape of a pattern, whose literal text is a glob.
    pub(super) fn of_pattern(shape: &str) -> Self {
        let Self(literal) = Self::of_key(shape);
        let mut steps = Vec::new();
        let mut literal = literal.into_iter();
        while let Some(step) = literal.next() {
            match step.of {
                Kind::Only('*') => steps.push(Step { of: Kind::Open, repeats: true }),
                Kind::Only('?') => steps.push(Step { of: Kind::Open, repeats: false }),
                Kind::Only('[') => {
                    literal.find(|step| step.of == Kind::Only(']'));
                    steps.push(Step { of: Kind::Open, repeats: false });
                }
                Kind::Only('\\') => steps.extend(literal.next()),
                _ => steps.push(step),
            }
        }
        Self(steps)
    }

    /// Whether there is a key that both can make.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let mut seen = BTreeSet::new();
        let mut places = vec![(0, 0)];
        while let Some((here, there)) = places.pop() {
            if !seen.insert((here, there)) {
                continue;
            }
            let (step, other_step) = (self.0.get(here), other.0.get(there));
            if step.is_none() && other_step.is_none() {
                return true;
            }
            // What may be missing is passed over.
            if step.is_some_and(|step| step.repeats) {
                places.push((here + 1, there));
            }
            if other_step.is_some_and(|step| step.repeats) {
                places.push((here, there + 1));
            }
            if let (Some(step), Some(other_step)) = (step, other_step)
                && step.of.meets(other_step.of)
            {
                let after = |place: usize, step: &Step| place + usize::from(!step.repeats);
                places.push((after(here, step), after(there, other_step)));
            }
        }
        false
    }
}

impl Step {
    fn one(character: char) -> Self {
        Self { of: Kind::Only(character), repeats: false }
    }

    fn placeholder(kind: &str) -> Vec<Self> {
        let of = match kind {
            "int" => Kind::Integer,
            "bool" => Kind::Bool,
            "hex" => Kind::Hexadecimal,
            // A text may be empty.
            _ => return vec![Self { of: Kind::Value, repeats: true }],
        };
        vec![Self { of, repeats: false }, Self { of, repeats: true }]
    }
}

impl Kind {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Only(one), other) => other.holds(one),
            (one, Self::Only(other)) => one.holds(other),
            // Sets that have a character in common have one of these.
            (one, other) => {
                ['0', 'a', 't', '-', ':'].iter().any(|&it| one.holds(it) && other.holds(it))
            }
        }
    }

    fn holds(self, character: char) -> bool {
        match self {
            Self::Only(only) => only == character,
            Self::Value => {
                !matches!(character, '!' | ':' | '{' | '}' | '*' | '?' | '[' | ']' | '\\')
                    && !character.is_whitespace()
                    && !character.is_control()
            }
            Self::Integer => character.is_ascii_digit() || character == '-',
            Self::Bool => "truefals".contains(character),
            Self::Hexadecimal => character.is_ascii_hexdigit() || character == '-',
            Self::Open => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_can_be_equal() {
        for (one, other, expected) in [
            ("user:<any>", "user:<any>", true),
            ("user:<any>", "user:me", true),
            ("user:<any>", "user:me!", false),
            ("user:<int>", "user:me", false),
            ("user:<int>", "user:-7", true),
            ("user:<int>", "user:", false),
            ("user:<any>", "user:", true),
            ("user:<any>", "user:<any>:posts", false),
            ("<any>:posts", "user:<any>", true),
            ("user:<int>", "user:<hex>", true),
            ("user:<bool>", "user:<int>", false),
            ("user:<bool>", "user:<hex>", true),
            ("user:<any>/<any>", "user:<any>-<any>", true),
            ("a<<b", "a<any>", true),
            ("a<<b", "a<any>c", false),
            ("{<any>}:a", "{<any>}:b", false),
            ("{<any>}:a", "<any>:a", false),
        ] {
            let meets = |one, other| Shape::of_key(one).meets(&Shape::of_key(other));
            assert_eq!(meets(one, other), expected, "{one} {other}");
            assert_eq!(meets(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn patterns_match_across_segments() {
        for (pattern, key, expected) in [
            ("user:*", "user:<any>:posts", true),
            ("user:?", "user:<int>", true),
            ("user:[ab]:x", "user:<any>:x", true),
            ("user:[ab]:x", "user:<int>:y", false),
            (r"user:\*", "user:<any>", false),
            ("user:<int>:*", "user:<any>:posts", true),
            ("user:<int>:*", "user:<any>", false),
            ("*", "anything:<any>:<any>", true),
        ] {
            let meets = Shape::of_pattern(pattern).meets(&Shape::of_key(key));
            assert_eq!(meets, expected, "{pattern} {key}");
        }
    }
}
