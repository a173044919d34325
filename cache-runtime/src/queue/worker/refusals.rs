//! What the server refuses, in the log.

use std::fmt::Display;

use crate::error::Refusal;
use crate::store::StoreError;
use crate::support::log;

/// The latest refusal, which was logged: it is not said again.
#[derive(Debug, Default)]
pub(in crate::queue) struct Refusals(Option<Refusal>);

impl Refusals {
    /// Logs that the server refuses something to the user `whom`, if that is what the error means.
    pub(in crate::queue) fn tell(&mut self, whom: impl Display, error: &StoreError) {
        if let StoreError::Refused(refusal) = error
            && self.0.as_ref() != Some(refusal)
        {
            log::warn(format_args!("{whom}: the server refuses with {refusal}"));
            self.0 = Some(refusal.clone());
        }
    }
}
