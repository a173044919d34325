//! Pushes of one item and of several, and what they were told.

use crate::error::{Error, ErrorKind};
use crate::testing::simulation::cut::{Cut, until};
use crate::testing::simulation::queues::database::Item;
use crate::testing::simulation::queues::history::{Outcome, Push};
use crate::testing::simulation::queues::run::World;

impl World {
    pub(super) async fn push(&self, process: usize, id: u64) {
        let waits = 1 + u32::try_from(self.dice.below(6)).unwrap();
        let cuts = [(80, Cut::Never), (10, Cut::Waiting(waits)), (10, Cut::Woken(waits))];
        let (cut, tries, key) = (self.dice.pick(&cuts), self.dice.percent(20), self.dice.below(3));
        let (queue, begin) = (self.queue(process), self.db.now());
        let call = async {
            let item = Item { id, key };
            if tries { queue.try_push(item).await } else { queue.push(item).await }
        };
        let outcome = match until(cut, call).await {
            Some(Ok(())) => Outcome::Acknowledged,
            Some(Err(error)) => told(&error),
            None => Outcome::InDoubt,
        };
        let end = self.db.now();
        let of_many = None;
        self.pushes.lock().unwrap().push(Push { id, key, process, begin, end, outcome, of_many });
    }

    /// With dice of its own, as the seeds that are kept were found without it.
    pub(super) async fn push_many(&self, call: u64) {
        let dice = self.dice.fork(call);
        let process = dice.index(self.processes.len());
        let waits = 1 + u32::try_from(dice.below(6)).unwrap();
        let cut =
            dice.pick(&[(80, Cut::Never), (10, Cut::Waiting(waits)), (10, Cut::Woken(waits))]);
        let items: Vec<_> =
            (0..=dice.below(9)).map(|at| Item { id: call + at, key: dice.below(3) }).collect();
        let (queue, begin) = (self.queue(process), self.db.now());
        let outcomes = match until(cut, queue.push_many(items.clone())).await {
            Some(Ok(())) => vec![Outcome::Acknowledged; items.len()],
            Some(Err(error)) => {
                let mut outcomes = vec![Outcome::Acknowledged; items.len()];
                error.failed().iter().for_each(|(at, error)| outcomes[*at] = told(error));
                outcomes
            }
            None => vec![Outcome::InDoubt; items.len()],
        };
        let end = self.db.now();
        for (place, (Item { id, key }, outcome)) in items.into_iter().zip(outcomes).enumerate() {
            let of_many = Some((call, place));
            let push = Push { id, key, process, begin, end, outcome, of_many };
            self.pushes.lock().unwrap().push(push);
        }
    }
}

fn told(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Unreplicated => Outcome::Unreplicated,
        ErrorKind::Full | ErrorKind::Unavailable | ErrorKind::Refused => Outcome::Refused,
        // The transaction may have been committed.
        ErrorKind::InDoubt | ErrorKind::Sink => Outcome::InDoubt,
        _ => panic!("{error}"),
    }
}
