//! Why the program does not do what it was asked for.

use std::io;
use std::process::ExitCode;

use cache_runtime::Error;

#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The server could not be reached, refused, or has no such thing.
    Failed(String),
    /// Nobody reads any more what is printed.
    Unread,
}

impl Failure {
    /// Says why, and with which status the program ends.
    pub(crate) fn report(self) -> ExitCode {
        let (message, status) = match self {
            Self::Usage(message) => (message, 2),
            Self::Failed(message) => (message, 1),
            Self::Unread => return ExitCode::SUCCESS,
        };
        eprintln!("cachectl: {message}");
        ExitCode::from(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
