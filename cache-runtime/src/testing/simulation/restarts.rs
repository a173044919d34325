//! A server that comes back empty, while nothing else goes wrong.
//!
//! Four processes find it again at different times. Whether or not a write could deliver its
//! invalidation by then, once it has returned no read that begins later, in any process, may fall
//! behind it.

use std::time::Duration;

use cache_testing::dice::Dice;
use cache_testing::history::History;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::testing::simulation::manner::USUAL;
use crate::testing::simulation::operations::Operation;
use crate::testing::simulation::seeds::Events;
use crate::testing::simulation::world::{Pace, World};

const PROCESSES: u64 = 4;

/// Whether it is a seed in which the server restarts. What the others draw does not depend on that.
pub(super) fn happen(dice: &Dice) -> bool {
    dice.fork(19).percent(10)
}

/// The server restarts twice while the processes do some things.
pub(super) async fn scenario(dice: &Dice) -> (History, Events) {
    let pace = Pace {
        lease: 100,
        load: 20,
        write: 10,
        long_writes: 0,
        failing_loads: 5,
        lost_commands: 0,
        slow_commands: dice.pick(&[(2, 0), (1, 10)]),
    };
    let world = World::new(dice, PROCESSES, pace);
    let (rows, usual) = (1 + dice.below(2), dice.pick(&USUAL));
    // Twice, and each time for long enough that the pauses between attempts have grown.
    let rounds = [(); 2].map(|()| (50 + dice.below(200), 200 + dice.below(400), dice.below(2_500)));
    let mut tasks = JoinSet::new();
    let mut begin = 0;
    for (running, down, rest) in rounds {
        let back = begin + running + down;
        for number in 0..60 {
            // Most of them while some processes have found the server again, and others have not.
            let at =
                if number < 15 { begin + dice.below(back - begin) } else { back + dice.below(600) };
            let operation = Operation::draw(dice, world.processes.len(), rows, usual, true);
            let world = world.clone();
            tasks.spawn(async move {
                sleep(Duration::from_millis(at)).await;
                operation.run(world).await;
            });
        }
        let world = world.clone();
        tasks.spawn(async move {
            sleep(Duration::from_millis(begin + running)).await;
            world.restart(Duration::from_millis(down)).await;
        });
        begin = back + rest;
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let history = world.settle().await;
    let events = Events::of(&world);
    (history, events)
}
