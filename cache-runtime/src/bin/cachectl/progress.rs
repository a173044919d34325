//! A survey, with a bar that shows how far it has come.

use cache_runtime::inspect::{Survey, SurveyBuilder};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

/// Runs a survey. The bar is on stderr, and only if that is a terminal.
pub(crate) async fn surveyed(survey: SurveyBuilder) -> Result<Survey, Failure> {
    let bar = ProgressBar::new_spinner();
    let survey = survey.run(|progress| {
        if let (Some(keys), None) = (progress.keys, bar.length()) {
            bar.set_length(keys);
            bar.set_style(style());
        }
        bar.set_position(progress.looked_at);
    });
    let survey = survey.await;
    bar.finish_and_clear();
    Ok(survey?)
}

fn style() -> ProgressStyle {
    let template = "{bar:40} {pos} of {len} keys, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
