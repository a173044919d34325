//! A queue as its attribute spells it out.

use std::fmt;
use std::marker::PhantomData;

use crate::engine::{Core, ambient};
use crate::key::KeyText;
use crate::policy::QueueSite;
use crate::queue::Queue;
use crate::queue::push::puts::Puts;
use crate::queue::sink::merge::Merge;

/// What a queue does with items of one type.
pub(crate) struct Definition<T> {
    pub(crate) site: &'static QueueSite,
    pub(crate) key: Option<fn(&T, KeyText) -> KeyText>,
    pub(crate) fold: Option<fn(T, T) -> T>,
    pub(crate) put: Option<fn(&T, &mut Puts<'_>)>,
    /// The items' own equality.
    pub(crate) equal: Option<fn(&T, &T) -> bool>,
    cache: Option<Core>,
}

impl<T> Definition<T> {
    /// The cache that it names.
    pub(crate) fn named_cache(&self) -> Option<&Core> {
        self.cache.as_ref()
    }

    /// The cache that it names, or the ambient one.
    pub(crate) fn cache(&self) -> Core {
        self.cache.clone().unwrap_or_else(|| ambient::in_place(&self.site.callsite))
    }

    pub(crate) fn merge(&self) -> Merge<T> {
        match (self.fold, self.key) {
            (Some(fold), Some(_)) => Merge::Fold(fold),
            (None, Some(_)) if !self.site.options.keep_all => Merge::Last,
            _ => Merge::All,
        }
    }
}

impl<T> Clone for Definition<T> {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), ..*self }
    }
}

impl<T> fmt::Debug for Definition<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Queue").field(&self.site.name).finish()
    }
}

/// A queue in the making.
#[must_use = "a queue is made by `done`"]
pub struct QueueBuilder<T>(Definition<T>, PhantomData<fn(T)>);

/// Begins a queue.
pub fn queue<T>(site: &'static QueueSite) -> QueueBuilder<T> {
    let (key, fold, put, equal, cache) = (None, None, None, None, None);
    QueueBuilder(Definition { site, key, fold, put, equal, cache }, PhantomData)
}

impl<T: PartialEq> QueueBuilder<T> {
    /// Items are compared with what can be read of them.
    pub fn compared(mut self) -> Self {
        self.0.equal = Some(|one, two| one == two);
        self
    }
}

/// What `QueueBuilder` says of items without `PartialEq`.
pub trait Uncompared: Sized {
    /// Serde alone shows what differs.
    #[must_use]
    fn compared(self) -> Self {
        self
    }
}

impl<T> Uncompared for QueueBuilder<T> {}

impl<T> QueueBuilder<T> {
    /// Items with equal keys keep their order.
    pub fn key(mut self, key: fn(&T, KeyText) -> KeyText) -> Self {
        self.0.key = Some(key);
        self
    }

    /// Items of one key are merged, an older one and a newer one at a time.
    pub fn merge(mut self, fold: fn(T, T) -> T) -> Self {
        self.0.fold = Some(fold);
        self
    }

    /// A push updates these cache entries.
    pub fn put(mut self, put: fn(&T, &mut Puts<'_>)) -> Self {
        self.0.put = Some(put);
        self
    }

    /// Uses this cache and not the ambient one.
    pub(crate) fn on(mut self, cache: Core) -> Self {
        self.0.cache = Some(cache);
        self
    }

    /// The queue.
    #[must_use]
    pub fn done(self) -> Queue<T> {
        Queue::new(self.0)
    }
}

impl<T> fmt::Debug for QueueBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
