//! How a value becomes an entry: its record and its times.

use std::time::Duration;

use crate::codec::fidelity::{Difference, Exactness};
use crate::codec::{Codec, CodecError, Schema};
use crate::engine::misuse::{self, Misuse, Oddity};
use crate::engine::{Base, report};
use crate::error::{Error, ErrorKind};
use crate::key::Unhashable;
use crate::metrics::Event;
use crate::policy::Callsite;
use crate::record::token::Token;
use crate::record::{self, KeyHash, Stamp, ValueHeader};
use crate::store::Store;
use crate::support::panic::guarded;
use crate::support::random::random_fraction;
use crate::support::span::SHORTEST;

/// The parts of a value's record other than its schema and its payload.
pub(crate) struct Head<'a> {
    pub(crate) name: KeyHash,
    pub(crate) token: Token,
    pub(crate) stamps: &'a [Stamp],
    /// The keys of the tags that the value tells, if it tells any.
    pub(crate) told: Option<&'a [String]>,
    /// How long it took to load; zero for a value that was not loaded.
    pub(crate) took: Duration,
}

/// Why a value has no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Unencodable,
    /// So many bytes, which is more than `max_value_bytes`, or than what the embedded store takes.
    Oversized(usize),
    /// It would come back as another value.
    Altered(Difference),
    /// It tells so many tags, or these have names of so many bytes, that they cannot be stored with
    /// it.
    Tags(usize),
    /// A value in a tag that it tells has no hash.
    Unhashable(Unhashable),
    /// Nothing says how long it may be served.
    WithoutTtl,
    /// Its key is an alias, where no value is stored, or that of an entity which is an alias.
    Alias,
    /// The entry of its entity is in another cache, as has been reported.
    Elsewhere,
}

const WITHOUT_TTL: &str = "the key was made by hand and does not say for how long a value may be \
                    served: give it a time to live, such as `.ttl(Duration::from_secs(3600))` \
                    behind `.done()`";

const ALIAS: &str = "an alias leads to the entry of an entity, and holds no value itself: store \
                     the value in the entity's entry, which makes its own key";

impl Unfit {
    /// Counts it, and describes what the function does wrong, if it is that.
    ///
    /// # Panics
    ///
    /// If the cache was built to panic on misuse and the function does something wrong.
    pub(crate) fn tell(&self, cache: &Base, callsite: &'static Callsite) {
        let count = |event| {
            cache.recorder().count(callsite, event);
            report::counted(event);
        };
        let difference = match self {
            Self::Unencodable => return count(Event::Unencodable),
            Self::Oversized(size) => {
                count(Event::TooLarge);
                let description = format_args!(
                    "it returns a value of {size} bytes, which is more than `max_value_bytes` (or \
                     half of the embedded store's `capacity`) allows: such values are not stored, \
                     and each call runs the body"
                );
                return misuse::remark(callsite, Oddity::Oversized, description);
            }
            Self::Tags(told) => {
                count(Event::TooLarge);
                let description = format_args!("{}", too_many_tags(*told));
                return misuse::remark(callsite, Oddity::Oversized, description);
            }
            Self::Unhashable(unhashable) => {
                let description =
                    format_args!("a tag of its value: {unhashable}; such values are not stored");
                return misuse::report(cache, callsite, Misuse::Unhashable, description);
            }
            Self::WithoutTtl => {
                let description = format_args!("nothing is stored, because {WITHOUT_TTL}");
                return misuse::report(cache, callsite, Misuse::WithoutTtl, description);
            }
            Self::Alias => {
                let description = format_args!("nothing is stored: {ALIAS}");
                return misuse::report(cache, callsite, Misuse::StoredInAlias, description);
            }
            Self::Elsewhere => return,
            Self::Altered(difference) => difference,
        };
        count(Event::Unencodable);
        let description = format_args!(
            "it returns a value that does not come back from the cache as it went in: \
             {difference}. It is not stored, so each call runs the body. Let the type's \
             `Serialize` and `Deserialize` agree, return a type without that part, or say \
             `lossy_values` if what comes back will do"
        );
        misuse::report(cache, callsite, Misuse::AlteredValue, description);
    }
}

impl From<&Unfit> for Error {
    fn from(unfit: &Unfit) -> Self {
        match unfit {
            Unfit::Unencodable => Self::new(ErrorKind::Codec, "the value could not be encoded"),
            Unfit::Oversized(_) => {
                let message = "the encoded value is larger than `max_value_bytes`, or than half of \
                               the embedded store's `capacity`";
                Self::new(ErrorKind::Codec, message)
            }
            Unfit::Tags(count) => Self::new(ErrorKind::Codec, too_many_tags(*count)),
            Unfit::Unhashable(unhashable) => Self::new(ErrorKind::Codec, unhashable.to_string()),
            Unfit::WithoutTtl => Self::new(ErrorKind::Config, WITHOUT_TTL),
            Unfit::Alias => Self::new(ErrorKind::Config, ALIAS),
            Unfit::Elsewhere => Self::new(ErrorKind::Config, "the entry is in another cache"),
            Unfit::Altered(difference) => {
                let message = format!("the value would come back as another one: {difference}");
                Self::new(ErrorKind::Altered, message)
            }
        }
    }
}

fn too_many_tags(count: usize) -> String {
    format!(
        "it returns a value that tells {count} tags, or tags with long names; a value has at most \
         128, of 32 KiB together. It is not stored, so each call runs the body. Return fewer rows \
         at once, give the entry a tag that many rows share, or store ids here and find the rows \
         with a batch"
    )
}

/// How a value becomes bytes, and how it is compared with what can be read from them.
pub(crate) trait Content {
    /// Appends the bytes.
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<Exactness, CodecError>;

    fn compare(&self, codec: Codec, payload: &[u8]) -> Result<(), Difference>;
}

impl Head<'_> {
    /// The record of a value, under the schema of its key.
    ///
    /// A value that would come back as another one has none, as far as that is tried, nor has one
    /// whose `Serialize` panics.
    pub(crate) fn record(
        self,
        cache: &Base,
        callsite: &'static Callsite,
        schema: Schema,
        content: &dyn Content,
    ) -> Result<Vec<u8>, Unfit> {
        let mut record = self.begin(schema.codec.id(), schema);
        let start = record.len();
        let encoded = guarded(|| content.encode(schema.codec, &mut record));
        let payload = record.get(start..).unwrap_or_default();
        let longest = cache.store().map_or(usize::MAX, Store::longest_record);
        if payload.len() > cache.settings().max_value_bytes || record.len() > longest {
            return Err(Unfit::Oversized(payload.len()));
        }
        let encoded =
            encoded.unwrap_or(Err(CodecError)).map_err(|CodecError| Unfit::Unencodable)?;
        if callsite.tries(encoded)
            && let Err(difference) = content.compare(schema.codec, payload)
        {
            callsite.trials().fail();
            return Err(Unfit::Altered(difference));
        }
        Ok(record)
    }

    /// The record of an alias, which says by these names where the value is.
    pub(crate) fn index(self, names: &[String]) -> Vec<u8> {
        record::index(self.header(0, 0), self.stamps, names)
    }

    /// A record that says everything about a value but what it is. No codec reads it.
    pub(crate) fn bare(self, schema: Schema) -> Vec<u8> {
        self.begin(0, schema)
    }

    fn begin(self, codec: u8, schema: Schema) -> Vec<u8> {
        record::value(self.header(codec, schema.version), self.stamps, self.told)
    }

    fn header(&self, codec: u8, version: u32) -> ValueHeader {
        let cost_ms = u32::try_from(self.took.as_millis()).unwrap_or(u32::MAX);
        ValueHeader { key: self.name, token: self.token, cost_ms, version, codec }
    }
}

/// What decides how long a value stays.
pub(crate) trait Lasting {
    /// Whether it says that there is nothing.
    fn is_absent(&self) -> bool;

    /// Whether it is not to be stored.
    fn is_excluded(&self) -> bool;

    /// How long it may be served; `None` where its function says that of all values.
    fn ttl(&self) -> Option<Duration>;
}

/// How long a value is fresh, and how long it may be served after that; not at all if it is not to
/// be stored.
pub(crate) fn times(
    callsite: &'static Callsite,
    value: &dyn Lasting,
) -> Option<(Duration, Duration)> {
    let policy = callsite.policy();
    let absent = guarded(|| value.is_absent())?;
    let ttl = guarded(|| {
        if value.is_excluded() {
            return None;
        }
        if absent { policy.none_ttl } else { value.ttl().or(policy.ttl) }
    })??;
    // Only shortened: the time to live stays the upper bound that the documentation promises.
    let ttl = ttl.mul_f64(1.0 - random_fraction() * policy.jitter);
    (ttl >= SHORTEST).then(|| (ttl, callsite.stale_for(absent)))
}
