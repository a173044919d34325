//! `cachectl dead-letters`

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use cache_runtime::Cache;
use cache_runtime::queue::{DeadLetter, DeadLetterId, NamedQueue};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::confirmation::Confirmation;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use crate::units::{count, time};

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// List dead letters, the oldest of each partition first, without their items
    List {
        /// The name of the queue
        queue: String,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Those that come after this one: the last of the page before
        #[arg(long, value_name = "ID")]
        after: Option<DeadLetterId>,
    },
    /// Show a dead letter, with its item as it was stored
    Show {
        /// The name of the queue
        queue: String,
        /// Its id, such as `3:1800000000000-0`
        id: DeadLetterId,
    },
    /// Put dead letters back at the end of the queue
    #[command(override_usage = "cachectl dead-letters redrive [OPTIONS] <QUEUE> <ID>...|--all")]
    Redrive(Chosen),
    /// Remove dead letters for good
    #[command(override_usage = "cachectl dead-letters drop [OPTIONS] <QUEUE> <ID>...|--all")]
    Drop(Chosen),
}

#[derive(Args, Debug)]
pub(crate) struct Chosen {
    /// The name of the queue
    queue: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// Ids of dead letters
    #[arg(value_name = "ID")]
    ids: Vec<DeadLetterId>,
    /// All that there are now
    #[arg(long)]
    all: bool,
}

/// What is done with dead letters.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Back,
    Dropped,
}

/// A dead letter as it is printed.
#[derive(Debug, Serialize)]
struct Letter {
    id: DeadLetterId,
    key: String,
    attempts: u32,
    /// Milliseconds since 1970.
    died_ms: u64,
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
}

/// What was, or would be, done.
#[derive(Debug, Serialize)]
struct Done {
    dry_run: bool,
    queue: String,
    letters: u64,
}

impl DeadLetters {
    pub(crate) async fn run(self, cache: &Cache, output: Output) -> Result<(), Failure> {
        match self {
            Self::List { queue, limit, after } => {
                let queue = known(cache, queue).await?;
                let letters = match after {
                    Some(id) => queue.dead_letters_after(id, limit).await?,
                    None => queue.dead_letters(limit).await?,
                };
                let letters: Vec<_> = letters.into_iter().map(Letter::without_item).collect();
                output.print(&letters, table(&letters))
            }
            Self::Show { queue, id } => {
                let queue = known(cache, queue).await?;
                let letter = queue.dead_letter(id).await?.ok_or_else(|| missing(&queue, id))?;
                let letter = Letter::with_item(letter);
                output.print(&letter, letter.words())
            }
            Self::Redrive(chosen) => chosen.meet(Fate::Back, cache, output).await,
            Self::Drop(chosen) => chosen.meet(Fate::Dropped, cache, output).await,
        }
    }
}

impl Chosen {
    async fn meet(self, fate: Fate, cache: &Cache, output: Output) -> Result<(), Failure> {
        let is_done = self.confirmation.is_given()?;
        let queue = known(cache, self.queue).await?;
        let letters = if self.which.all {
            match fate {
                _ if !is_done => queue.length().await?.dead_letters,
                Fate::Back => queue.redrive().await?,
                Fate::Dropped => queue.discard_all().await?,
            }
        } else {
            let mut letters = 0;
            for id in self.which.ids {
                let was_there = match fate {
                    _ if !is_done => queue.dead_letter(id).await?.is_some(),
                    Fate::Back => queue.redrive_one(id).await?,
                    Fate::Dropped => queue.discard(id).await?,
                };
                if !was_there {
                    return Err(missing(&queue, id));
                }
                letters += 1;
            }
            letters
        };
        let done = Done { dry_run: !is_done, queue: queue.name().to_owned(), letters };
        let verb = match (fate, is_done) {
            (Fate::Back, true) => "put back",
            (Fate::Back, false) => "would put back",
            (Fate::Dropped, true) => "dropped",
            (Fate::Dropped, false) => "would drop",
        };
        output.print(&done, format!("{verb} {}", count(letters, "dead letter", "dead letters")))
    }
}

/// The queue of this name, if there is one: a name that is mistyped is no empty queue.
async fn known(cache: &Cache, name: String) -> Result<NamedQueue, Failure> {
    cache.ping().await?;
    if cache.queues().await?.iter().any(|summary| summary.queue == name) {
        return Ok(cache.queue(name));
    }
    Err(Failure::Failed(format!("there is no queue `{name}`: `cachectl queues` lists them")))
}

fn missing(queue: &NamedQueue, id: DeadLetterId) -> Failure {
    Failure::Failed(format!("the queue `{}` has no dead letter {id}", queue.name()))
}

impl Letter {
    fn without_item(letter: DeadLetter<()>) -> Self {
        let died = letter.died.duration_since(UNIX_EPOCH).unwrap_or_default();
        let died_ms = u64::try_from(died.as_millis()).unwrap_or_default();
        let DeadLetter { id, key, attempts, error, .. } = letter;
        Self { id, key, attempts, died_ms, error, item: None }
    }

    fn with_item(letter: DeadLetter<()>) -> Self {
        let item = match str::from_utf8(&letter.bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => letter.bytes.escape_ascii().to_string(),
        };
        Self { item: Some(item), ..Self::without_item(letter) }
    }

    fn words(&self) -> String {
        let Self { id, key, attempts, died_ms, error, item } = self;
        let died = UNIX_EPOCH + Duration::from_millis(*died_ms);
        let mut words = format!(
            "id        {id}\nkey       {key}\nattempts  {attempts}\ndied      {} ago\n\
             error     {error}\n",
            time(died.elapsed().unwrap_or_default())
        );
        if let Some(item) = item {
            // Writing to a string cannot fail.
            _ = writeln!(words, "\n{item}");
        }
        words
    }
}

fn table(letters: &[Letter]) -> Table {
    let mut table = Table::new(["id", "attempts", "key", "error"]);
    for Letter { id, key, attempts, error, .. } in letters {
        let error = error.replace('\n', " ");
        table.row([id.to_string(), attempts.to_string(), key.clone(), error]);
    }
    table
}
