//! How results are printed.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Failure;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints a result: as JSON on a line, or in these words.
    pub(crate) fn print(
        self,
        result: &(impl Serialize + ?Sized),
        words: impl Display,
    ) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string(result)? } else { legible(words) };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", text.trim_end())?;
        stdout.flush()?;
        Ok(())
    }
}

/// The words without what a terminal would take for orders: keys and errors are of others.
fn legible(words: impl Display) -> String {
    let legible =
        |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    words.to_string().chars().map(legible).collect()
}
