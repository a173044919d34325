//! What the log has described of a function.

use std::sync::atomic::{AtomicU32, Ordering};

/// The kinds of misuse and oddities that the log has described for one function.
#[derive(Debug)]
pub(crate) struct Reported(AtomicU32);

impl Reported {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Whether this is the first report of its kind, which has this number.
    pub(crate) fn is_first(&self, kind: u32) -> bool {
        let bit = 1 << kind;
        // The common case writes nothing: threads that report the same kind do not contend for the
        // line.
        self.0.load(Ordering::Relaxed) & bit == 0
            && self.0.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_described_once() {
        let reported = Reported::new();
        assert!(reported.is_first(4));
        assert!(reported.is_first(5));
        assert!(!reported.is_first(4));
        assert!(!reported.is_first(5));
    }
}
