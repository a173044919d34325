//! Whether two shapes look alike. It is asked before anything else, since most do not, and every
//! function is compared with every other one.

/// What the shape of an automatic key begins with.
const AUTOMATIC: &str = "<origin>";
/// What the path of a method begins with in such a key: an escaped `<`.
const QUALIFIED: &str = "%3C";

/// The shape of a key, and the function that makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sketch<'a> {
    pub(crate) shape: &'a str,
    pub(crate) function: &'a str,
}

impl<'a> Sketch<'a> {
    /// Whether it is that of an automatic key.
    pub(crate) fn is_automatic(self) -> bool {
        self.shape.starts_with(AUTOMATIC)
    }

    /// Whether there may be a key that both make.
    pub(crate) fn may_meet(self, other: Self) -> bool {
        match (self.is_automatic(), other.is_automatic()) {
            (true, true) => self.name() == other.name(),
            (true, false) => other.may_begin_as_path(self.function),
            (false, true) => self.may_begin_as_path(other.function),
            // No value holds a colon, so what stands between colons faces what stands between the
            // same ones.
            (false, false) => {
                let (mut one, mut other) = (self.shape.split(':'), other.shape.split(':'));
                loop {
                    match (one.next(), other.next()) {
                        (None, None) => return true,
                        (Some(one), Some(other)) if are_alike(one, other) => {}
                        _ => return false,
                    }
                }
            }
        }
    }

    /// Whether there may be a key that this pattern matches.
    #[cfg(feature = "catalog")]
    pub(crate) fn may_match(self, pattern: &str) -> bool {
        if self.is_automatic() {
            return true;
        }
        // From its first glob on, a pattern may match anything.
        let known = pattern.split(['*', '?', '[', '\\']).next().unwrap_or_default();
        let Some((whole, rest)) = known.rsplit_once(':') else {
            return begin_alike(self.shape, known);
        };
        let mut own = self.shape.split(':');
        let mut facing = |part| own.next().is_some_and(|own| are_alike(own, part));
        whole.split(':').all(&mut facing) && own.next().is_some_and(|own| begin_alike(own, rest))
    }

    /// The function's name, without its path.
    fn name(self) -> Option<&'a str> {
        self.function.rsplit("::").next()
    }

    /// Whether a key may begin with the path of a function of the same crate as `function`.
    fn may_begin_as_path(self, function: &str) -> bool {
        let of_crate = function.split("::").next().unwrap_or_default();
        begin_alike(self.shape, of_crate) || begin_alike(self.shape, QUALIFIED)
    }
}

fn are_alike(one: &str, other: &str) -> bool {
    let ending = |part: &str| part.rfind(['<', '>']).map_or(0, |at| at + 1);
    let (end, other_end) = (&one[ending(one)..], &other[ending(other)..]);
    one == other
        || (begin_alike(one, other) && (end.ends_with(other_end) || other_end.ends_with(end)))
}

/// Whether the texts before the first placeholders agree, as far as the shorter one goes.
fn begin_alike(one: &str, other: &str) -> bool {
    let beginning = |part: &str| part.find('<').unwrap_or(part.len());
    let (one, other) = (&one[..beginning(one)], &other[..beginning(other)]);
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_shapes_do_not_look_alike() {
        let sketch = |shape| Sketch { shape, function: "shop::users::find" };
        for (one, other, expected) in [
            ("user:<int>", "user:<any>", true),
            ("user:<int>", "users:<any>", false),
            ("user:<int>", "user:<int>:name", false),
            ("user:<int>:email", "user:<int>:name", false),
            ("user:<int>:n<any>", "user:<int>:name", true),
            ("user:<int>-email", "user:<int>-name", false),
            ("user:<int>-email", "user:<any>", true),
            ("<self>:<int>", "org:<int>", true),
            ("<any>", "a", true),
            ("a<<b", "a<any>", true),
            ("a<<b", "a<any>b", true),
            ("<origin>:<int>", "shop::users::find:<int>", true),
            ("<origin>:<int>", "<any>:<any>", true),
            ("<origin>:<int>", "%3Cshop::A as shop::B%3E::find:<int>", true),
            ("<origin>:<int>", "user:<int>", false),
            ("<origin>:<int>", "<origin>:<any>", true),
        ] {
            assert_eq!(sketch(one).may_meet(sketch(other)), expected, "{one} {other}");
            assert_eq!(sketch(other).may_meet(sketch(one)), expected, "{other} {one}");
        }
        let other = Sketch { shape: "<origin>:<int>", function: "shop::users::load" };
        assert!(!other.may_meet(sketch("<origin>:<int>")));
    }

    #[cfg(feature = "catalog")]
    #[test]
    fn most_patterns_do_not_look_alike() {
        for (shape, pattern, expected) in [
            ("user:<int>:name", "user:*", true),
            ("user:<int>:name", "user:<int>:*", true),
            ("user:<int>:name", "user:<int>:n*", true),
            ("user:<int>:name", "user:<int>:email*", false),
            ("user:<int>:name", "users:*", false),
            ("user:<int>:name", "user:a-<int>:*", true),
            ("user:<int>-b:name", "user:<int>-a:*", false),
            ("user", "user:*", false),
            ("user:<int>", "us*", true),
            ("user:<int>", "o*", false),
            ("user:<int>", "?ser:7", true),
            ("<origin>:<int>", "shop::*", true),
        ] {
            let sketch = Sketch { shape, function: "shop::find" };
            assert_eq!(sketch.may_match(pattern), expected, "{shape} {pattern}");
        }
    }
}
