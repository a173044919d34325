//! Where a reply ends.
//!
//! The bytes of a connection arrive in pieces that have nothing to do with replies. So it is found
//! out first whether a reply is there as a whole, from where that was left off: a reply of many
//! pieces is not looked through again for each of them. Then it is decoded in one go.

use bytes::{Buf as _, BytesMut};

use crate::store::redis::connection::wire::decode::Decoder;
use crate::store::redis::connection::wire::{ProtocolError, RespValue};

/// The longest string that is read, and the longest reply: as much as a server takes for a value.
const LONGEST: usize = 512 << 20;
/// The longest line; only errors are longer than a number.
const LONGEST_LINE: usize = 64 << 10;

/// The replies that arrive on a connection.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// Bytes of the present reply up to the last element that has been looked at.
    scanned: usize,
    /// Elements of the present reply that have begun, or will, and have not ended. None if the
    /// reply has not begun.
    open: Option<usize>,
    /// Bytes of the present string that have not arrived.
    missing: usize,
}

impl Frames {
    /// Takes the next reply out of what has arrived; none if it is not there as a whole.
    pub(crate) fn next(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<RespValue>, ProtocolError> {
        // Nearly every reply is a string that is there as a whole, and every hit comes along here.
        if self.open.is_none()
            && let Some((from, to)) = string(input)
        {
            let mut string = input.split_to(to + 2);
            string.advance(from);
            string.truncate(to - from);
            return Ok(Some(RespValue::BulkString(string.freeze())));
        }
        match self.end(input)? {
            None => Ok(None),
            Some(end) => {
                *self = Self::default();
                Decoder::new(input.split_to(end).freeze()).decode().map(Some)
            }
        }
    }

    /// How many bytes of the present reply are known to be missing: 0 between replies, and where
    /// that is not known.
    pub(in crate::store) fn missing(&self) -> usize {
        self.missing
    }

    /// The end of the reply that `input` begins with, if it is there.
    fn end(&mut self, input: &[u8]) -> Result<Option<usize>, ProtocolError> {
        if input.is_empty() {
            return Ok(None);
        }
        let mut open = self.open.unwrap_or(1);
        while open > 0 {
            match element(input.get(self.scanned..).unwrap_or_default())? {
                Element::Whole { length, elements } => {
                    self.scanned += length;
                    open = (open - 1).saturating_add(elements);
                }
                Element::Missing(missing) => {
                    if input.len().saturating_add(missing) > LONGEST {
                        return Err(ProtocolError);
                    }
                    (self.open, self.missing) = (Some(open), missing);
                    return Ok(None);
                }
            }
            // Each of them has at least a kind and a line end.
            if open.saturating_mul(3) > LONGEST {
                return Err(ProtocolError);
            }
        }
        Ok(Some(self.scanned))
    }
}

/// What is known of an element.
enum Element {
    /// It has ended, but for these elements within it.
    Whole { length: usize, elements: usize },
    /// So many bytes of it are missing; 0 if that is not known.
    Missing(usize),
}

/// The element that `input` begins with.
fn element(input: &[u8]) -> Result<Element, ProtocolError> {
    let Some(Head { kind, text, length }) = head(input)? else { return Ok(Element::Missing(0)) };
    let elements = match kind {
        b'$' | b'=' | b'!' => match count(text, kind)? {
            None => 0,
            Some(size) if size > LONGEST => return Err(ProtocolError),
            Some(size) => {
                let end = length + size + 2;
                return match input.get(end - 2..end) {
                    Some(b"\r\n") => Ok(Element::Whole { length: end, elements: 0 }),
                    Some(_) => Err(ProtocolError),
                    None => Ok(Element::Missing(end - input.len())),
                };
            }
        },
        b'*' | b'~' | b'>' => count(text, kind)?.unwrap_or(0),
        b'%' => count(text, kind)?.unwrap_or(0).saturating_mul(2),
        // Something said of the value that follows.
        b'|' => count(text, kind)?.unwrap_or(0).saturating_mul(2).saturating_add(1),
        b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => 0,
        _ => return Err(ProtocolError),
    };
    Ok(Element::Whole { length, elements })
}

/// The line that an element begins with.
pub(super) struct Head<'a> {
    pub(super) kind: u8,
    /// What follows the kind.
    pub(super) text: &'a [u8],
    /// Of all of it, with the line end.
    pub(super) length: usize,
}

/// The first line, if it is there as a whole.
pub(super) fn head(input: &[u8]) -> Result<Option<Head<'_>>, ProtocolError> {
    let looked_at = input.get(..LONGEST_LINE).unwrap_or(input);
    match looked_at.iter().position(|byte| *byte == b'\n') {
        Some(end) => match looked_at.get(..end).and_then(|line| line.strip_suffix(b"\r")) {
            Some([kind, text @ ..]) => Ok(Some(Head { kind: *kind, text, length: end + 1 })),
            _ => Err(ProtocolError),
        },
        None if looked_at.len() < LONGEST_LINE => Ok(None),
        None => Err(ProtocolError),
    }
}

/// The number of bytes or elements. In RESP2, -1 stands for no string and no array.
pub(super) fn count(text: &[u8], kind: u8) -> Result<Option<usize>, ProtocolError> {
    match text {
        b"-1" if matches!(kind, b'$' | b'*') => Ok(None),
        text if !text.is_empty() && text.iter().all(u8::is_ascii_digit) => {
            let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            number.map(Some).ok_or(ProtocolError)
        }
        _ => Err(ProtocolError),
    }
}

/// Where the string is that `input` begins with, if it is one and there as a whole. Whatever is not
/// in order is left for [`element`] to say.
#[inline]
fn string(input: &[u8]) -> Option<(usize, usize)> {
    let mut rest = input.strip_prefix(b"$")?;
    let mut size = 0_usize;
    loop {
        let (first, others) = rest.split_first()?;
        rest = others;
        match first {
            b'0'..=b'9' => size = size.checked_mul(10)?.checked_add(usize::from(first - b'0'))?,
            b'\r' => break,
            _ => return None,
        }
    }
    let from = input.len() - rest.strip_prefix(b"\n")?.len();
    let to = from.checked_add(size)?;
    let has_digits = from > 3;
    (has_digits && input.get(to..)?.starts_with(b"\r\n")).then_some((from, to))
}
