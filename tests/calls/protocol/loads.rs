//! Loads against invalidations.

use cache_fixtures::stores::on_all_stores;
use cache_runtime::CallExt as _;
use cache_testing::barrier::eventually;
use cache_testing::within_limit;

use crate::protocol::fixture::{Fixture, locked_row, row, row_key, write, write_unfenced};

/// How a load under way loses its right to fill.
#[derive(Clone, Copy, Debug)]
enum Invalidation {
    Macro,
    MacroUnfenced,
    ByKey,
    ByPattern,
    Del,
    Unlink,
}

use Invalidation::{ByKey, ByPattern, Del, Macro, MacroUnfenced, Unlink};

impl Invalidation {
    /// Writes the value, and invalidates.
    async fn write(self, fixture: &Fixture, value: u64) {
        let (cache, db) = (&fixture.cache, &fixture.db);
        match self {
            Macro => cache.scope(write(db, 1, value)).await.unwrap(),
            MacroUnfenced => cache.scope(write_unfenced(db, 1, value)).await.unwrap(),
            ByKey | ByPattern | Del | Unlink => db.set(1, value),
        }
        let client = || fixture.store.client();
        match self {
            Macro | MacroUnfenced => {}
            ByKey => cache.invalidate(&row_key(&1)).await.unwrap(),
            ByPattern => assert_eq!(cache.invalidate_matching("row:*").await.unwrap(), 1),
            Del => assert!(client().del("row:1").await),
            Unlink => assert!(client().unlink("row:1").await),
        }
    }
}

/// A value loaded before an invalidation is not stored after it, and readers that start after it
/// get the new one, even while the old load is still under way.
async fn an_invalidated_load_stores_nothing(fixture: Fixture) {
    let from_outside: &[Invalidation] =
        if fixture.store.is_shared() { &[Del, Unlink] } else { &[] };
    for (round, invalidation) in
        [Macro, MacroUnfenced, ByKey, ByPattern].iter().chain(from_outside).enumerate()
    {
        let (old, new) = (2 * round as u64, 2 * round as u64 + 1);
        fixture.db.set(1, old);
        fixture.cache.invalidate(&row_key(&1)).await.unwrap();

        let gate = fixture.db.hold_loads();
        let early = fixture.read(1);
        gate.entered(1).await;
        invalidation.write(&fixture, new).await;

        fixture.db.let_loads_run();
        if matches!(invalidation, Del | Unlink) {
            // The process cannot know: the flight is still open, and its fill will tell.
            gate.open();
            assert_eq!(early.await.unwrap(), Ok(old), "{invalidation:?}");
            assert_eq!(fixture.stored(1).await, None, "{invalidation:?}");
            assert_eq!(fixture.get(1).await, new, "{invalidation:?}");
        } else {
            assert_eq!(fixture.get(1).await, new, "{invalidation:?}");
            assert_eq!(fixture.stored(1).await, Some(new), "{invalidation:?}");
            gate.open();
            assert_eq!(early.await.unwrap(), Ok(old), "{invalidation:?}");
        }
        assert_eq!(fixture.stored(1).await, Some(new), "{invalidation:?}");
        assert_eq!(fixture.get(1).await, new, "{invalidation:?}");
    }
    let stats = fixture.cache.stats();
    let refused = stats.function("row").expect("it was called").fills_refused;
    assert_eq!(refused, 4 + from_outside.len() as u64);
}

/// Callers that joined a flight before an invalidation that the process knows nothing of do not get
/// its value either.
async fn a_flight_is_not_shared_across_a_refused_fill(fixture: Fixture) {
    let Some((_, client)) = fixture.store.remote() else { return };
    fixture.db.set(1, 0);
    let gate = fixture.db.hold_loads();
    let early = fixture.read(1);
    gate.entered(1).await;
    fixture.db.set(1, 1);
    assert!(client.del("row:1").await);
    // These start after the invalidation and find the old load under way.
    let late: Vec<_> = (0..10).map(|_| fixture.read(1)).collect();
    fixture.db.let_loads_run();
    gate.open();
    assert_eq!(early.await.unwrap(), Ok(0));
    for late in late {
        assert_eq!(late.await.unwrap(), Ok(1));
    }
    assert_eq!(fixture.stored(1).await, Some(1));
}

/// Invalidated twice in a row, a load stores nothing; the next one does.
async fn two_invalidations_in_a_row(fixture: Fixture) {
    fixture.db.set(1, 0);
    let gate = fixture.db.hold_loads();
    let early = fixture.read(1);
    gate.entered(1).await;
    fixture.cache.scope(write(&fixture.db, 1, 1)).await.unwrap();
    let second = fixture.read(1);
    gate.entered(2).await;
    fixture.cache.scope(write(&fixture.db, 1, 2)).await.unwrap();
    fixture.db.let_loads_run();
    assert_eq!(fixture.get(1).await, 2);
    gate.open();
    assert_eq!(early.await.unwrap(), Ok(0));
    assert_eq!(second.await.unwrap(), Ok(1));
    assert_eq!(fixture.stored(1).await, Some(2));
}

/// A lease that ran out, or was evicted, is no right to fill, even when the same process has got
/// the next one: a token belongs to an attempt, not to a process.
async fn a_lost_lease_is_no_right_to_fill(fixture: Fixture) {
    let Some((_, client)) = fixture.store.remote() else { return };
    for (round, how) in ["expired", "evicted"].into_iter().enumerate() {
        let (old, new) = (10 * round as u64, 10 * round as u64 + 1);
        fixture.db.set(1, old);
        fixture.cache.invalidate(&row_key(&1)).await.unwrap();
        let gate = fixture.db.hold_loads();
        let early = fixture.read(1);
        gate.entered(1).await;
        match how {
            "expired" => {
                client.run::<i64>(&["PEXPIRE", "row:1", "1"]).await;
                eventually!(client.get("row:1").await.is_none());
            }
            _ => assert!(client.del("row:1").await),
        }
        fixture.db.set(1, new);
        let second_gate = fixture.db.hold_loads();
        // Another process's call gets the next lease; here a call that shares no flight.
        let other = fixture.spawn({
            let db = fixture.db.clone();
            async move { row(&db, 1).refresh().await }
        });
        second_gate.entered(1).await;
        // The first load ends while the second holds its lease.
        gate.open();
        assert_eq!(within_limit("the first load", early).await.unwrap(), Ok(old), "{how}");
        assert_eq!(fixture.stored(1).await, None, "{how}");
        second_gate.open();
        assert_eq!(within_limit("the second load", other).await.unwrap(), Ok(new), "{how}");
        assert_eq!(fixture.stored(1).await, Some(new), "{how}");
        fixture.db.let_loads_run();
    }
}

/// Callers of one process share one load.
async fn concurrent_callers_share_a_load(fixture: Fixture) {
    fixture.db.set(1, 7);
    let gate = fixture.db.hold_loads();
    let leader = fixture.read(1);
    gate.entered(1).await;
    let others: Vec<_> = (0..100).map(|_| fixture.read(1)).collect();
    gate.open();
    assert_eq!(leader.await.unwrap(), Ok(7));
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(7));
    }
    assert_eq!(fixture.db.loads(), 1);
}

/// A refresh that started from a value which was then invalidated does not bring it back.
async fn an_invalidated_refresh_stores_nothing(fixture: Fixture) {
    fixture.db.set(1, 0);
    assert_eq!(fixture.get(1).await, 0);
    let gate = fixture.db.hold_loads();
    let refresh = fixture.spawn({
        let db = fixture.db.clone();
        async move { row(&db, 1).refresh().await }
    });
    gate.entered(1).await;
    // The value stays in place meanwhile.
    assert_eq!(fixture.get(1).await, 0);
    fixture.cache.scope(write(&fixture.db, 1, 1)).await.unwrap();
    gate.open();
    assert_eq!(refresh.await.unwrap(), Ok(0));
    assert_eq!(fixture.stored(1).await, None);
    fixture.db.let_loads_run();
    assert_eq!(fixture.get(1).await, 1);
}

/// A leader whose future is dropped hands over at once, and leaves no lease behind.
async fn a_dropped_leader_hands_over(fixture: Fixture) {
    fixture.db.set(1, 7);
    let gate = fixture.db.hold_loads();
    let leader = fixture.read(1);
    gate.entered(1).await;
    let waiters: Vec<_> = (0..20).map(|_| fixture.read(1)).collect();
    let locked = fixture.spawn({
        let db = fixture.db.clone();
        async move { locked_row(&db, 1).await }
    });
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.entered(2).await;
    gate.open();
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), Ok(7));
    }
    assert_eq!(locked.await.unwrap(), Ok(7));
    eventually!(fixture.stored(1).await == Some(7));
}

/// A leader that panics hands over as well.
async fn a_failing_load_stores_nothing_and_blocks_nobody(fixture: Fixture) {
    // There is no such row.
    let failing: Vec<_> = (0..20).map(|_| fixture.read(1)).collect();
    for call in failing {
        assert!(call.await.unwrap().is_err());
    }
    assert_eq!(fixture.stored(1).await, None);
    fixture.db.set(1, 7);
    assert_eq!(fixture.get(1).await, 7);
    eventually!(fixture.stored(1).await == Some(7) || fixture.get(1).await != 7);
}

on_all_stores! {
    an_invalidated_load_stores_nothing
    a_flight_is_not_shared_across_a_refused_fill
    two_invalidations_in_a_row
    a_lost_lease_is_no_right_to_fill
    concurrent_callers_share_a_load
    an_invalidated_refresh_stores_nothing
    a_dropped_leader_hands_over
    a_failing_load_stores_nothing_and_blocks_nobody
}
