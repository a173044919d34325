//! Why a push cannot end well.

use crate::metrics::BreakerState;
use crate::queue::partitions::Partitions;
use crate::store::StoreError;

/// Why a push cannot end well.
#[derive(Debug)]
pub(super) enum Failure {
    Full,
    /// It is there, but too few replicas have it, or the server does not tell.
    Unreplicated(Option<StoreError>),
    Missed(Missed),
    /// It was not sent, because an item before it is on too few replicas.
    Untried,
    /// It is not there, and belongs elsewhere by now.
    Moved,
}

/// The server has not said that it has the item.
#[derive(Debug)]
pub(super) struct Missed {
    pub(super) error: StoreError,
    /// It may have it all the same.
    pub(super) in_doubt: bool,
}

impl Failure {
    /// The item certainly is not there.
    pub(super) fn unavailable(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: false })
    }

    /// It may be there.
    pub(super) fn in_doubt(error: StoreError) -> Self {
        Self::Missed(Missed { error, in_doubt: true })
    }
}

impl Partitions {
    /// What the error of an attempt means: that there need be no other, or that what it sent may be
    /// there, or nothing. Once a former attempt has left a doubt, no refusal of a later one ends
    /// it.
    pub(super) fn unanswered(
        &self,
        error: StoreError,
        is_certain: bool,
    ) -> Result<Option<StoreError>, Failure> {
        match error {
            StoreError::Down if is_certain && !self.is_promising() => {
                Err(Failure::unavailable(error))
            }
            StoreError::Refused(_) | StoreError::Redirected(_)
                if is_certain && !is_passing(&error) =>
            {
                Err(Failure::unavailable(error))
            }
            StoreError::TimedOut | StoreError::Lost | StoreError::Unexpected => Ok(Some(error)),
            StoreError::Down
            | StoreError::Saturated
            | StoreError::Refused(_)
            | StoreError::Redirected(_) => Ok(None),
        }
    }

    /// Whether calls that were refused may soon pass: too many are under way, or the server is
    /// being connected to.
    pub(super) fn is_promising(&self) -> bool {
        let phase = self.redis().map(|redis| redis.store().snapshot().phase);
        matches!(phase, Some(BreakerState::Closed | BreakerState::Connecting))
    }
}

/// The keys of the partition are on their way to another node of the cluster, or there: the next
/// attempt asks where.
pub(super) fn is_passing(error: &StoreError) -> bool {
    let moves = |code: &str| matches!(code, "TRYAGAIN" | "MOVED" | "ASK");
    matches!(error, StoreError::Refused(refusal) if moves(refusal.code()))
}

/// The user may not ask, now or later.
pub(super) fn is_forbidden(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused(code) if code == "NOPERM")
}
