//! Commands as servers read them: arrays of strings.

/// The head of a command of so many words.
pub(in crate::store) fn array(words: usize, out: &mut Vec<u8>) {
    head(b'*', words, out);
}

/// One word of a command.
pub(in crate::store) fn word(word: &[u8], out: &mut Vec<u8>) {
    head(b'$', word.len(), out);
    out.extend_from_slice(word);
    out.extend_from_slice(b"\r\n");
}

/// A number, in digits.
pub(in crate::store) fn number(number: u64, out: &mut Vec<u8>) {
    word(itoa::Buffer::new().format(number).as_bytes(), out);
}

fn head(kind: u8, count: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    out.extend_from_slice(b"\r\n");
}
