//! How far the reply has come that is arriving on a connection.
//!
//! Replies come one after the other. Behind one of 50 MB, every other one waits for as long as that
//! takes, also the one to a `PING`: a server that sends as fast as the network lets it then looks
//! like one that does not answer. To tell the two apart, the bytes are counted on their way to the
//! client, and so much of the protocol is read as says where a reply ends.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::store::redis::connection::large::LARGE;

/// Where the bytes of a connection are within its replies.
#[derive(Debug, Default)]
pub(in crate::store) struct Replies {
    /// Bytes of the present reply so far.
    so_far: u64,
    /// Bytes of the present string that are missing, its line end included.
    missing: u64,
    /// Elements of the present reply that have begun, or will, and have not ended.
    open: u64,
    line: Line,
    progress: Progress,
}

/// The line that says what an element is, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    kind: Option<u8>,
    /// The number in it, if it is a length.
    length: u64,
    /// There is none: `$-1`.
    is_null: bool,
}

/// How many bytes of a large reply have arrived; 0 while there is none. Clones are one.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Progress(Arc<AtomicU64>);

impl Replies {
    pub(in crate::store) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Takes note of what has arrived.
    pub(in crate::store) fn pass(&mut self, mut bytes: &[u8]) {
        // Nearly every reply is a string that is there as a whole, and every hit comes along here.
        if self.is_between_replies() {
            while let Some(rest) = after_string(bytes) {
                bytes = rest;
            }
            if bytes.is_empty() {
                return;
            }
        }
        while let Some((first, rest)) = bytes.split_first() {
            if self.missing == 0 {
                self.so_far += 1;
                self.read(*first);
                bytes = rest;
            } else {
                let length = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
                self.skip(length as u64);
                bytes = bytes.get(length..).unwrap_or_default();
            }
        }
        let is_large = self.so_far.saturating_add(self.missing) > LARGE as u64;
        self.progress.set(if is_large { self.so_far } else { 0 });
    }

    fn is_between_replies(&self) -> bool {
        self.missing == 0 && self.open == 0 && self.line.kind.is_none()
    }

    /// So many bytes of a string.
    fn skip(&mut self, length: u64) {
        self.so_far = self.so_far.saturating_add(length);
        self.missing -= length;
        if self.missing == 0 {
            self.close();
        }
    }

    /// One byte of a line.
    fn read(&mut self, byte: u8) {
        let line = &mut self.line;
        match (line.kind, byte) {
            (None, _) => line.kind = Some(byte),
            (Some(kind), b'\n') => {
                let Line { length, is_null, .. } = std::mem::take(line);
                self.end_line(kind, if is_null { 0 } else { length }, is_null);
            }
            (_, b'-') => line.is_null = true,
            (_, b'0'..=b'9') => {
                let digit = u64::from(byte - b'0');
                line.length = line.length.saturating_mul(10).saturating_add(digit);
            }
            _ => {}
        }
    }

    fn end_line(&mut self, kind: u8, length: u64, is_null: bool) {
        match kind {
            b'$' | b'=' | b'!' if !is_null => {
                self.missing = length.saturating_add(2);
                self.open = self.open.max(1);
            }
            b'*' | b'~' | b'>' => self.nest(length),
            b'%' => self.nest(length.saturating_mul(2)),
            _ => self.close(),
        }
    }

    /// An element begins that has so many.
    fn nest(&mut self, elements: u64) {
        self.open = self.open.max(1).saturating_add(elements);
        self.close();
    }

    /// An element has ended, and with the last one the reply.
    fn close(&mut self) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.so_far = 0;
        }
    }
}

/// What follows a string, if it has arrived as a whole.
#[inline]
fn after_string(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"$")?;
    let mut length = 0_usize;
    loop {
        let (first, others) = rest.split_first()?;
        rest = others;
        match first {
            b'0'..=b'9' => {
                length = length.checked_mul(10)?.checked_add(usize::from(first - b'0'))?;
            }
            b'\r' => break,
            _ => return None,
        }
    }
    // What is left of the line's end, and the string's own.
    rest.get(length.checked_add(3)?..)
}

impl Progress {
    pub(in crate::store) fn bytes(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn set(&self, bytes: u64) {
        // Only read, as a rule: there is no large reply.
        if self.bytes() != bytes {
            self.0.store(bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIG: usize = 3 * LARGE;

    /// The progress after each of these pieces.
    fn progress(pieces: &[&[u8]]) -> Vec<u64> {
        let mut replies = Replies::default();
        let progress = replies.progress();
        let after = |piece: &&[u8]| {
            replies.pass(piece);
            progress.bytes()
        };
        pieces.iter().map(after).collect()
    }

    #[test]
    fn a_large_string_counts_until_its_end() {
        let (head, half) = (format!("${BIG}\r\n"), vec![b'$'; BIG / 2]);
        let so_far = (head.len() + BIG / 2) as u64;
        let pieces: [&[u8]; 5] = [b"+OK\r\n$3\r\na\nb\r\n", head.as_bytes(), &half, &half, b"\r\n"];
        let expected = [0, head.len() as u64, so_far, so_far + BIG as u64 / 2, 0];
        assert_eq!(progress(&pieces), expected);
    }

    #[test]
    fn wherever_the_pieces_end() {
        let small =
            b"*3\r\n$-1\r\n:-12\r\n*2\r\n$0\r\n\r\n-ERR no 7\r\n%1\r\n+a\r\n_\r\n*0\r\n*-1\r\n";
        let large = [&small[..], format!("${BIG}\r\n").as_bytes()].concat();
        for length in 1..large.len() {
            let pieces: Vec<_> = large.chunks(length).collect();
            let progress = progress(&pieces);
            let (last, others) = progress.split_last().unwrap();
            assert!(others.iter().all(|bytes| *bytes == 0), "{length}: {progress:?}");
            assert_eq!(*last, format!("${BIG}\r\n").len() as u64, "{length}");
        }
    }

    #[test]
    fn many_strings_of_one_reply_count_together_and_those_of_many_do_not() {
        let value =
            [format!("${}\r\n", LARGE / 2).as_bytes(), &vec![b'x'; LARGE / 2], b"\r\n"].concat();
        let (one, none): (Vec<_>, Vec<_>) = (vec![&value[..]; 3], vec![&value[..]; 2]);
        assert_eq!(progress(&none), [0, 0]);
        let array = [&[&b"*4\r\n"[..]], &one[..]].concat();
        let sizes = progress(&array);
        assert_eq!(sizes[..2], [0, 0]);
        assert!(sizes[2] > LARGE as u64 && sizes[3] > sizes[2]);
    }
}
