//! Whether somebody who types means it.

use std::io::{IsTerminal as _, stdin};

use clap::Args;

use crate::failure::Failure;

#[derive(Args, Debug)]
pub(crate) struct Confirmation {
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do it. Needed at a terminal, not in scripts
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Whether it is to be done, and not only looked at.
    pub(crate) fn is_given(&self) -> Result<bool, Failure> {
        if self.dry_run {
            return Ok(false);
        }
        if !self.yes && stdin().is_terminal() {
            return Err(Failure::Usage(
                "this changes what the service sees: add `--yes` to do it, or `--dry-run` to see \
                 what would be done"
                    .to_owned(),
            ));
        }
        Ok(true)
    }
}
