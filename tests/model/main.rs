//! A model of tags from values: every interleaving of a few clients is explored, command by
//! command, and nothing that a write has outdated may be a hit.
//!
//! # The protocol
//!
//! The tags of an entry may be known only from its value, and so only after the body. Their stamps
//! cannot be captured before it, and stamps that are captured after it do not tell whether the
//! value is older than an invalidation that came in between. This is what the *epoch* tells: one
//! more key of the namespace, with a stamp like that of a tag, which every invalidation of any tag
//! removes as well.
//!
//! - A write with fences puts one into each of its tags and into the epoch, in any order, and all
//!   of them before its commit. Its END lifts the one in the epoch first, and, once that is
//!   acknowledged, those in the tags. A write without fences, and the journal, invalidate in the
//!   same order: the epoch, and then the tags. Where invalidations hold off, each of these keys
//!   gets a tombstone, the epoch as well.
//! - A load takes the lease of its entry and captures the epoch's stamp before its body, unless a
//!   fence is there. If it expects certain tags, because an earlier value had them, it captures
//!   their stamps as well. If the value turns out to have exactly those tags, and none was fenced,
//!   it is stored with these stamps. Otherwise the load captures the stamps of the value's tags,
//!   *then* reads the epoch, and stores the value only if the epoch's stamp is the same as before
//!   the body.
//! - A lookup reads the entry and the stamps of the tags that it was stored with, and is a hit if
//!   all of them match. It does not look at the epoch.
//!
//! # Why it holds
//!
//! Let a load capture the epoch at 1, run its body at 2, capture the stamps at 3 and read the epoch
//! at 4, the same as at 1. A write that commits after 2 invalidates the epoch after its commit. Not
//! before 4, for a stamp that is gone never comes back. So it does that after 4, and invalidates
//! its tags later still, after 3: the stamps of 3 are gone by then. With fences the same is true of
//! what it puts into the keys before its commit; and where a fence stands already, a load captures
//! nothing.
//!
//! # What is assumed
//!
//! Each key may be on a node of its own: a command is one step on one key, and between any two of
//! them anything may happen. That an answer takes time adds nothing, because its client does
//! nothing before it has come. A commit is one step, and a body reads the database in one. No clock
//! is modelled: a fence of a writer that has not committed yet stands, unless it is evicted (or
//! ends early) in the scenario; a writer that has crashed does not commit. Clients are few: two
//! that read, two that write, one entry, two tags. Left out are flights within a process, near
//! caches, and failovers that bring back what was removed.
//!
//! # What was found
//!
//! With all rules in place nothing is broken in any state (`holds`). Without any one of them
//! something is (`counterexamples`), and the test says how many steps it takes.
//!
//! The module [`alias`] has a model of its own, of keys that lead to the entry of another function.
//!
//! `cargo test --all-features --test model -- --nocapture` prints how many states there are.

mod alias;
mod counterexamples;
mod faults;
mod holds;
mod keys;
mod properties;
mod reader;
mod scenario;
mod search;
mod state;
mod tokens;
mod writer;
