//! What must not be shown.

use std::fmt;

/// A text that stands in no message and no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(Option<String>);

impl Secret {
    /// None where the text is empty.
    pub(crate) fn new(text: String) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()))
    }

    /// The text, if there is one.
    pub(crate) fn into_text(self) -> Option<String> {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "[redacted]" } else { "none" })
    }
}
