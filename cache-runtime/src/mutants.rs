//! The bugs of others, to show that the tests find them.
//!
//! Compiled only with `--cfg cache_mutants`, which is no feature and which nothing but `tests/mutants/run` sets. There
//! `CACHE_MUTANT` names the one that is on. Each is what many caches do, at the place where this one does not.

use std::fmt::Debug;
use std::sync::LazyLock;

use crate::engine::Core;
use crate::record::token::Token;
use crate::write::Doubt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Plain cache-aside: a loaded value is stored whatever happened meanwhile.
    FillWithoutCompare,
    /// The textbook lock: an invalidation removes the value and leaves the lease.
    LeaseOutlivesInvalidation,
    /// A lease is held by a process and not by one attempt of it.
    TokenPerProcess,
    /// Ordinary single flight: whoever comes while a load is under way gets its value.
    JoinAlways,
    /// A load may be joined until the answer to its fill is there.
    JoinLate,
    /// A fence is one flag, which the first writer to end lifts.
    OneWriterToken,
    /// The fence of a write that is dropped is lifted at once, although the database may go on.
    FenceLiftedOnDrop,
    /// A write stores its value if no other writer is left, although there was one.
    StoreIfAloneNow,
    /// The fill that was accepted decides about tags as well: a waiter gets what was invalidated before it came.
    ShareWithoutStamps,
    /// An entry is stored with the stamps of its tags that are there when its load has ended.
    StampAfterLoad,
    /// A load that failed deletes the key, whoever holds it by now.
    ReleaseWithoutCompare,
    /// A write stores its value as soon as it is committed, whoever else writes.
    WriteThroughBySet,
    /// A refresh stores its value over whatever stands by then.
    RefreshWithoutCompare,
    /// An invalidation makes stale what may be served stale, and removes only the rest.
    SoftInvalidation,
    /// Where a load fails, the stale value is shared with all who wait, without another look at it.
    KeepWithoutLooking,
    /// An entry has only the first of its tags.
    FirstTagOnly,
    /// What a release stores beside another one's value outlives that.
    BesideOutlivesMain,
    /// What the store answers to the first fill of a batch is taken as its answer to all.
    FillsOfABatchTogether,
    /// What it answers to the first of several invalidations is taken as its answer to all.
    InvalidationsTogether,
    /// All callers that wait for a load that fails get its error, whatever they asked for.
    BatchErrorShared,
    /// What this process knows to be outdated, but could not say so, is read all the same.
    JournalNotAsked,
    /// A process that has reconnected to a server that came back empty stores at once.
    NoPauseAfterRestart,
}

/// Bugs of queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueMutant {
    /// At most once: items are acknowledged when they are read.
    AcknowledgeAtRead,
    /// A push that is sent again is another push.
    ResendAnew,
    /// A push is not in the queue if its last attempt was refused.
    RefusedWithoutDoubt,
    /// A push is refused if the server does not tell how many replicas have it.
    UntoldIsRefused,
    /// However few have it, a push is acknowledged.
    TooFewReplicas,
    /// What was sent on a connection that was lost is still the owner's.
    TokenOutlivesConnection,
    /// An owner that is late goes on although another one has had its partition.
    LateWhateverHappened,
    /// A batch goes on where it was, with what another primary gives.
    BatchAcrossPrimaries,
    /// What is pushed after a change of the number of partitions does not wait for what was pushed before.
    LayoutsAtOnce,
}

static ON: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CACHE_MUTANT").ok());

/// Whether a mutant is on; it goes by the name of its variant.
pub(crate) fn on(mutant: impl Debug) -> bool {
    ON.as_ref().is_some_and(|name| *name == format!("{mutant:?}"))
}

pub(crate) fn lease_token(cache: &Cache, token: Token) -> Token {
    let place = std::ptr::from_ref(cache.flights().as_ref()).addr() as u64;
    if on(Mutant::TokenPerProcess) { constant(place, std::process::id()) } else { token }
}

pub(crate) fn writer_token(token: Token) -> Token {
    if on(Mutant::OneWriterToken) { constant(0, 0) } else { token }
}

/// What is known of a write that was dropped while its body ran.
pub(crate) fn doubt_at_drop() -> Doubt {
    if on(Mutant::FenceLiftedOnDrop) { Doubt::Failed } else { Doubt::Unknown }
}

/// Those who joined before it are served.
pub(crate) fn mark(mark: u64) -> u64 {
    if on(Mutant::JoinAlways) { u64::MAX } else { mark }
}

/// The answers to the fills of a batch, as they are taken.
pub(crate) fn fills<E>(answers: Vec<Result<bool, E>>) -> Vec<Result<bool, E>> {
    let stored = on(Mutant::FillsOfABatchTogether) && matches!(answers.first(), Some(Ok(true)));
    if stored { answers.iter().map(|_| Ok(true)).collect() } else { answers }
}

/// The answers to some invalidations, as they are taken.
pub(crate) fn invalidations<T, E>(mut answers: Vec<Result<T, E>>) -> Vec<Result<T, E>> {
    if on(Mutant::InvalidationsTogether) && matches!(answers.first(), Some(Ok(_))) {
        answers.retain(Result::is_ok);
    }
    answers
}

/// A script with the mutant's bug in it. Where the place is not found any more, the mutant will not be found either.
pub(crate) fn lua(body: &'static str) -> &'static str {
    let replaced = |from, to| &*body.replace(from, to).leak();
    if on(Mutant::FillWithoutCompare) {
        let mine = "if type(found) == 'table' or string.sub(found, 21) ~= string.sub(ARGV[1], 21) \
                    then return 0 end";
        let leased = r"if kind ~= '\193\202\1L' then return 0 end";
        return body.replace(mine, "").replace(leased, "").leak();
    }
    if on(Mutant::LeaseOutlivesInvalidation) {
        return replaced(
            "local function empty(key, tombstone, hold)",
            "local function empty(key, tombstone, hold)
              if kind(redis.pcall('GET', key)) == 'L' then return end",
        );
    }
    if on(Mutant::WriteThroughBySet) {
        return replaced(
            "if found == 'X' then return 1 end",
            "if ARGV[5] then
              local t = now()
              put(KEYS[1], ARGV[5] .. struct.pack('>I8I8', t, t + ARGV[7]) .. ARGV[8], ARGV[6])
              return 3
            end",
        );
    }
    if on(Mutant::RefreshWithoutCompare) && body.contains("-- REFRESH:") {
        let mine = "if token(record) ~= ARGV[5] then return 0 end";
        let value = "if kind(record) ~= 'V' or not trusted(record, ARGV[4]) then return 0 end";
        return body.replace(mine, "").replace(value, "").leak();
    }
    if on(Mutant::SoftInvalidation) {
        return replaced(
            "local function empty(key, tombstone, hold)",
            "local function empty(key, tombstone, hold)
              local value = redis.pcall('GET', key)
              if kind(value) == 'V' and math.floor(string.byte(value, 62) / 2) % 2 == 1 then
                redis.call('SETRANGE', key, 44, string.sub(value, 37, 44))
                return
              end",
        );
    }
    if on(Mutant::StoreIfAloneNow) {
        return replaced("if mine and not dirty(record) and ARGV[5]", "if mine and ARGV[5]");
    }
    if on(Mutant::ReleaseWithoutCompare) && body.contains("-- RELEASE:") {
        return replaced(
            "if kind(record) ~= 'L' or token(record) ~= ARGV[1] then return 0 end",
            "",
        );
    }
    body
}

fn constant(high: u64, low: u32) -> Token {
    let mut bytes = [0; Token::LEN];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[12..].copy_from_slice(&low.to_be_bytes());
    Token::from_bytes(bytes)
}
