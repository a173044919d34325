//! What a server refuses to everybody, in the log.

use std::sync::{Mutex, PoisonError};

use crate::error::cause::Refusal;
use crate::store::redis::connection::breaker::Breaker;
use crate::support::log;

/// Codes by which a server says that it takes no writes for the time being, whoever asks.
const OF_ALL_WRITES: [&str; 4] = ["MISCONF", "NOREPLICAS", "OOM", "READONLY"];

/// The codes that are in the log, and the connection that they came by.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<(u64, Vec<String>)>);

impl Told {
    /// Whether nothing was said of this code yet, as long as connection `epoch` is the present one.
    fn is_news(&self, epoch: u64, code: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (present, codes) = &mut *told;
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
        if OF_ALL_WRITES.contains(&refusal.code()) && self.told.is_news(epoch, refusal.code()) {
            log::warn(format_args!("{}: takes no writes: {refusal}", self.server));
        }
    }
}
