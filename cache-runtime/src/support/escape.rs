//! How a text becomes a part of a key, such that it can forge nothing: no separator, no glob, no
//! hash tag.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// What surrounds a text in a key, and so must not stand in it as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings {
    /// The character of the template behind the text, where a value might contain it.
    pub(crate) next: Option<char>,
    /// The text is an item of a list: commas end it.
    pub(crate) in_list: bool,
}

/// Appends `text`, escaped.
pub(crate) fn push(out: &mut String, text: &str, around: Surroundings) {
    // Most texts, such as numbers, are plain.
    if text.bytes().all(is_plain) && around.next.is_none_or(|next| !text.contains(next)) {
        out.push_str(text);
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.find(|c| must_escape(c, around)) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        if let Some(c) = chars.next() {
            push_bytes(out, c);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Appends a path of Rust, whose colons are kept.
pub(crate) fn push_path(out: &mut String, path: &str, around: Surroundings) {
    for (at, part) in path.split("::").enumerate() {
        if at > 0 {
            out.push_str("::");
        }
        push(out, part, around);
    }
}

/// Whether a byte has no meaning anywhere in a key, unless it is what stands behind the text.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn must_escape(c: char, around: Surroundings) -> bool {
    match c {
        '%' | ':' | '{' | '}' | '<' | '>' | '*' | '?' | '[' | ']' | '\\' | '!' => true,
        ',' if around.in_list => true,
        _ => Some(c) == around.next || c.is_whitespace() || c.is_control(),
    }
}

/// Appends the bytes of a character as `%XX` each.
fn push_bytes(out: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.push('%');
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0xF)]));
    }
}
