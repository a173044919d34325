//! A model of aliases: keys that lead to the entry of another function, the entity's.
//!
//! # The protocol
//!
//! An index stands in the key of the alias. It names an entity, and has the token of the value in
//! the entity's key. A lookup reads both keys, in any order and at different times, and is a hit if
//! the value has that token.
//!
//! A load takes the lease of the alias. If it expects a certain entity, because of an index or
//! because it remembers one, it also captures what stands in the key of that before its body: the
//! token of a value, or, where nothing is, the entity's lease. If the body finds that entity, the
//! load stores its value under the entity's lease, if it has that, and the index with the captured
//! token, or with that of the lease. Otherwise it stores a hint: an index without a token.
//!
//! # Why it holds
//!
//! Let a write commit after a body has read. It removes the entity's value or lease after that, and
//! so after the load has captured its token: no value with this token is ever there again.
//!
//! # What is assumed
//!
//! What the other model assumes. A write changes the rows of some entities, or only where the alias
//! leads to, and invalidates the entities that it leads to before and afterwards. Two entities, one
//! alias, two clients that read one of these, two that write.

mod reader;
mod scenario;
mod scenarios;
mod state;
mod writer;
