//! What a server refuses to everybody, in the log.

use std::sync::{Mutex, PoisonError};

use crate::error::Refusal;
use crate::store::redis::connection::breaker::Breaker;
use crate::support::log;

/// Codes by which a server says that it takes no writes for the time being, whoever asks.
const OF_ALL_WRITES: [&str; 4] = ["MISCONF", "NOREPLICAS", "OOM", "READONLY"];

/// The codes that have been logged, and the connection that they came by.
#[derive(Debug, Default)]
pub(super) struct LoggedRefusals(Mutex<(u64, Vec<String>)>);

impl LoggedRefusals {
    /// Whether this code has not been logged yet since connection `epoch` was made.
    fn is_news(&self, epoch: u64, code: &str) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (present, codes) = &mut *logged;
        if *present != epoch {
            (*present, *codes) = (epoch, Vec::new());
        }
        let is_news = !codes.iter().any(|known| known == code);
        if is_news {
            codes.push(code.to_owned());
        }
        is_news
    }
}

impl Breaker {
    /// The server has refused a command on connection `epoch`. What it refuses to everybody is said once for each
    /// connection: it is the answer to the question why nothing is cached.
    pub(in crate::store) fn refused(&self, epoch: u64, refusal: &Refusal) {
        if OF_ALL_WRITES.contains(&refusal.code()) && self.logged.is_news(epoch, refusal.code()) {
            log::warn(format_args!("{}: takes no writes: {refusal}", self.server));
        }
    }
}
