//! Where what stands in a record: format version 1.
//!
//! One Redis string per key holds exactly one of four records. Integers are big-endian; times are
//! milliseconds since the Unix epoch by the *server's* clock.
//!
//! | offset | bytes | field | in |
//! |---:|---:|---|---|
//! | 0 | 2 | magic `C1 CA`: no UTF-8 text, JSON or MessagePack begins with `C1` | all |
//! | 2 | 1 | format version, `01` | all |
//! | 3 | 1 | kind: `V`alue, `L`ease, `F`ence, `T`ombstone | all |
//! | 4 | 8 | origin: which primary stored it | all |
//! | 12 | 8 | XXH3-64 of the full key | all |
//! | 20 | 16 | token of the attempt that leased or filled | V, L |
//! | 36 | 8 | stored at | V |
//! | 44 | 8 | fresh until | V |
//! | 52 | 4 | what the load cost, in milliseconds | V |
//! | 56 | 4 | `version` of the function's value type | V |
//! | 60 | 1 | codec: `J`SON, `M`essagePack, `P`ostcard; `I` in an index | V |
//! | 61 | 1 | flags: 1 = the payload is an error, 2 = kept after "fresh until", 4 = names follow the tags; the others zero | V |
//! | 62 | 2 | where the payload begins, at least 64 | V |
//! | 64 | 24·n | tags of the entry, in the function's order: XXH3-64 of the tag's key (8), its stamp (16) | V |
//! | 64 + 24·n | … | names of the tags that the value has told itself, each a length (2) and the tag's key; then the length of all these (2) | V with flag 4 |
//! | … | … | payload; of an error that all processes can read, behind 8 bytes that tell whose it is | V |
//! | 20 | 1 | dirty: writers have overlapped | F |
//! | 21 | 24·n | writers: token (16), deadline (8) | F |
//!
//! An index stands in the key of an alias and says where its value is. It has no payload. Its last
//! stamp is the token of the value in the key of the entity. Its names are that key, the codec and
//! the `version` of that value, such as `J3` (`J3+` if it tells tags), and the keys of the tags
//! that the entity's key tells.
//!
//! The stamp of a tag is the token of the value record in the tag's own key, whose codec is 0. Its
//! payload is empty. Or, where the latest invalidation has made the entries with the tag stale, it
//! is the stamp before that one (16) and the time of the invalidation (8). The bytes between header
//! and payload must be exactly those that the reader expects: anything else is a miss.
//!
//! Kind, magic and the meaning of `F` and `T` are the same in every later format version, so that
//! an older process never stores through a newer one's fence.

use crate::record::token::Token;

/// The first bytes of every record.
pub(crate) const MAGIC: [u8; 2] = [0xC1, 0xCA];
/// The version of the format.
pub(crate) const FORMAT: u8 = 1;

/// Where the version of the format stands.
pub(crate) const FORMAT_AT: usize = MAGIC.len();
/// Where the kind stands.
pub(crate) const KIND: usize = FORMAT_AT + 1;
/// Where the origin begins.
pub(crate) const ORIGIN: usize = KIND + 1;
/// Where the hash of the key begins.
pub(crate) const KEY: usize = ORIGIN + 8;
/// Length of the part that all kinds share, behind which a token begins, or the dirty byte.
pub(crate) const HEADER: usize = KEY + 8;
/// Length of a lease, and of a value up to its times.
pub(crate) const LEASE: usize = HEADER + Token::LEN;

/// Where the time begins at which a value was stored.
pub(crate) const STORED_AT: usize = LEASE;
/// Where the time begins until which a value is fresh.
pub(crate) const FRESH_UNTIL: usize = STORED_AT + 8;
/// Where the cost of a load begins, behind the times that the store puts in.
pub(crate) const COST: usize = FRESH_UNTIL + 8;
/// Where the version of the type of a value begins.
pub(crate) const VERSION: usize = COST + 4;
/// Where the codec of a value stands.
pub(crate) const CODEC: usize = VERSION + 4;
/// Where the flags of a value stand.
pub(crate) const FLAGS: usize = CODEC + 1;
/// Where the field begins that says where the payload begins.
pub(crate) const PAYLOAD_AT: usize = FLAGS + 1;
/// Length of a value's header without tags.
pub(crate) const VALUE_HEADER: usize = PAYLOAD_AT + 2;

/// Where a fence says whether writers have overlapped.
pub(crate) const DIRTY: usize = HEADER;
/// Where the writers of a fence begin.
pub(crate) const WRITERS: usize = DIRTY + 1;

const _: () = assert!(VALUE_HEADER == 64, "every program that shares a server has this layout");
