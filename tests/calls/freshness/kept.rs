//! `keep_stale`: values that a write makes stale instead of removing them.

use std::time::Duration;

use cache_fixtures::stores::on_all_stores;
use cache_runtime::{Cache, Tag, cached, invalidates, write_through};
use cache_testing::barrier::eventually;
use tokio::time::advance;

use crate::freshness::fixture::{Down, Fixture, Origin};

/// A list that may lag.
#[cached(
    key = "page:<id>",
    ttl = 3600,
    stale_while_revalidate = "1h",
    tags = ["pages"],
    skip(origin)
)]
async fn page(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

/// The same entry, where nothing may lag.
#[cached(key = page_key(&id), ttl = 3600, skip(origin))]
async fn exact_page(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

#[cached(key = "shown:<id>", ttl = 3600, stale_if_error = "10m", skip(origin))]
async fn shown(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

#[cached(key = "plain:<id>", ttl = 3600, tags = ["pages"], skip(origin))]
async fn plain(origin: &Origin, id: u64) -> Result<u64, Down> {
    let _ = id;
    origin.load().await
}

#[invalidates(keep_stale(page(id)))]
async fn by_key(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    origin.set(new);
    Ok(())
}

#[invalidates(keep_stale(tag = "pages"))]
async fn by_tag(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    let _ = id;
    origin.set(new);
    Ok(())
}

#[invalidates(page(id), shown(id), plain(id), keep_stale)]
async fn all(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    origin.set(new);
    Ok(())
}

impl Fixture {
    async fn page(&self, cache: &Cache) -> u64 {
        cache.scope(page(&self.origin, 1)).await.unwrap()
    }

    async fn fresh_page(&self) -> Option<u64> {
        self.here.get(&page_key(&1)).await.unwrap()
    }

    async fn make_stale(&self, has_tag: bool, new: u64) {
        let written = if has_tag {
            self.there.scope(by_tag(&self.origin, 1, new)).await
        } else {
            self.there.scope(by_key(&self.origin, 1, new)).await
        };
        written.unwrap();
    }
}

/// The old value is served as a stale one, by all processes, and one refresh replaces it.
async fn it_is_served_as_stale_and_refreshed(fixture: Fixture) {
    for (has_tag, former, new) in [(false, 0, 1), (true, 1, 2)] {
        assert_eq!(fixture.page(&fixture.here).await, former);
        let stale = fixture.sum("page", |stats| stats.outcomes.stale);
        let gate = fixture.origin.hold();
        fixture.make_stale(has_tag, new).await;
        assert_eq!(fixture.fresh_page().await, None, "it is fresh no longer");
        for cache in [&fixture.here, &fixture.there] {
            assert_eq!(fixture.page(cache).await, former);
        }
        assert_eq!(fixture.sum("page", |stats| stats.outcomes.stale), stale + 2);
        gate.entered(1).await;
        gate.open();
        fixture.origin.let_run();
        eventually!(fixture.fresh_page().await == Some(new));
        assert_eq!(fixture.page(&fixture.there).await, new);
    }
}

/// A function without such windows gets nothing stale, be the entry its own or not.
async fn others_load(fixture: Fixture) {
    let (cache, origin) = (&fixture.here, &fixture.origin);
    for (has_tag, new) in [(false, 1), (true, 2)] {
        fixture.page(cache).await;
        fixture.make_stale(has_tag, new).await;
        assert_eq!(cache.scope(exact_page(origin, 1)).await, Ok(new));
        assert_eq!(fixture.page(cache).await, new);
    }
    assert_eq!(cache.scope(plain(origin, 1)).await, Ok(2));
    cache.scope(all(origin, 1, 3)).await.unwrap();
    assert_eq!(cache.scope(plain(origin, 1)).await, Ok(3));
    fixture.make_stale(true, 4).await;
    assert_eq!(cache.scope(plain(origin, 1)).await, Ok(4));
}

/// A refresh that runs when the write ends may have loaded what is outdated.
async fn a_running_refresh_stores_nothing_fresh(fixture: Fixture) {
    for (has_tag, new) in [(false, 1), (true, 11)] {
        let former = fixture.page(&fixture.here).await;
        fixture.make_stale(has_tag, new).await;
        let gate = fixture.origin.hold();
        assert_eq!(fixture.page(&fixture.here).await, former);
        gate.entered(1).await;
        // The refresh has loaded `new`, and has not returned.
        fixture.make_stale(has_tag, new + 1).await;
        fixture.origin.let_run();
        let ended = |fixture: &Fixture| {
            fixture.sum("page", |stats| stats.refreshes_ok + stats.refreshes_failed)
        };
        let before = ended(&fixture);
        gate.open();
        eventually!(ended(&fixture) > before);
        assert_eq!(fixture.fresh_page().await, None);
        // The tag's former stamp is that of the refresh, whose value is stale from the beginning.
        assert_eq!(fixture.page(&fixture.here).await, if has_tag { new } else { former });
        eventually!(fixture.fresh_page().await == Some(new + 1));
    }
}

/// Nor does a load that runs.
async fn a_running_load_stores_nothing_fresh(fixture: Fixture) {
    for (has_tag, id) in [(false, 1), (true, 2)] {
        let gate = fixture.origin.hold();
        let origin = fixture.origin.clone();
        let reader = Fixture::start(&fixture.here, async move { page(&origin, id).await });
        gate.entered(1).await;
        let former = fixture.origin.present();
        if has_tag {
            fixture.there.scope(by_tag(&fixture.origin, id, former + 1)).await.unwrap();
        } else {
            fixture.there.scope(by_key(&fixture.origin, id, former + 1)).await.unwrap();
        }
        fixture.origin.let_run();
        gate.open();
        assert_eq!(reader.await.unwrap(), Ok(former));
        assert_eq!(fixture.here.get(&page_key(&id)).await.unwrap(), None);
        eventually!({
            _ = fixture.here.scope(page(&fixture.origin, id)).await;
            fixture.here.get(&page_key(&id)).await.unwrap() == Some(former + 1)
        });
    }
}

/// Of a tag the latest stamp is remembered, and no older one.
async fn an_older_stamp_is_a_miss(fixture: Fixture) {
    assert_eq!(fixture.page(&fixture.here).await, 0);
    fixture.make_stale(true, 1).await;
    fixture.make_stale(true, 2).await;
    assert_eq!(fixture.page(&fixture.here).await, 2);
    // An ordinary invalidation leaves nothing of it.
    fixture.make_stale(true, 3).await;
    fixture.there.invalidate_tag(Tag::from("pages")).await.unwrap();
    assert_eq!(fixture.page(&fixture.here).await, 3);
}

/// Served if the load fails, and only then.
async fn it_is_served_in_place_of_errors(fixture: Fixture) {
    let (cache, origin) = (&fixture.here, &fixture.origin);
    assert_eq!(cache.scope(shown(origin, 1)).await, Ok(0));
    fixture.there.scope(all(origin, 1, 1)).await.unwrap();
    origin.fail();
    assert_eq!(cache.scope(shown(origin, 1)).await, Ok(0));
    assert_eq!(fixture.sum("shown", |stats| stats.outcomes.stale), 1);
    origin.set(1);
    eventually!(cache.scope(shown(origin, 1)).await == Ok(1));
}

#[invalidates(keep_stale(page(id)))]
async fn fail(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    let _ = id;
    origin.set(new);
    Err(Down)
}

/// An error can hide a commit.
async fn a_failed_write_makes_stale_as_well(fixture: Fixture) {
    assert_eq!(fixture.page(&fixture.here).await, 0);
    assert_eq!(fixture.here.scope(fail(&fixture.origin, 1, 1)).await, Err(Down));
    assert_eq!(fixture.fresh_page().await, None);
    assert_eq!(fixture.page(&fixture.here).await, 0);
    eventually!(fixture.fresh_page().await == Some(1));
}

/// Inside an `after_commit` it happens at the end of that. Until then the task that writes goes
/// around the entry.
async fn a_transaction_makes_stale_when_it_ends(fixture: Fixture) {
    let (cache, origin) = (&fixture.here, &fixture.origin);
    assert_eq!(fixture.page(cache).await, 0);
    let work = cache.after_commit(async {
        by_key(origin, 1, 1).await.unwrap();
        assert_eq!(page(origin, 1).await, Ok(1), "its own state");
        assert_eq!(fixture.read_page().await, Ok(0), "not yet, for others");
    });
    cache.scope(work).await;
    assert_eq!(fixture.fresh_page().await, None);
    assert_eq!(fixture.page(cache).await, 0);
}

#[write_through(shown(id) = new, invalidates(keep_stale(page(id), plain(id))))]
async fn store(origin: &Origin, id: u64, new: u64) -> Result<(), Down> {
    origin.set(new);
    Ok(())
}

/// Beside a value that is stored, and by hand.
async fn it_stands_beside_others(fixture: Fixture) {
    let (cache, origin) = (&fixture.here, &fixture.origin);
    assert_eq!(fixture.page(cache).await, 0);
    let gate = origin.hold();
    cache.scope(store(origin, 1, 1)).await.unwrap();
    assert_eq!(cache.get(&shown_key(&1)).await.unwrap(), Some(1));
    assert_eq!((fixture.page(cache).await, fixture.fresh_page().await), (0, None));
    gate.entered(1).await;
    gate.open();
    origin.let_run();
    eventually!(fixture.fresh_page().await == Some(1));
    for by_tag in [false, true] {
        if by_tag {
            cache.invalidate_keeping_stale(Tag::from("pages")).await.unwrap();
        } else {
            cache.invalidate_keeping_stale(&page_key(&1)).await.unwrap();
        }
        assert_eq!(fixture.fresh_page().await, None);
        assert_eq!(fixture.page(cache).await, 1);
        eventually!(fixture.fresh_page().await == Some(1));
    }
}

impl Fixture {
    /// Reads in a task of its own.
    async fn read_page(&self) -> Result<u64, Down> {
        let origin = self.origin.clone();
        Self::start(&self.here, async move { page(&origin, 1).await }).await.unwrap()
    }
}

/// The window begins with the first invalidation, and no other one prolongs it.
#[tokio::test(start_paused = true)]
async fn the_window_is_not_prolonged() {
    let (cache, origin) = (Cache::in_memory(), Origin::at(0));
    let read = || cache.scope(shown(&origin, 1));
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert_eq!(read().await, Ok(0));
    advance(minutes(5)).await;
    cache.scope(all(&origin, 1, 1)).await.unwrap();
    origin.fail();
    advance(minutes(6)).await;
    assert_eq!(read().await, Ok(0));
    cache.invalidate_keeping_stale(&shown_key(&1)).await.unwrap();
    assert_eq!(read().await, Ok(0));
    advance(minutes(3)).await;
    assert_eq!(read().await, Ok(0));
    advance(minutes(2)).await;
    assert_eq!(read().await, Err(Down));
}

on_all_stores! {
    it_is_served_as_stale_and_refreshed
    others_load
    a_running_refresh_stores_nothing_fresh
    a_running_load_stores_nothing_fresh
    an_older_stamp_is_a_miss
    it_is_served_in_place_of_errors
    a_failed_write_makes_stale_as_well
    a_transaction_makes_stale_when_it_ends
    it_stands_beside_others
}
