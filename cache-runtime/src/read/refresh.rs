//! Calls that serve a stale value and load in the background, or serve it if the load takes too long.

use super::attempt::Attempt;
use super::loading::Loading;
use super::lookup::Lookup;
use super::replace::{Need, Over};
use super::stale::{Outlook, Refresh};
use super::{Read, bypasses, resolved};
use crate::background;
use crate::cache::Cache;
use crate::key::Key;
use crate::outcome::Returns;
use crate::store::Name;
use crate::tags::Tags;

impl<T, U: Fn(&T) -> bool> Read<T, U> {
    /// [`through`](Self::through), for a function that looks at the age of values.
    ///
    /// # Cancel safety
    ///
    /// That of `through`.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub fn by_age<R, F, B>(self, returns: Returns<R, T>, load: F) -> impl Future<Output = R>
    where
        F: FnOnce() -> B,
        B: Future<Output = R>,
    {
        async move {
            let (cache, mode) = resolved(self.cache, &self.key, self.mode);
            let text = cache.full_text(self.key.as_str());
            let tags = Tags::of(&cache, &self.key);
            let attempt = if bypasses(mode, &cache, &self.key, &text, &tags) {
                Attempt::Alone
            } else {
                let mut lookup = Lookup::new(&cache, &self.key, &text, &tags, &returns);
                match Box::pin(lookup.dated(mode, false)).await {
                    Outlook::Load(attempt) => attempt,
                    Outlook::Found(result)
                    | Outlook::Refresh(result, _)
                    | Outlook::Await(result, _) => return result,
                }
            };
            let call = Loading::new(&cache, &self.key, &text, &tags, &returns, self.unless);
            call.load(attempt, load).await
        }
    }

    /// [`through`](Self::through), for a function whose body can outlive the call. `own` makes a future of the body
    /// that owns all its arguments, and is called only if one is needed.
    ///
    /// # Cancel safety
    ///
    /// A body in the foreground is dropped with the call; one in the background goes on.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would hold its arguments twice")]
    pub fn detached<R, A, O, D, F, B>(
        self,
        returns: Returns<R, T>,
        arguments: A,
        own: O,
        load: F,
    ) -> impl Future<Output = R>
    where
        R: Send + 'static,
        T: 'static,
        U: Clone + Send + 'static,
        O: FnOnce(&A) -> D,
        D: Future<Output = R> + Send + 'static,
        F: FnOnce(A) -> B,
        B: Future<Output = R>,
    {
        async move {
            let (cache, mode) = resolved(self.cache, &self.key, self.mode);
            let text = cache.full_text(self.key.as_str());
            let tags = Tags::of(&cache, &self.key);
            let attempt = if bypasses(mode, &cache, &self.key, &text, &tags) {
                Attempt::Alone
            } else {
                let mut lookup = Lookup::new(&cache, &self.key, &text, &tags, &returns);
                let begin = |refresh| {
                    let (key, text) = (self.key.clone(), text.to_string());
                    let unless = self.unless.clone();
                    let job = Job { cache: cache.clone(), key, text, returns, unless, refresh };
                    background::spawn(cache.scope(job.run(own(&arguments))));
                };
                match Box::pin(lookup.dated(mode, true)).await {
                    Outlook::Load(attempt) => attempt,
                    Outlook::Found(result) => return result,
                    Outlook::Refresh(result, refresh) => {
                        begin(refresh);
                        return result;
                    }
                    Outlook::Await(stale, refresh) => {
                        // Joins before the load begins, so that this caller may take the result too.
                        let waiting = cache.flights().join(Name::new(&text), || lookup.asked());
                        begin(refresh);
                        match Box::pin(lookup.outwait(waiting, stale)).await {
                            Outlook::Load(attempt) => attempt,
                            Outlook::Found(result)
                            | Outlook::Refresh(result, _)
                            | Outlook::Await(result, _) => return result,
                        }
                    }
                }
            };
            let call = Loading::new(&cache, &self.key, &text, &tags, &returns, self.unless);
            call.load(attempt, || load(arguments)).await
        }
    }
}

/// A load in the background.
struct Job<R, T, U> {
    cache: Cache,
    key: Key<T>,
    text: String,
    returns: Returns<R, T>,
    unless: Option<U>,
    refresh: Refresh,
}

impl<R, T, U: Fn(&T) -> bool> Job<R, T, U> {
    async fn run(self, body: impl Future<Output = R>) {
        let Self { cache, key, text, returns, unless, refresh } = self;
        let Refresh { seen, claim, leader } = refresh;
        let need = if leader.is_some() { Need::Must } else { Need::May };
        let tags = Tags::of(&cache, &key);
        let attempt = {
            let mut lookup = Lookup::new(&cache, &key, &text, &tags, &returns);
            let lease = lookup.unboxed_lease(leader).beside(Some(claim));
            match lookup.over(Name::new(&text), lease, &seen, need).await {
                Over::Load(attempt) => attempt,
                Over::Found(_) | Over::Stale | Over::Gone(_) => return,
            }
        };
        // There is no caller that could be refused.
        let returns = returns.never_refusing();
        let call = Loading::new(&cache, &key, &text, &tags, &returns, unless);
        call.load(attempt, || body).await;
    }
}
