//! What an attribute says about a function: its options, its place in the program, the shape of its
//! keys.

mod callsite;
mod options;
pub(crate) mod place;
pub(crate) mod queue_site;
mod reported;
pub(crate) mod shape;

pub use self::callsite::Callsite;
pub(crate) use self::callsite::{BY_HAND, FINGERPRINT, Policy, SharedEntries};
pub use self::queue_site::QueueSite;
