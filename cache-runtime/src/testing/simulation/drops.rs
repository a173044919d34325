//! Futures dropped at every point at which they wait.

use std::time::Duration;

use cache_testing::dice::Dice;
use tokio::time::{sleep, timeout};

use crate::testing::simulation::cut::{Cut, until};
use crate::testing::simulation::functions::any_key;
use crate::testing::simulation::manner::Manner;
use crate::testing::simulation::operations::Operation;
use crate::testing::simulation::simulate;
use crate::testing::simulation::world::{Pace, ROWS, World};

/// A lease that is left behind would be there until the end.
const PACE: Pace = Pace {
    lease: 60_000,
    load: 12,
    write: 8,
    long_writes: 25,
    failing_loads: 0,
    lost_commands: 0,
    slow_commands: 0,
};

const MANNERS: [Manner; 17] = [
    Manner::Get,
    Manner::Read,
    Manner::Locked,
    Manner::Refresh,
    Manner::Batch,
    Manner::LockedBatch,
    Manner::RefreshBatch,
    Manner::Write,
    Manner::Strict,
    Manner::Storing,
    Manner::StoringStrictly,
    Manner::Unfenced,
    Manner::Failing,
    Manner::InDoubt,
    Manner::InTransaction,
    Manner::Several,
    Manner::SeveralUnfenced,
];

/// Those to which the age of a value matters.
const BY_AGE: [Manner; 4] = [Manner::Revalidated, Manner::Forgiven, Manner::Hurried, Manner::Early];

/// What the dropped call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Empty,
    Cached,
    /// There is a value, past its time to live.
    Stale,
    /// A caller of the same process loads.
    Behind,
    /// A process loads.
    Locked,
}

/// Whether the call came to its end before it was to be dropped.
async fn scenario(dice: Dice, row: u64, setting: Setting, manner: Manner, cut: Cut) -> bool {
    let world = World::new(&dice, 2, PACE);
    let start = |process, manner, after| {
        let operation = Operation { process, row, manner, cut: Cut::Never };
        let world = world.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(after)).await;
            operation.run(world).await
        })
    };
    match setting {
        Setting::Empty => {}
        Setting::Cached => _ = start(1, Manner::Read, 0).await,
        Setting::Stale => {
            _ = start(1, Manner::Forgiven, 0).await;
            sleep(Duration::from_millis(10)).await;
        }
        Setting::Behind => drop(start(0, Manner::Read, 0)),
        Setting::Locked => drop(start(1, Manner::Read, 0)),
    }
    // Those who come a little later, and wait for the call or go another way.
    let others =
        [start(0, Manner::Read, 2), start(0, Manner::Locked, 4), start(1, Manner::Locked, 3)];
    sleep(Duration::from_millis(1)).await;
    let ended = Operation { process: 0, row, manner, cut }.run(world.clone()).await;
    // The database goes on with what it has received of a write: they meet it before its commit,
    // and after that.
    let later = [0, 0, 200].map(|after| start(1, Manner::Read, after));
    for other in others.into_iter().chain(later) {
        let served = timeout(Duration::from_secs(1), other).await;
        assert!(served.is_ok_and(|ended| ended.is_ok()), "nobody waits for what was dropped");
    }
    sleep(Duration::from_millis(100)).await;
    for row in 0..ROWS {
        let leases = [world.kind(row), world.kind_beside(row)];
        assert!(!leases.contains(&Some('L')), "a lease is left behind");
    }
    let history = world.settle().await;
    assert!(history.violations().is_empty(), "{history:#?}");
    ended
}

/// Drops the call at each of its waits in turn; how often.
fn drop_everywhere(setting: Setting, manner: Manner) -> usize {
    let mut dropped = 0;
    for cut in [Cut::Waiting as fn(u32) -> Cut, Cut::Woken] {
        for seed in 0..8 {
            for waits in 1.. {
                let cut = cut(waits);
                println!("{setting:?} {manner:?} {cut:?} CACHE_TEST_SEED={seed}");
                if simulate(seed, |dice| scenario(dice, seed % 2, setting, manner, cut)) {
                    break;
                }
                dropped += 1;
            }
        }
    }
    dropped
}

#[test]
fn whenever_it_is_dropped_a_call_leaves_nothing_behind() {
    let settings = [Setting::Empty, Setting::Cached, Setting::Behind, Setting::Locked];
    let all = || MANNERS.into_iter().chain(BY_AGE);
    let calls = settings.into_iter().flat_map(|setting| all().map(move |manner| (setting, manner)));
    // To the others a stale value is one like any other.
    let calls = calls.chain(BY_AGE.map(|manner| (Setting::Stale, manner)));
    let dropped: usize = calls.map(|(setting, manner)| drop_everywhere(setting, manner)).sum();
    println!("{dropped} calls were dropped");
    assert!(dropped > 1_000, "{dropped} calls were dropped");
}

/// Whether the put came to its end before it was to be dropped.
async fn put(dice: Dice, row: u64, cached: bool, cut: Cut) -> bool {
    let world = World::new(&dice, 2, PACE);
    let (here, key) = (&world.processes[0], any_key(row));
    if cached {
        Operation { process: 1, row, manner: Manner::Read, cut: Cut::Never }
            .run(world.clone())
            .await;
    }
    let ended = until(cut, here.put(&key, &world.db.version(row))).await.is_some();
    sleep(Duration::from_millis(100)).await;
    let left = world.kind(row);
    assert!(matches!(left, None | Some('V')), "{left:?} is left behind");
    assert!(!ended || left == Some('V'), "it was stored");
    let history = world.settle().await;
    assert!(history.violations().is_empty(), "{history:#?}");
    ended
}

#[test]
fn whenever_it_is_dropped_a_put_leaves_no_fence_behind() {
    let mut dropped = 0;
    for cut in [Cut::Waiting as fn(u32) -> Cut, Cut::Woken] {
        for seed in 0..8 {
            for waits in 1.. {
                let (cut, cached) = (cut(waits), seed % 4 < 2);
                println!("{cut:?} CACHE_TEST_SEED={seed}");
                if simulate(seed, |dice| put(dice, seed % 2, cached, cut)) {
                    break;
                }
                dropped += 1;
            }
        }
    }
    assert!(dropped > 30, "{dropped} puts were dropped");
}
