//! Reasons for not having a connection.

use std::fmt;
use std::io;

use redis::{ErrorKind, RedisError};

/// Why there is no connection. Holds no text of the server's: some servers repeat what they were sent, passwords
/// included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Io(io::ErrorKind),
    TimedOut,
    /// The first word of the server's error.
    Refused(String),
    Other(&'static str),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => kind.fmt(f),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Refused(code) => write!(f, "refused with {code}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl From<RedisError> for Cause {
    fn from(error: RedisError) -> Self {
        match (error.code(), error.kind()) {
            (Some(code), _) => Self::Refused(code.to_owned()),
            (None, ErrorKind::AuthenticationFailed) => Self::Other("wrong user or password"),
            (None, ErrorKind::Io) => Self::Other("connection closed"),
            (None, _) => Self::Other("not a Redis server, or no such database"),
        }
    }
}
