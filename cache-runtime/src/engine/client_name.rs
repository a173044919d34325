//! The name under which a server lists the connections of a program.

use crate::error::{Error, ErrorKind};

/// Refuses what Redis would not take: it would go on listing the connections without a name, and
/// nobody would know why.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    let wrong = match name.chars().find(|c| !c.is_ascii_graphic()) {
        Some(c) => format!("has a {c:?} in it"),
        None if name.is_empty() => "is empty".to_owned(),
        None => return Ok(()),
    };
    let message = format!(
        "`client_name` {wrong}: Redis takes letters, digits and punctuation of ASCII, such as \
            `shop-api`"
    );
    Err(Error::new(ErrorKind::Config, message))
}
