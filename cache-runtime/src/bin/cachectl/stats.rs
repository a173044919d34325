//! `cachectl stats`

use cache_runtime::Cache;
use cache_runtime::inspect::{Survey, SurveyGroup};
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;
use crate::progress::surveyed;
use crate::table::Table;
use crate::units::{bytes, time_if_any};

/// Count the entries of the namespace by what their keys look like: how many, how large, how old
///
/// It goes through all keys of the server, which takes as long as there are keys.
#[derive(Args, Debug)]
pub(crate) struct Stats {
    /// Only keys that match this glob
    #[arg(default_value = "*", value_name = "GLOB")]
    pattern: String,

    /// How many keys a second a server looks at
    #[arg(long, value_name = "KEYS", default_value_t = 10_000)]
    scan_rate: u32,

    /// How many kinds of keys to print, those first that take the most bytes; JSON has all
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    top: usize,
}

impl Stats {
    pub(crate) async fn run(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        cache.ping().await?;
        let survey = cache.survey(self.pattern).keys_per_second(self.scan_rate);
        let survey = surveyed(survey).await?;
        output.print(&survey, table(&survey, self.top))
    }
}

fn table(survey: &Survey, top: usize) -> Table {
    let head =
        ["keys", "values", "stale", "guards", "tags", "others", "bytes", "youngest", "oldest"];
    let mut table = Table::new(head);
    let mut row = |name: &str, group: &SurveyGroup| {
        table.row([
            name.to_owned(),
            group.values.to_string(),
            group.stale.to_string(),
            group.guards.to_string(),
            group.stamps.to_string(),
            group.others.to_string(),
            bytes(group.bytes),
            time_if_any(group.youngest),
            time_if_any(group.oldest),
        ]);
    };
    for group in survey.groups.iter().take(top) {
        row(&group.template, group);
    }
    let left = survey.groups.len().saturating_sub(top);
    let all = if left > 0 { format!("all, {left} more kinds") } else { "all".to_owned() };
    row(&all, &survey.total);
    table
}
