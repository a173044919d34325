//! What the server refuses, in the log.

use std::fmt::Display;

use crate::failure::Refusal;
use crate::log;
use crate::store::StoreError;

/// The latest refusal, which was logged: it is not said again.
#[derive(Debug, Default)]
pub(super) struct Refusals(Option<Refusal>);

impl Refusals {
    /// Says that the server refuses something to `whom`, if that is what the error means.
    pub(super) fn tell(&mut self, whom: impl Display, error: &StoreError) {
        if let StoreError::Refused(refusal) = error
            && self.0.as_ref() != Some(refusal)
        {
            log::warn(format_args!("{whom}: the server refuses with {refusal}"));
            self.0 = Some(refusal.clone());
        }
    }
}
