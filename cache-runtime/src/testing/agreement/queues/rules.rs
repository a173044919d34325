//! What only a server has: a clock that others share, a group, processes that end, and people who
//! look.

use std::fmt::Debug;
use std::time::Duration;

use crate::store::StoreError;
use crate::store::queue::Added::{Full, Known, Late, New};
use crate::store::queue::{Addition, Claim, Death, Overview, PushTime, QueueKeys};
use crate::testing::agreement::queues::side::{Side, claim, soon};
use crate::testing::agreement::queues::steps::{Act, Step};
use crate::testing::agreement::queues::{Difference, LANE, SITE};

type Checked = Result<(), Difference>;

impl From<StoreError> for Difference {
    fn from(error: StoreError) -> Self {
        Self(format!("{error:?}"))
    }
}

/// Checks every rule, each on an empty server.
pub(super) async fn all(url: &str) -> Checked {
    a_generation_is_later_than_all_before(Side::redis(url).await).await?;
    what_a_former_owner_had_is_taken_over(Side::redis(url).await).await?;
    what_was_not_acknowledged_outlives_the_group(Side::redis(url).await).await?;
    what_is_refused_changes_nothing(Side::redis(url).await).await?;
    nobody_owns_what_is_no_stream(Side::redis(url).await).await?;
    what_is_over_is_forgotten(Side::redis(url).await).await?;
    items_of_one_call_are_appended_in_their_order(Side::redis(url).await).await?;
    an_item_is_late_by_the_clock_of_the_server(Side::redis(url).await).await?;
    one_letter_among_several_goes_back(Side::redis(url).await).await?;
    what_is_removed_is_not_pending(Side::redis(url).await).await?;
    an_owner_that_has_read_nothing_gets_its_partition_back(Side::redis(url).await).await?;
    workers_know_of_each_other(Side::redis(url).await).await
}

fn same<T: Copy + Debug + PartialEq>(found: T, expected: T) -> Checked {
    let differs = || Difference(format!("{found:?} instead of {expected:?}"));
    if found == expected { Ok(()) } else { Err(differs()) }
}

fn holds(what: &str, holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(Difference(what.to_owned())) }
}

async fn a_generation_is_later_than_all_before(mut side: Side) -> Checked {
    let clock = format!("{LANE}:clock");
    let (seconds, micros): (u64, u64) = side.ask(&["TIME"]);
    let mut number = 0;
    // Generation and number of what is pushed next.
    let mut push = async |side: &mut Side| {
        number += 1;
        side.execute(&Step::push(number)).await?;
        let last: Vec<(String, Vec<String>)> =
            side.ask(&["XREVRANGE", LANE, "+", "-", "COUNT", "1"]);
        let id = last.first().and_then(|(id, _)| id.split_once('-'));
        let (generation, number) = id.ok_or_else(|| Difference("nothing is there".to_owned()))?;
        Ok::<(u64, u64), Difference>((generation.parse().unwrap(), number.parse().unwrap()))
    };
    let (first, begin) = push(&mut side).await?;
    holds("by the wall clock", first >= seconds * 1000 + micros / 1000 && begin == 1)?;
    same(push(&mut side).await?, (first, 2))?;

    // Another primary, whose clock is right.
    side.ask::<i64>(&["HSET", &clock, "origin", "another", "generation", "1000"]);
    let (second, begin) = push(&mut side).await?;
    holds("another primary", second > first && begin == 1)?;
    // And one whose clock is behind.
    let ahead = second + 1_000_000_000;
    side.ask::<i64>(&["HSET", &clock, "origin", "another", "generation", &ahead.to_string()]);
    same(push(&mut side).await?, (ahead + 1, 1))?;
    same(push(&mut side).await?, (ahead + 1, 2))?;
    // Nothing is left but the stream.
    side.ask::<i64>(&["DEL", &clock]);
    side.ask::<i64>(&["HSET", &clock, "epoch", "1"]);
    same(push(&mut side).await?, (ahead + 2, 1))?;
    // Somebody puts in an entry of his own.
    let id = format!("{}-5", ahead + 1000);
    side.ask::<String>(&["XADD", LANE, &id, "who", "knows"]);
    same(push(&mut side).await?, (ahead + 1001, 1))?;
    same(push(&mut side).await?, (ahead + 1001, 2))
}

/// However much it is: scripts do it a thousand at a time.
async fn what_a_former_owner_had_is_taken_over(mut side: Side) -> Checked {
    const MANY: u64 = 1_001;
    let many = "for number = 1, ARGV[1] do
                  redis.call('XADD', KEYS[1], '0-' .. number, 'k', 'key', 'v', '1-1', 'd', 'item')
                end";
    side.ask::<()>(&["EVAL", many, "1", LANE, &MANY.to_string()]);
    side.execute(&Step::act(0, Act::Take)).await?;
    let read = side.execute(&Step::act(0, Act::Read(2_000, None))).await?;
    side.execute(&Step::Expire).await?;
    side.execute(&Step::act(1, Act::Take)).await?;
    let consumers: Vec<redis::Value> = side.ask(&["XINFO", "CONSUMERS", LANE, "workers"]);
    same(consumers.len(), 1)?;
    same(&side.execute(&Step::act(1, Act::Read(2_000, Some(0)))).await?[..], &read)?;
    side.execute(&Step::act(1, Act::Ack((1..=MANY).collect()))).await?;
    same(&side.execute(&Step::Lengths).await?[..], "0 0 0 false")
}

async fn what_was_not_acknowledged_outlives_the_group(mut side: Side) -> Checked {
    for number in 1..=3 {
        side.execute(&Step::push(number)).await?;
    }
    side.execute(&Step::act(0, Act::Take)).await?;
    let read = side.execute(&Step::act(0, Act::Read(10, None))).await?;
    side.ask::<i64>(&["XGROUP", "DESTROY", LANE, "workers"]);
    // Whichever it asks for.
    same(&side.execute(&Step::act(0, Act::Read(10, Some(3)))).await?[..], &read)?;
    same(&side.execute(&Step::act(0, Act::Read(10, Some(0)))).await?[..], &read)
}

/// Nothing can be appended to a stream whose ids are used up.
async fn what_is_refused_changes_nothing(mut side: Side) -> Checked {
    side.execute(&Step::push(1)).await?;
    for act in [Act::Take, Act::Read(1, None), Act::Bury(1)] {
        side.execute(&Step::act(0, act)).await?;
    }
    same(&side.execute(&Step::Lengths).await?[..], "0 0 1 false")?;
    let end = format!("{}-{}", u64::MAX, u64::MAX);
    side.ask::<String>(&["XADD", LANE, &end, "who", "knows"]);

    let producer = format!("{LANE}:from:p");
    let stamp = PushTime { us: 1, node: 1 };
    let addition = Addition {
        producer: &producer,
        number: 2,
        epoch: 1,
        oldest: 2,
        longest: None,
        stamp,
        window_us: 1_000,
        given_up: &[],
        key: "key",
        payload: &[],
    };
    for _ in 0..2 {
        let pushed = side.push(addition).await;
        holds("a push is refused", matches!(pushed, Err(StoreError::Refused(_))))?;
    }
    holds(
        "a letter is refused",
        side.log.redrive(0, (Death::default(), Death::LAST), 10, soon()).await.is_err(),
    )?;
    same(side.log.dead(0, Death::default(), 10, soon()).await?.len(), 1)
}

async fn nobody_owns_what_is_no_stream(mut side: Side) -> Checked {
    side.ask::<String>(&["SET", LANE, "something else"]);
    let lease = Duration::from_secs(60);
    holds("it is refused", side.log.take(0, &claim(0, lease), soon()).await.is_err())?;
    side.ask::<i64>(&["DEL", LANE]);
    same(side.log.take(0, &claim(1, lease), soon()).await?, true)
}

async fn what_is_over_is_forgotten(mut side: Side) -> Checked {
    let producer = format!("{LANE}:from:p");
    for number in 1..=10 {
        side.execute(&Step::push(number)).await?;
    }
    // Its mark, and the last push.
    same(side.ask::<u64>(&["ZCARD", &producer]), 2)?;
    let left: i64 = side.ask(&["TTL", &producer]);
    holds("it ends with its process", (3_500..=3_600).contains(&left))
}

async fn items_of_one_call_are_appended_in_their_order(mut side: Side) -> Checked {
    let producer = format!("{LANE}:from:p");
    let item = |number: u64| Addition {
        producer: &producer,
        number,
        epoch: 1,
        oldest: 2,
        longest: Some(4),
        stamp: PushTime { us: 10 * number, node: 7 },
        window_us: 1_000,
        given_up: &[],
        key: "key",
        payload: b"item",
    };
    side.push(item(3)).await?;
    let lane = QueueKeys::new("", SITE.name).lane(0);
    let items = [4, 3, 1, 2, 6, 5, 7].map(item);
    for expected in [
        [New(40), Known, Late, New(41), New(60), Full, Full],
        [Known, Known, Late, Known, Known, Full, Full],
    ] {
        let redis = side.log.redis().ok_or(StoreError::Down)?;
        same(&redis.push(&lane, &items, soon()).await?[..], &expected[..])?;
    }
    side.execute(&Step::act(0, Act::Take)).await?;
    let read = side.execute(&Step::act(0, Act::Read(10, None))).await?;
    let places = ["us: 30,", "us: 40,", "us: 41,", "us: 60,"].map(|us| read.find(us));
    holds("each after the one before", places.is_sorted() && places[0].is_some())?;
    same(side.ask::<u64>(&["ZCARD", &producer]), 5)
}

async fn an_item_is_late_by_the_clock_of_the_server(mut side: Side) -> Checked {
    let (seconds, _): (u64, u64) = side.ask(&["TIME"]);
    let tomorrow = (seconds + 86_400) * 1_000_000;
    let mut push = Step::push(1);
    if let Step::Push { us, .. } = &mut push {
        *us = tomorrow;
    }
    side.execute(&push).await?;
    same(&side.execute(&Step::Lengths).await?[..], "1 0 0 true")?;
    // A dead letter has been there since it came back.
    for act in [Act::Take, Act::Read(1, None), Act::Bury(1)] {
        side.execute(&Step::act(0, act)).await?;
    }
    side.execute(&Step::Redrive(1)).await?;
    same(&side.execute(&Step::Lengths).await?[..], "1 0 0 true")?;

    // Without a time of arrival, its producer's clock is all there is.
    side.ask::<i64>(&["DEL", LANE]);
    let version = format!("{tomorrow}-7");
    side.ask::<String>(&["XADD", LANE, "*", "k", "key", "v", &version, "d", "item"]);
    same(&side.execute(&Step::Lengths).await?[..], "1 0 0 false")?;
    side.ask::<i64>(&["DEL", LANE]);
    side.ask::<String>(&["XADD", LANE, "*", "k", "key", "v", "1-7", "d", "item"]);
    same(&side.execute(&Step::Lengths).await?[..], "1 0 0 true")
}

async fn one_letter_among_several_goes_back(mut side: Side) -> Checked {
    for number in 1..=3 {
        side.execute(&Step::push(number)).await?;
    }
    for act in [Act::Take, Act::Read(3, None), Act::Bury(1), Act::Bury(2), Act::Bury(3)] {
        side.execute(&Step::act(0, act)).await?;
    }
    same(&side.execute(&Step::RedriveOne(1)).await?[..], "1")?;
    let dead = side.log.dead(0, Death::default(), 10, soon()).await?;
    let left: Vec<_> = dead.iter().map(|buried| buried.stored.position.number).collect();
    same(&left[..], &[1, 3][..])?;
    same(&side.execute(&Step::Redrive(1)).await?[..], "1")
}

async fn what_is_removed_is_not_pending(mut side: Side) -> Checked {
    side.execute(&Step::push(1)).await?;
    for act in [Act::Take, Act::Read(1, None)] {
        side.execute(&Step::act(0, act)).await?;
    }
    side.execute(&Step::Remove(vec![1])).await?;
    same(&side.execute(&Step::Lengths).await?[..], "0 0 0 false")
}

async fn an_owner_that_has_read_nothing_gets_its_partition_back(mut side: Side) -> Checked {
    for step in [Step::act(0, Act::Take), Step::Expire] {
        side.execute(&step).await?;
    }
    same(&side.execute(&Step::act(0, Act::Renew(0, true))).await?[..], "true")?;
    same(&side.execute(&Step::Lease).await?[..], "Some(1)")
}

async fn workers_know_of_each_other(mut side: Side) -> Checked {
    let (lease, short) = (Duration::from_secs(60), Duration::from_millis(1));
    let join = async |side: &Side, worker: &str, lease, partitions| {
        let claim = Claim { token: String::new(), worker: worker.to_owned(), lease };
        let mut crew = side.log.join(&claim, partitions, soon()).await?;
        crew.alive.sort_unstable();
        let paused = if crew.is_paused { ", paused" } else { "" };
        Ok::<_, StoreError>(format!("{} of {}{paused}", crew.alive.join(" "), crew.partitions))
    };
    same(&join(&side, "b", lease, 3).await?[..], "b of 3")?;
    same(&join(&side, "a", lease, 5).await?[..], "a b of 5")?;
    same(&join(&side, "b", lease, 3).await?[..], "a b of 5")?;
    same(&join(&side, "c", short, 3).await?[..], "a b c of 5")?;
    std::thread::sleep(short * 2);
    same(&join(&side, "b", lease, 3).await?[..], "a b of 5")?;
    let workers = format!("wb:{{{}}}:workers", SITE.name);
    same(side.ask::<u64>(&["HLEN", &workers]), 3)?;

    // Who pushes makes partitions known, too, if they are more; and nobody takes a pause for a
    // worker.
    let redis = side.log.redis().ok_or(StoreError::Down)?;
    for (partitions, known) in [(4, 5), (6, 6)] {
        redis.register("wb:{}queues", SITE.name, partitions, soon()).await?;
        same(side.log.known(soon()).await?, Overview { partitions: known, is_paused: false })?;
    }
    same(&redis.store().queues("wb:{}queues", soon()).await?[..], &[SITE.name.to_owned()][..])?;
    side.log.pause(true, soon()).await?;
    same(&join(&side, "b", lease, 3).await?[..], "a b of 6, paused")?;
    same(side.log.known(soon()).await?, Overview { partitions: 6, is_paused: true })?;
    side.log.pause(false, soon()).await?;
    same(&join(&side, "b", lease, 3).await?[..], "a b of 6")?;

    // Fewer, unless they are not those any more that were looked at.
    for (looked_at, is_forgotten, known) in [(5, false, 6), (6, true, 1), (6, false, 1)] {
        same(side.log.forget_partitions(looked_at, soon()).await?, is_forgotten)?;
        same(side.log.partitions(soon()).await?, known)?;
    }
    Ok(())
}
