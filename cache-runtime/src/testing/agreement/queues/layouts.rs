//! A change of the number of partitions, step by step, on both.

use crate::store::StoreResult;
use crate::store::queue::{
    Addition, Layout, Position, PushTime, ReadFrom, ReadReply, Step as Change,
};
use crate::testing::agreement::queues::side::{HOUR, Side, claim, soon};
use crate::testing::agreement::queues::steps::{Act, Step};
use crate::testing::agreement::queues::{Difference, LANE};

/// What was answered, with numbers of layouts in the order in which they came up: those of two
/// clocks differ.
#[derive(Default)]
struct Answers {
    epochs: Vec<u64>,
    told: Vec<String>,
}

impl Answers {
    fn number(&mut self, epoch: u64) -> usize {
        let known = self.epochs.iter().position(|other| *other == epoch);
        known.unwrap_or_else(|| {
            self.epochs.push(epoch);
            self.epochs.len() - 1
        })
    }
}

/// Compares the two, and with what is to be on the server alone.
pub(super) async fn compare(url: &str) -> Result<(), Difference> {
    let mut redis = Side::redis(url).await;
    let (theirs, ours) = (course(&mut redis).await?, course(&mut Side::memory().await).await?);
    if theirs != ours {
        let differ = theirs.iter().zip(&ours).find(|(theirs, ours)| theirs != ours);
        return Err(Difference(format!("{differ:?}")));
    }
    match redis.log.partitions(soon()).await? {
        3 => Ok(()),
        known => Err(Difference(format!("{known} partitions are known"))),
    }
}

async fn course(side: &mut Side) -> StoreResult<Vec<String>> {
    let mut answers = Answers::default();
    answers.epochs.extend([0, 1]);
    change(side, &mut answers, Change::Look).await?;
    change(side, &mut answers, Change::Announce { of: 5, spread: 3, after: 0 }).await?;
    let announce = Change::Announce { of: 0, spread: 3, after: 0 };
    let announced = change(side, &mut answers, announce).await?;
    let Some((first, _)) = announced.next else { return Ok(answers.told) };
    change(side, &mut answers, Change::Announce { of: 0, spread: 4, after: 0 }).await?;
    change(side, &mut answers, Change::Make { epoch: 77, drains: false, us: 0 }).await?;
    push(side, &mut answers, 1, 1).await?;
    push(side, &mut answers, 2, 1).await?;
    turn(side, &mut answers, first).await?;
    // Not any more what was placed before, but for what is there.
    push(side, &mut answers, 3, 1).await?;
    push(side, &mut answers, 2, 1).await?;
    turn(side, &mut answers, 1).await?;
    change(side, &mut answers, Change::Make { epoch: first, drains: true, us: 900 }).await?;
    change(side, &mut answers, Change::Announce { of: first, spread: 4, after: 0 }).await?;
    push(side, &mut answers, 4, first).await?;
    side.execute(&Step::act(0, Act::Take)).await?;
    for (count, from, settled) in [
        (1, ReadFrom::New, 1),
        (10, ReadFrom::New, first - 1),
        (10, ReadFrom::New, first - 1),
        (10, ReadFrom::Pending(Position::default()), 1),
    ] {
        read(side, &mut answers, count, from, settled).await?;
    }
    turn(side, &mut answers, first).await?;
    side.execute(&Step::act(0, Act::Read(1, Some(0)))).await?;
    side.execute(&Step::act(0, Act::Ack(vec![1, 2]))).await?;
    turn(side, &mut answers, first).await?;
    change(side, &mut answers, Change::Settle { epoch: 5 }).await?;
    change(side, &mut answers, Change::Settle { epoch: first }).await?;
    read(side, &mut answers, 10, ReadFrom::New, first).await?;

    // Later than one that has been lost, whatever the clock says.
    let lost = first + 1_000_000_000_000;
    let announce = Change::Announce { of: first, spread: 2, after: lost };
    let announced = change(side, &mut answers, announce).await?;
    let Some((second, _)) = announced.next else { return Ok(answers.told) };
    answers.told.push(format!("{}", second > lost));
    change(side, &mut answers, Change::Make { epoch: second, drains: true, us: 5 }).await?;
    for after in [0, second + 1] {
        change(side, &mut answers, Change::Announce { of: second, spread: 2, after }).await?;
    }
    let look = change(side, &mut answers, Change::Look).await?;
    let Some((third, _)) = look.next else { return Ok(answers.told) };
    change(side, &mut answers, Change::Make { epoch: third, drains: false, us: 5 }).await?;
    Ok(answers.told)
}

async fn change(side: &Side, answers: &mut Answers, change: Change) -> StoreResult<Layout> {
    let layout = side.log.relayout(change, soon()).await?;
    let Layout { epoch, spread, us, drains, next } = layout;
    let number = answers.number(epoch);
    let next = next.map(|(epoch, spread)| (answers.number(epoch), spread));
    answers.told.push(format!("layout {number} of {spread}, {us} µs, drains {drains}, {next:?}"));
    Ok(layout)
}

async fn turn(side: &Side, answers: &mut Answers, epoch: u64) -> StoreResult<()> {
    let turned = side.log.turn(0, epoch, soon()).await?;
    let number = answers.number(turned.epoch);
    answers.told.push(format!("left {}, layout {number}, {} µs", turned.is_left, turned.us));
    Ok(())
}

async fn push(side: &mut Side, answers: &mut Answers, number: u64, epoch: u64) -> StoreResult<()> {
    let addition = Addition {
        producer: &format!("{LANE}:from:p"),
        number,
        epoch,
        oldest: 1,
        longest: None,
        stamp: PushTime { us: 100 * number, node: 7 },
        window_us: 1_000_000,
        given_up: &[],
        key: "key",
        payload: b"item",
    };
    let pushed = side.push(addition).await?;
    answers.told.push(format!("{number} {pushed:?}"));
    Ok(())
}

async fn read(
    side: &mut Side,
    answers: &mut Answers,
    count: usize,
    from: ReadFrom,
    settled: u64,
) -> StoreResult<()> {
    let claim = claim(0, std::time::Duration::from_millis(HOUR));
    match side.line.read(&claim, count, (from, settled), soon()).await? {
        ReadReply::Lost => answers.told.push("lost".to_owned()),
        ReadReply::Items { items, epoch, .. } => {
            let numbers: Vec<_> = items.iter().map(|item| item.position.number).collect();
            let number = answers.number(epoch);
            answers.told.push(format!("{numbers:?} in layout {number}"));
        }
    }
    Ok(())
}
