//! Redis globs: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a character that stands for itself.
//!
//! Matches as Redis does, but a mismatch goes back to the last `*` only, which is enough and needs
//! no recursion.

/// Whether a pattern matches a whole text.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // The pattern behind the last `*`, and the text that it has not yet swallowed.
    let mut star = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            pattern = rest;
            star = Some((rest, text));
        } else if let Some((&byte, rest)) = text.split_first()
            && let Some(behind) = strip(pattern, byte)
        {
            (pattern, text) = (behind, rest);
        } else if pattern.is_empty() && text.is_empty() {
            return true;
        } else {
            let Some((behind, [_, rest @ ..])) = star else {
                return false;
            };
            star = Some((behind, rest));
            (pattern, text) = (behind, rest);
        }
    }
}

/// The text `text` of a pattern `text*`, which matches whatever begins with it.
pub(crate) fn prefix(pattern: &str) -> Option<String> {
    let mut chars = pattern.strip_suffix('*')?.chars();
    let mut text = String::with_capacity(pattern.len());
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next()?),
            '*' | '?' | '[' => return None,
            c => text.push(c),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The pattern behind its first element, if that element matches `byte`.
fn strip(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', b'^', class @ ..] => {
            let (hit, rest) = strip_class(class, byte);
            (!hit).then_some(rest)
        }
        [b'[', class @ ..] => {
            let (hit, rest) = strip_class(class, byte);
            hit.then_some(rest)
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

/// Whether a class contains `byte`, and the pattern behind its `]`; a class that is not closed ends
/// with the pattern.
fn strip_class(mut class: &[u8], byte: u8) -> (bool, &[u8]) {
    let mut hit = false;
    loop {
        class = match class {
            [] => return (hit, class),
            [b']', rest @ ..] => return (hit, rest),
            [b'\\', literal, rest @ ..] => {
                hit |= *literal == byte;
                rest
            }
            [from, b'-', to, rest @ ..] => {
                hit |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                hit |= *literal == byte;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{matches, prefix};

    #[test]
    fn a_prefix_is_all_that_a_pattern_may_say() {
        for (pattern, expected) in [
            ("user:7:*", Some("user:7:")),
            (r"a\*b\[\\*", Some(r"a*b[\")),
            (r"\?\*\[a\]\\-*", Some(r"?*[a]\-")),
            ("*", None),
            ("user:7", None),
            (r"user:7\*", None),
            ("user:*:name:*", None),
            ("user:?:*", None),
            ("user:[12]*", None),
        ] {
            assert_eq!(prefix(pattern).as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn matches_as_redis_does() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("user:*", "user:7", true),
            ("user:*", "users:7", false),
            ("*:7", "user:7", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hallo", true),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hbllo", true),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            ("a[", "ab", false),
            ("**a", "ba", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} on {text}"
            );
        }
    }
}
