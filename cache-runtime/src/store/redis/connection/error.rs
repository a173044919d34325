//! What errors of sockets, of the client and of servers mean.
//!
//! Servers may repeat what they were sent: passwords, keys, values. Of a server's words only those
//! are kept that can be none of these.

use std::io;

pub(in crate::store) use crate::error::Cause;
use crate::error::Refusal;
use crate::store::StoreError;
use crate::store::redis::connection::multiplexer::Ended;
use crate::store::redis::connection::refusal;
use crate::store::redis::connection::wire::ServerError;
use crate::store::redis::url::Access;

/// The longest text that is kept of a server's error, in characters.
const LONGEST: usize = 160;
/// A word that is as long as this and is a part of a password may have been made from it.
const TELLING: usize = 4;
/// What stands for what was left out.
const ELLIPSIS: &str = "…";
/// What follows is what the server was sent, or where it met the error.
const QUOTATIONS: [&str; 2] = [" with args beginning with", " script: "];

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NobodyListens,
            io::ErrorKind::TimedOut => Self::TimedOut,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Unreachable(shortened(error.to_string())),
        }
    }
}

impl From<Ended> for Cause {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Closed => Self::Closed,
            Ended::Malformed => Self::Protocol("not a Redis server"),
        }
    }
}

impl From<StoreError> for Cause {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Down | StoreError::Lost => Self::Lost,
            StoreError::Saturated => Self::Saturated,
            StoreError::TimedOut => Self::TimedOut,
            StoreError::Refused(refusal) => refusal.into(),
            StoreError::Redirected(_) => {
                Self::Topology("a node of a cluster: write `redis+cluster://`")
            }
            StoreError::Unexpected => Self::Protocol("a reply that the command does not give"),
        }
    }
}

/// What a server refused, without what it may have got from us.
pub(in crate::store) fn refusal(error: &ServerError, access: &Access) -> Refusal {
    let code = refusal::code(error);
    let text = error.details();
    // A code that a script met is followed by its own words.
    let text = text.rsplit_once(code).map_or(text, |(_, text)| text);
    Refusal::new(shortened(code.to_owned()), words(text, access))
}

/// At most so much that a line of the log stays readable.
pub(in crate::store) fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}{ELLIPSIS}", &text[..end]),
    }
}

/// The words of an error that are neither credentials nor data.
fn words(text: &str, access: &Access) -> String {
    let ends = QUOTATIONS.iter().filter_map(|quotation| text.find(quotation));
    let text = &text[..ends.min().unwrap_or(text.len())];
    let secrets: Vec<_> = [&access.user, &access.password]
        .into_iter()
        .flatten()
        .map(|it| it.to_lowercase())
        .collect();
    // A secret may have blanks.
    let mut text = text.to_owned();
    for secret in [&access.user, &access.password].into_iter().flatten() {
        if secret.contains(char::is_whitespace) {
            text = text.replace(secret.as_str(), ELLIPSIS);
        }
    }
    let mut kept: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let word = if is_plain(word) && !gives_away(word, &secrets) { word } else { ELLIPSIS };
        if word != ELLIPSIS || kept.last() != Some(&ELLIPSIS) {
            kept.push(word);
        }
    }
    shortened(kept.join(" "))
}

/// Whether it is a word of a language, a number, or the name of a command or a setting, with its
/// punctuation. Keys, values and passwords that people choose have other characters, or letters and
/// digits together.
fn is_plain(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| "'\"`().,:;<>[]!?".contains(c));
    let is_number = inner.len() <= 6 && inner.bytes().all(|b| b.is_ascii_digit());
    let is_word = inner.bytes().all(|b| b.is_ascii_alphabetic() || b"'-/|_".contains(&b));
    is_number || (is_word && inner.len() <= 40)
}

/// Whether it may be a secret, or a part of one, or contain one.
fn gives_away(word: &str, secrets: &[String]) -> bool {
    let word = word.to_lowercase();
    let mut parts = word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let tells = |part: &str, secret: &String| {
        part == secret
            || (part.len() >= TELLING && secret.contains(part))
            || (secret.len() >= TELLING && part.contains(secret.as_str()))
    };
    secrets.iter().any(|it| it.len() >= TELLING && word.contains(it.as_str()))
        || parts.any(|part| secrets.iter().any(|secret| tells(part, secret)))
}

#[cfg(test)]
mod tests {
    use crate::store::redis::connection::wire::RespValue;
    use crate::store::redis::connection::wire::tests::read as read_reply;

    use super::*;

    fn read(error: &str, user: &str, password: &str) -> String {
        let access = Access {
            user: Some(user.to_owned()),
            password: Some(password.to_owned()),
            ..Access::default()
        };
        match read_reply(format!("-{error}\r\n").as_bytes()) {
            Ok(RespValue::ServerError(error)) => refusal(&error, &access).to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_words_of_a_server_are_kept() {
        for error in [
            "WRONGPASS invalid username-password pair or user is disabled.",
            "ERR DB index is out of range",
            "NOAUTH Authentication required.",
            "NOREPLICAS Not enough good replicas to write.",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "ERR max number of clients reached",
            "READONLY You can't write against a read only replica.",
            "NOPERM this user has no permissions to run the 'eval' command",
            "LOADING Redis is loading the dataset in memory",
        ] {
            assert_eq!(read(error, "ann", "hunter2"), error);
        }
        let long = read(&format!("ERR {}", "word ".repeat(1_000)), "ann", "hunter2");
        assert!(long.chars().count() < 200, "{long}");
        let scripted = "ERR Error running script (call to f_1f8f): @user_script:12: @user_script: \
            12: -OOM command not allowed";
        assert_eq!(read(scripted, "ann", "hunter2"), "OOM command not allowed");
    }

    #[test]
    fn what_a_server_got_from_us_is_not() {
        for (error, kept) in [
            ("ERR what is AUTH ann hunter2", "ERR what is AUTH …"),
            ("ERR what is [\"AUTH\", \"ann\", \"HUNTER2\"]", "ERR what is [\"AUTH\", …"),
            ("ERR what is AUTH hunt", "ERR what is AUTH …"),
            ("ERR user=ann&password=hunter2", "ERR …"),
            (
                "ERR unknown command 'GETX', with args beginning with: 'secret' 'words'",
                "ERR unknown command 'GETX',",
            ),
            (
                "READONLY You can't write against a read only replica. script: 1f8f, on \
                    @user_script:1.",
                "READONLY You can't write against a read only replica.",
            ),
            ("NOPERM user ann may not read user:7", "NOPERM user … may not read …"),
            ("ERR no 4711-0815 here \u{1b}[31m", "ERR no … here …"),
        ] {
            assert_eq!(read(error, "ann", "hunter2"), kept, "{error}");
        }
        assert_eq!(read("ERR what is correct horse", "ann", "correct horse"), "ERR what is …");
        assert_eq!(read("ERR what is correct", "ann", "correct horse"), "ERR what is …");
    }
}
