//! The caller that loads for the others.

use std::fmt;
use std::sync::Arc;
use std::thread::panicking;

use crate::engine::flight::{Flight, FlightRequest, Flights, Landing, Mark, lock};

/// The right and the duty to load for the waiters. Dropping it hands over to one of them.
#[must_use]
pub(crate) struct Leader {
    flights: Arc<Flights>,
    flight: Arc<Flight>,
    /// What its call asked for, so what an error of it is about.
    asked: FlightRequest,
    first: bool,
    landed: bool,
}

impl Leader {
    pub(super) fn new(
        flights: &Arc<Flights>,
        flight: Arc<Flight>,
        asked: FlightRequest,
        first: bool,
    ) -> Self {
        Self { flights: Arc::clone(flights), flight, asked, first, landed: false }
    }

    /// Call right before an event that may decide the result.
    pub(crate) fn mark(&self) -> Mark {
        let mut state = lock(&self.flight.state);
        state.marks += 1;
        Mark(state.marks)
    }

    /// Whether this leader asks the store. The other members of a group after failures only load.
    pub(crate) fn is_first(&self) -> bool {
        self.first
    }

    /// Whether earlier loads of this flight failed.
    pub(crate) fn follows_failure(&self) -> bool {
        lock(&self.flight.state).width > 1
    }

    /// Whether anybody waits.
    pub(crate) fn is_awaited(&self) -> bool {
        !lock(&self.flight.state).waiters.is_empty()
    }

    /// Ends the flight's present load.
    pub(crate) fn land(mut self, landing: &Landing) {
        self.landed = true;
        self.flights.land(&self.flight, &self.asked, landing);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.landed {
            // A load that panics fails like any other: its waiters do not follow one by one.
            let landing = if panicking() { Landing::Panicked } else { Landing::Alone };
            self.flights.land(&self.flight, &self.asked, &landing);
        }
    }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("key", &self.flight.key).finish_non_exhaustive()
    }
}
