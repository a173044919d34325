//! The static that an attribute generates: a function's name and policy.

mod entries;
mod options;
mod twin;

use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) use self::entries::SharedEntries;
pub(crate) use self::options::Policy;
use self::twin::{First, Half};
use crate::codec::fidelity::{Exactness, Fidelity, Trials};
use crate::policy::place::Here;
use crate::policy::reported::Reported;
use crate::record::KeyHash;

/// The length of what tells a function from others in a record.
pub(crate) const FINGERPRINT: usize = 8;

/// What an attribute says about its function. Built at compile time, one static per function, or
/// two of which one stands for both.
#[derive(Debug)]
pub struct Callsite {
    name: &'static str,
    template: &'static str,
    location: &'static Location<'static>,
    /// The shape of its own template; `None` if its key comes from elsewhere.
    shape: Option<&'static str>,
    here: Option<Here>,
    /// Given if the function's body and its companion have a static each.
    half: Option<Half>,
    /// The one of the two that stands for both; known once a key was made.
    first: First,
    /// How many tags its own entries have.
    tags: usize,
    /// Its entries are in the cache that it names.
    names_cache: bool,
    /// The name of a closure in it, and the path in its automatic keys; known once it was called.
    path: OnceLock<(&'static str, String)>,
    /// Its automatic key is that of another function.
    refused: AtomicBool,
    /// Whose entries it uses; known once it was called.
    shares: OnceLock<SharedEntries>,
    policy: Policy,
    /// Index of its statistics in every cache, from 1; 0 until it is first called.
    index: AtomicUsize,
    reported: Reported,
    trials: Trials,
}

/// The callsite of keys that belong to no function.
pub(crate) static BY_HAND: Callsite = Callsite::new("by hand", "");

impl Callsite {
    /// A function by its path and key template. It is where this is called.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, template: &'static str) -> Self {
        Self {
            name,
            template,
            location: Location::caller(),
            shape: None,
            here: None,
            half: None,
            first: First::new(),
            tags: 0,
            names_cache: false,
            path: OnceLock::new(),
            refused: AtomicBool::new(false),
            shares: OnceLock::new(),
            policy: Policy::DEFAULT,
            index: AtomicUsize::new(0),
            reported: Reported::new(),
            trials: Trials::new(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn template(&self) -> &'static str {
        self.template
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How long a value is kept after its time to live.
    pub(crate) fn stale_for(&self, is_absent: bool) -> Duration {
        // A `None` is not served for longer than `none_ttl` says.
        if is_absent { Duration::ZERO } else { self.policy.stale() }
    }

    pub(crate) fn reported(&self) -> &Reported {
        &self.reported
    }

    /// Whether a value that was encoded is to be compared with what can be read back of it.
    pub(crate) fn tries(&self, encoded: Exactness) -> bool {
        match self.policy.fidelity {
            Fidelity::Lossy => false,
            Fidelity::Strict => true,
            Fidelity::Tried => encoded == Exactness::Doubtful || self.trials.is_due(),
        }
    }

    pub(crate) fn trials(&self) -> &Trials {
        &self.trials
    }

    /// What tells it from other functions, in every process of this version of the program.
    pub(crate) fn fingerprint(&self) -> [u8; FINGERPRINT] {
        let text = [self.name, "\0", self.template].concat();
        KeyHash::of(&text).0.to_be_bytes()
    }

    /// A small unique number, assigned at the first call.
    pub(crate) fn index(&self) -> usize {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        match self.index.load(Ordering::Relaxed) {
            0 => {
                let fresh = LAST.fetch_add(1, Ordering::Relaxed) + 1;
                match self.index.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => fresh,
                    Err(given) => given,
                }
            }
            given => given,
        }
    }
}
