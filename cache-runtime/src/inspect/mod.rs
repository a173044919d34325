//! What operators ask: what is in a key, why a call does not find its value there, and what is in a
//! namespace.

mod content;
mod explain;
mod explanation;
mod last_miss;
mod millis;
mod question;
mod sentences;
mod servers;
mod survey;

pub use self::content::{KeyContent, StoredValue};
pub use self::explanation::{EntryTag, Explanation, Obstacle, ReleaseBeside, TagState};
pub use self::last_miss::LastMiss;
pub use self::servers::ServerStatus;
pub use self::survey::{Survey, SurveyBuilder, SurveyGroup, SurveyProgress};
