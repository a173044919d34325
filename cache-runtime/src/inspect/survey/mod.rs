//! What is in a namespace, found out by looking at all of its keys.

mod grouping;
mod run;
mod summary;

pub use self::run::{SurveyBuilder, SurveyProgress};
pub use self::summary::{Survey, SurveyGroup};
