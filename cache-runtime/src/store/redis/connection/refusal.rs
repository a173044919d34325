//! Which error a server means.
//!
//! Up to Redis 6.2, what a script meets is wrapped in what is said of the script, and is not an
//! error's first word:
//!
//! ```text
//! ERR Error running script (call to f_1f8f...): @user_script:1: @user_script: 1: -READONLY ...
//! @user_script: 1: -READONLY You can't write against a read only replica.
//! ```

use crate::store::redis::connection::wire::{RespValue, ServerError};

/// What such a server says before the error itself.
const PLACE: &str = "@user_script:";

/// The code of an error: its first word, or that of the error which it wraps.
pub(in crate::store) fn code(error: &ServerError) -> &str {
    match (error.code(), error.details()) {
        (PLACE, details) => of_wrapped(details).unwrap_or("ERR"),
        ("ERR", details) if details.starts_with("Error running script ") => {
            of_wrapped(details).unwrap_or("ERR")
        }
        (code, _) => code,
    }
}

pub(in crate::store) fn is_error(reply: &RespValue, expected: &str) -> bool {
    matches!(reply, RespValue::ServerError(error) if code(error) == expected)
}

/// The code behind the last place that is named.
fn of_wrapped(text: &str) -> Option<&str> {
    let last = text.rsplit(PLACE).next()?.trim_start();
    let text = last.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(": ")?;
    let code = text.trim_start_matches('-').split([' ', '\r', '\n']).next()?;
    let is_code = code.len() > 2 && code.bytes().all(|c| c.is_ascii_uppercase());
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use crate::store::redis::connection::wire::tests::read as read_reply;

    use super::*;

    fn read(error: &str) -> String {
        match read_reply(format!("-{error}\r\n").as_bytes()) {
            Ok(RespValue::ServerError(error)) => code(&error).to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// As Redis 6.2.14 says it.
    #[test]
    fn an_error_that_a_script_met_has_its_own_code() {
        let script = "ERR Error running script (call to \
            f_1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64): @user_script:12:";
        for (error, code) in [
            (
                "@user_script: 12: -READONLY You can't write against a read only replica.",
                "READONLY",
            ),
            ("@user_script: 12: -OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
            ("@user_script: 12: -NOREPLICAS Not enough good replicas to write.", "NOREPLICAS"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE"),
            // Scripts run, which `NOPERM` would deny.
            (
                "@user_script: 1: The user executing the script can't run this command or \
                    subcommand",
                "ERR",
            ),
            ("@user_script: 1: Unknown Redis command called from Lua script", "ERR"),
            ("user_script:1: boom", "ERR"),
        ] {
            assert_eq!(read(&format!("{script} {error}")), code, "{error}");
        }
        // Caught by the script, and returned.
        assert_eq!(read("@user_script: 29: -READONLY You can't write against ..."), "READONLY");
        assert_eq!(
            read("@user_script: 29: -MISCONF Errors writing to the AOF file: no space"),
            "MISCONF"
        );
    }

    /// As Redis 7.0 says it.
    #[test]
    fn other_errors_have_their_first_word() {
        for (error, code) in [
            (
                "READONLY You can't write against a read only replica. script: 1f8f, on \
                    @user_script:1.",
                "READONLY",
            ),
            (
                "ERR The user executing the script can't run this command or subcommand script: \
                    1f8f, on @user_script:1.",
                "ERR",
            ),
            ("ERR user_script:1: boom script: 82903a, on @user_script:1.", "ERR"),
            (
                "ERR unknown command `NONE`, with args beginning with: @user_script: 1: -READONLY",
                "ERR",
            ),
            ("NOSCRIPT No matching script. Please use EVAL.", "NOSCRIPT"),
            ("MOVED 3999 127.0.0.1:6381", "MOVED"),
            ("LOADING Redis is loading the dataset in memory", "LOADING"),
        ] {
            assert_eq!(read(error), code, "{error}");
        }
    }
}
