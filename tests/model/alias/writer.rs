//! A write: fences, commit, invalidation.

use crate::alias::scenario::Aliases;
use crate::alias::state::{Entity, State, Writing, entities};
use crate::search::Steps;

/// All that the writer may do next.
pub(super) fn steps(to: &mut Steps<'_, Aliases>, state: &State, me: usize) {
    let write = to.scenario.writers[me];
    let (writer, who) = (state.writers[me], 2 + me);
    match writer.stage {
        Writing::Absent | Writing::Acknowledged | Writing::Crashed => {}
        Writing::Begin => {
            for entity in entities(writer.open) {
                let mut next = *state;
                next.entities[entity] = match next.entities[entity] {
                    Entity::Fence(writers) => Entity::Fence(writers | 1 << me),
                    _ => Entity::Fence(1 << me),
                };
                let begun = &mut next.writers[me];
                begun.open &= !(1 << entity);
                if begun.open == 0 {
                    begun.stage = Writing::Commit;
                }
                to.step(who, "puts up its fence in", 1 << entity, next);
            }
        }
        Writing::Commit => {
            if me == 1 && state.writers[0].version == 0 {
                return;
            }
            let mut next = *state;
            next.version += 1;
            let mut fenced = entities(write.entities);
            let was_fenced =
                write.fences && fenced.all(|entity| state.entities[entity].is_fence_of(me));
            let committed = &mut next.writers[me];
            (committed.stage, committed.open) = (Writing::End, write.entities);
            (committed.version, committed.was_fenced) = (next.version, was_fenced);
            to.step(who, "commits", 0, next);
        }
        Writing::End => {
            for entity in entities(writer.open) {
                let mut next = *state;
                // A plain `DEL` leaves no fence of another either.
                if write.fences {
                    next.entities[entity].end(me);
                } else {
                    next.entities[entity] = Entity::Empty;
                }
                let ended = &mut next.writers[me];
                ended.open &= !(1 << entity);
                if ended.open == 0 {
                    ended.stage = Writing::Acknowledged;
                }
                to.step(who, "invalidates", 1 << entity, next);
            }
        }
    }
    if to.scenario.crashes
        && matches!(writer.stage, Writing::Begin | Writing::Commit | Writing::End)
    {
        let mut next = *state;
        (next.writers[me].stage, next.writers[me].open) = (Writing::Crashed, 0);
        to.step(who, "crashes", 0, next);
    }
    // Fences outlive their writers' transactions.
    let is_over = writer.version > 0 || writer.stage == Writing::Crashed;
    for entity in entities(if to.scenario.crashes && is_over { write.entities } else { 0 }) {
        if state.entities[entity].is_fence_of(me) {
            let mut next = *state;
            next.entities[entity].end(me);
            to.step(who, "is over the time of its fence in", 1 << entity, next);
        }
    }
}
