//! The order in which tags are invalidated: first the epoch of their namespace, which loads look at
//! whose values [tell tags](super::of_value), then the tags.
//!
//! The other way round, or both at once, a value could be stored that nobody removes:
//!
//! ```text
//! reader: captures the stamp of the epoch, loads the old row
//! writer: commits, invalidates the tag
//! reader: captures the new stamp of the tag, finds the epoch as it was, stores the old row
//! writer: invalidates the epoch, and returns
//! ```
//!
//! So the invalidation of a tag is acknowledged only if that of the epoch was, and it is done again
//! if not. That costs one more round trip, while a fence costs none: fences go up before the
//! commit, in any order.

use crate::engine::Base;
use crate::key::{EPOCH, TAG_PREFIX};
use crate::store::{Begin, Invalidate, Keyed, Name, Operation, Store, StoreResult};
use crate::support::budget::Deadline;

impl Base {
    /// The text of the epoch's key.
    pub(crate) fn epoch(&self) -> String {
        self.full_text(EPOCH).into_owned()
    }

    /// Sends what ends the writes of some keys: those of tags when the `epoch` has been written.
    /// There is one result per request, in order.
    pub(crate) async fn send_in_order<R: Operation>(
        &self,
        store: &Store,
        requests: Vec<Keyed<'_, R>>,
        epoch: R,
    ) -> Vec<StoreResult<R::Reply>> {
        let by = self.budget().deadline();
        let are_tags = self.are_tags(requests.iter().map(|it| it.name));
        if !are_tags.contains(&true) {
            return store.send_all(requests, by).await;
        }
        let text = self.epoch();
        let (mut others, mut tags) = (Vec::new(), Vec::new());
        for (request, is_tag) in requests.into_iter().zip(&are_tags) {
            if *is_tag { tags.push(request) } else { others.push(request) }
        }
        // The first of a piece, so that it is sent at all.
        others.insert(0, Keyed { name: Name::new(&text), request: epoch });
        let mut others = store.send_all(others, by).await.into_iter();
        let epoch = others.next();
        // Also if the epoch has not been written: most readers look at the tags alone.
        let tags = store.send_all(tags, self.budget().deadline()).await;
        let mut tags = tags.into_iter().map(|reply| match &epoch {
            Some(Err(error)) => Err(error.clone()),
            _ => reply,
        });
        let next = |is_tag: &bool| if *is_tag { tags.next() } else { others.next() };
        are_tags.iter().filter_map(next).collect()
    }

    /// Invalidates some keys, in that order.
    pub(crate) async fn invalidate_in_order(
        &self,
        store: &Store,
        names: &[Name<'_>],
        request: Invalidate,
    ) -> Vec<StoreResult<bool>> {
        self.send_in_order(store, Keyed::each(names, &request), request).await
    }

    /// Puts up the fences of some keys, and that of the epoch if there are tags among them. A tag
    /// has its fence only if the epoch has one.
    pub(crate) async fn begin(
        &self,
        store: &Store,
        names: &[Name<'_>],
        request: Begin,
        by: Deadline,
    ) -> Vec<StoreResult<bool>> {
        let are_tags = self.are_tags(names.iter().copied());
        if !are_tags.contains(&true) {
            return store.send_each(names, request, by).await;
        }
        let text = self.epoch();
        let mut all = names.to_vec();
        all.push(Name::new(&text));
        let mut replies = store.send_each(&all, request, by).await;
        let epoch = replies.pop();
        let replies = replies.into_iter().zip(are_tags);
        let joined = replies.map(|(reply, is_tag)| match &epoch {
            Some(epoch) if is_tag && !matches!(epoch, Ok(true)) => reply.and(epoch.clone()),
            _ => reply,
        });
        joined.collect()
    }

    /// Invalidates the epoch before a sweep that may remove tags.
    pub(crate) async fn before_sweep(
        &self,
        store: &Store,
        pattern: &str,
        request: Invalidate,
    ) -> StoreResult<()> {
        let own = self.full_pattern("");
        let rest = pattern.strip_prefix(&*own);
        // The key of a tag begins with `~`, and only a glob can match that besides.
        if rest.is_some_and(|rest| !rest.starts_with(['*', '?', '[', '\\', '~'])) {
            return Ok(());
        }
        let epoch = self.epoch();
        store.send(Name::new(&epoch), request, self.budget().deadline()).await.map(drop)
    }

    /// Which of these keys are tags.
    fn are_tags<'a>(&self, names: impl Iterator<Item = Name<'a>>) -> Vec<bool> {
        let prefix = self.full_text(TAG_PREFIX);
        names.map(|name| name.text.starts_with(&*prefix)).collect()
    }
}
