//! States that differ only in the names of their random tokens are the same state.

use crate::keys::{Cell, EPOCH, Entry, NONE, Token};
use crate::state::State;

/// A token that nobody has, of a state whose tokens have been named.
pub(crate) fn fresh(state: &mut State, place: usize) -> Token {
    let mut highest = NONE;
    for_each(state, place, |token| highest = highest.max(*token));
    highest + 1
}

/// Names the tokens by the order in which they are met. Those of different keys are never compared.
pub(crate) fn rename(state: &mut State) {
    for place in 0..=EPOCH {
        let mut known = [NONE; 6];
        for_each(state, place, |token| {
            if *token != NONE {
                let met = known.iter().position(|it| it == token || *it == NONE);
                let met = met.expect("no more tokens than places for them");
                known[met] = *token;
                *token = Token::try_from(met + 1).expect("few of them");
            }
        });
    }
}

/// Visits every token of a key, wherever it is.
fn for_each(state: &mut State, place: usize, mut visit: impl FnMut(&mut Token)) {
    if let Cell::Stamp(token) = &mut state.keys[place] {
        visit(token);
    }
    if place == EPOCH {
        return state.readers.iter_mut().for_each(|reader| visit(&mut reader.epoch));
    }
    if let Entry::Value(value) = &mut state.entry {
        visit(&mut value.stamps[place]);
    }
    for reader in &mut state.readers {
        visit(&mut reader.found.stamps[place]);
        visit(&mut reader.stamps[place]);
    }
}
