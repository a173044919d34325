//! Cache entries that a push updates.
//!
//! A push is a write of these entries: they are fenced before it, and get their values when the
//! item is in the queue. Until it is delivered the database does not know it yet, as a replica that
//! lags behind: where an entry could not get its value, because two pushes overlapped or the fence
//! was not acknowledged, it stays empty for a while.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};
use crate::queue::Queue;
use crate::queue::push::clock;
use crate::record::token::Token;
use crate::typing::Written;
use crate::write::{Through, Values, Write, write};

/// How long an item is on its way to the database once it has lingered, if nothing is amiss.
const DELIVERY: Duration = Duration::from_secs(2);

/// What an item puts into the cache, entry by entry. The item is asked twice: which entries, and
/// then for their values.
#[derive(Debug)]
pub struct Puts<'a>(Asks<'a>);

#[derive(Debug)]
enum Asks<'a> {
    Names(&'a mut Vec<String>),
    Entries(&'a mut Write),
    Values(&'a mut Values),
}

/// Where the value of an entry goes.
pub struct PutPlace<'a, V> {
    entry: &'a Through<V>,
    values: &'a mut Values,
}

impl<'a> Puts<'a> {
    /// Asks for the names of the entries, without the namespace.
    pub(in crate::queue) fn names(names: &'a mut Vec<String>) -> Self {
        Self(Asks::Names(names))
    }

    /// An entry, and what stores its value.
    pub fn put<V>(&mut self, entry: &Through<V>, store: impl FnOnce(PutPlace<'_, V>)) {
        match &mut self.0 {
            // The push has put nothing into an entry that there is not, and said so.
            Asks::Names(names) => names.extend(entry.text().ok().map(ToOwned::to_owned)),
            Asks::Entries(write) => write.add(entry),
            Asks::Values(values) => store(PutPlace { entry, values }),
        }
    }
}

impl<V> PutPlace<'_, V> {
    /// Stores it.
    pub fn store(self, value: &V) {
        self.values.store(self.entry, value);
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Pushes an item, as a write of the entries that it updates.
    pub(in crate::queue) async fn push_and_put(&self, item: T, waits: bool) -> Result<(), Error> {
        let stamp = clock::now();
        let Some(put) = self.definition.put else {
            return self.push_by(item, stamp, waits).await.map(drop);
        };
        let write = write().at(&self.definition.site.callsite);
        let write = match self.definition.named_cache() {
            Some(cache) => write.on(cache.clone()),
            None => write.ambient(self.definition.cache()),
        };
        let mut write = write
            .writer(Token::for_push(stamp.version()))
            .hold_off(self.definition.site.options.linger + DELIVERY);
        put(&item, &mut Puts(Asks::Entries(&mut write)));
        // An item that was delivered past the queue is in the database: its entries are just
        // invalidated.
        let store = |pushed: &Option<T>, values: &mut Values| {
            if let Some(item) = pushed {
                put(item, &mut Puts(Asks::Values(values)));
            }
        };
        write
            .run_through(succeeded(), || self.push_by(item, stamp, waits), |_, _| (), store)
            .await
            .map(drop)
    }
}

fn succeeded<T>() -> Written<Result<Option<T>, Error>, Option<T>> {
    // The item may still be stored, and delivered.
    let in_doubt = |pushed: &Result<_, Error>| {
        pushed.as_ref().is_err_and(|error| error.kind() == ErrorKind::InDoubt)
    };
    Written { value: |pushed| pushed.as_ref().ok(), refuse: None, in_doubt }
}

impl<V> fmt::Debug for PutPlace<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PutPlace").field(self.entry).finish()
    }
}
