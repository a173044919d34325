//! The items that expansions of the attribute macros use. Not part of the public API: they change
//! without notice.

pub use core;
#[cfg(feature = "catalog")]
pub use inventory;

pub use cache_macros::tag;

#[cfg(feature = "catalog")]
pub use crate::catalog::site::{CachedSite, Target, WriteSite};

use crate::key::{AsTag, Tag, TagText};
pub use crate::key::{Displayed, KeyText, Lower, Trim};
pub use crate::policy::Callsite;
pub use crate::policy::QueueSite;
pub use crate::policy::place::Here;
pub use crate::queue::definition::{QueueBuilder, Uncompared, queue};
pub use crate::queue::push::puts::{PutPlace, Puts};
pub use crate::queue::sink::SinkResult;
pub use crate::queue::sink::error::classified;
pub use crate::queue::worker::worker;
pub use crate::read::{Attached, Calling, CallingMany, Detached, Read, ReadMany, read, read_many};
pub use crate::typing::companion::{ItsCompanion, NoCompanion, OneOf, Receiver};
pub use crate::typing::detach::{detach, detach_lent};
pub use crate::typing::entity::{Holds, entry};
pub use crate::typing::former::{
    Awaited, Certain, Former, Present, Told, Unknown, awaited, former,
};
pub use crate::typing::named::{NamesCache, Unnamed, uses_its_cache, uses_its_cache_of};
pub use crate::typing::own::Own;
pub use crate::typing::parameters::{
    AskedCopy, AskedHash, AskedKeyPart, AskedNothing, AskedSerialize, Itself, NoData, asked,
};
pub use crate::typing::remembered_errors::{
    ErrorsCloned, ErrorsForgotten, ErrorsWritten, ttl as error_ttl,
};
pub use crate::typing::{
    Again, Answers, Batched, EachLacksBoth, EachLacksDeserialize, EachLacksNothing,
    EachLacksSerialize, Encoded, Fold, HeldBy, Id, Ids, IsAbsent, LacksBoth, LacksDeserialize,
    LacksNothing, LacksSerialize, Negative, NeverAbsent, Otherwise, Probe, ReturnType, Returns,
    SharesByRef, SharesClones, SharesError, SharesText, Unable, Unshared, Value, Written, again,
    merge,
};
pub use crate::write::{Before, Nothing, Targets, Through, Values, Write, Writing, kept, write};
pub use crate::{
    __batched as batched, __catalog as catalog, __companion as companion, __errors as errors,
    __former as former, __here as here, __left_out as left_out, __outcome as outcome,
    __owned as owned, __returns as returns, __strict as strict, __through as through,
    __unnamed as unnamed, __value as value,
};

/// Starts the key of a function.
pub fn key<T>(callsite: &'static Callsite) -> KeyText<T> {
    KeyText::new(callsite)
}

/// Starts a tag.
pub fn tag() -> TagText {
    Tag::builder()
}

/// The tags that a value tells.
pub fn told<I>(tags: I) -> Vec<Tag>
where
    I: IntoIterator,
    I::Item: AsTag,
{
    tags.into_iter().map(Into::into).collect()
}

/// Starts a key or a pattern that belongs to no function.
pub fn template() -> KeyText {
    KeyText::new(&crate::policy::BY_HAND)
}
