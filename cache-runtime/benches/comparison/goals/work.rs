//! Work that is measured for the sake of goals.

use super::super::measure::{Contender, take_turns};
use super::super::placement::Placement;
use super::super::scenarios::Bench;
use super::goal::{Goal, Outcome};

/// One kind of work.
pub(super) struct Work {
    /// What `--only` calls it.
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) placements: &'static [Placement],
    /// First the one that the others are compared with.
    pub(super) contenders: fn(&Bench) -> Vec<Contender<'_>>,
    pub(super) goals: &'static [Goal],
}

impl Work {
    /// Lets those take turns who have a goal here, beside the first.
    pub(super) fn outcomes(
        &self,
        bench: &Bench,
        placement: Placement,
    ) -> impl Iterator<Item = Outcome> {
        let mut contenders = (self.contenders)(bench);
        let first = contenders[0].name;
        let has_goal = |name| self.goals.iter().any(|goal| goal.contender == name);
        contenders.retain(|it| it.name == first || has_goal(it.name));
        let samples = take_turns(bench.effort.rounds, &mut contenders);
        let names: Vec<_> = contenders.iter().map(|it| it.name).collect();
        self.goals.iter().map(move |goal| {
            let own = names.iter().position(|name| *name == goal.contender);
            let own = own.expect("a contender with the name in the goal");
            goal.outcome(self.name, placement.name, &samples[0], &samples[own])
        })
    }
}
