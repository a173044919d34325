//! Errors as servers say them.

use std::fmt;

/// The words of an error. They may repeat what the server was sent: keys, values, passwords. So
/// neither form of display shows more than the first one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ServerError(Box<str>);

impl ServerError {
    pub(super) fn new(text: &[u8]) -> Self {
        Self(String::from_utf8_lossy(text).into())
    }

    /// The first word: by convention, what kind of error it is.
    pub(in crate::store) fn code(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// All words but the first.
    pub(in crate::store) fn details(&self) -> &str {
        self.0.split_once(' ').map_or("", |(_, details)| details)
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerError").field(&self.code()).finish()
    }
}
