//! The state of one cache, and what reads, writes and queues do with it.

pub(crate) mod admission;
pub(crate) mod ambient;
pub(crate) mod background;
mod base;
mod clash;
mod client_name;
mod core;
pub(crate) mod elsewhere;
pub(crate) mod entry;
mod environment;
pub(crate) mod flight;
mod invalidation;
pub(crate) mod journal;
pub(crate) mod misses;
pub(crate) mod misuse;
mod mode;
mod recollection;
pub(crate) mod report;
mod settings;
mod shutdown;
pub(crate) mod tags;

pub(crate) use self::base::Base;
pub(crate) use self::core::Core;
pub(crate) use self::invalidation::SentInvalidation;
pub(crate) use self::mode::Mode;
pub use self::settings::CacheBuilder;
pub(crate) use self::settings::Settings;
