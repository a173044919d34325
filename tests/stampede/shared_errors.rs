//! Errors that cannot be cloned, and can be made from one that all hold.

use std::error::Error;
use std::fmt;

use cache_runtime::error::SharedError;
use cache_runtime::{Cache, cached};
use cache_testing::barrier::{Counter, Gate};

use crate::stage::{Stage, results};

/// With what caused it.
#[derive(Debug)]
enum Worded {
    Origin(usize),
    Shared(SharedError),
}

impl From<SharedError> for Worded {
    fn from(error: SharedError) -> Self {
        Self::Shared(error)
    }
}

impl fmt::Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Origin(run) => write!(f, "run {run} failed"),
            Self::Shared(error) => error.fmt(f),
        }
    }
}

impl Error for Worded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Origin(_) => Some(&fmt::Error),
            Self::Shared(error) => error.source(),
        }
    }
}

/// An origin that always fails.
#[derive(Clone, Debug, Default)]
struct Origin {
    runs: Counter,
    gate: Gate,
}

impl Origin {
    async fn load(&self) -> Result<usize, Worded> {
        let run = self.runs.count();
        self.gate.pass().await;
        Err(Worded::Origin(run))
    }
}

#[cached(key = "worded", ttl = 3600, lock, skip(origin))]
async fn worded(origin: &Origin) -> Result<usize, Worded> {
    origin.load().await
}

#[cached(key = "anyhow", ttl = 3600, lock, skip(origin))]
async fn of_anyhow(origin: &Origin) -> anyhow::Result<usize> {
    Ok(origin.load().await?)
}

#[cached(key = "boxed", ttl = 3600, lock, skip(origin))]
async fn boxed(origin: &Origin) -> Result<usize, Box<dyn Error + Send + Sync>> {
    Ok(origin.load().await?)
}

#[cached(batch(id in ids), key = "worded:<id>", ttl = 3600, lock, skip(origin))]
async fn batch(origin: &Origin, ids: &[u64]) -> Result<Vec<(u64, usize)>, Worded> {
    let run = origin.load().await?;
    Ok(ids.iter().map(|id| (*id, run)).collect())
}

/// The errors of a thousand callers, as texts with their causes, and how often the body ran.
macro_rules! errors_of_a_thousand {
    ($function:ident, $stage:expr) => {{
        let (stage, origin) = ($stage, Origin::default());
        let call = || {
            let origin = origin.clone();
            async move { $function(&origin).await }
        };
        let leader = stage.start(1, call).remove(0);
        origin.gate.entered(1).await;
        let callers = stage.start(1000, call);
        // They have all joined: each runs until it waits before anybody runs again.
        tokio::task::yield_now().await;
        // Another one leads, which all others have joined before it began.
        leader.abort();
        origin.gate.open();
        let errors = results(callers).await.into_iter().map(|result| {
            let error = result.unwrap_err();
            (error.to_string(), error.source().map(ToString::to_string))
        });
        (errors.collect::<Vec<_>>(), origin.runs.get())
    }};
}

#[tokio::test]
async fn one_load_fails_for_all_where_an_error_can_be_made_of_it() {
    let expected = vec![("run 2 failed".to_owned(), Some(fmt::Error.to_string())); 1000];
    for stage in [Stage::embedded(), Stage::redis().await, Stage::down().await] {
        assert_eq!(errors_of_a_thousand!(worded, stage), (expected.clone(), 2));
    }
    assert_eq!(errors_of_a_thousand!(of_anyhow, Stage::embedded()), (expected.clone(), 2));
    assert_eq!(errors_of_a_thousand!(boxed, Stage::embedded()), (expected, 2));
}

/// With its type.
#[tokio::test]
async fn all_hold_the_error_itself() {
    let (stage, origin) = (Stage::embedded(), Origin::default());
    let call = || {
        let origin = origin.clone();
        async move { worded(&origin).await }
    };
    let leader = stage.start(1, call).remove(0);
    origin.gate.entered(1).await;
    let callers = stage.start(3, call);
    tokio::task::yield_now().await;
    leader.abort();
    origin.gate.open();
    let held = results(callers).await.into_iter().map(|result| match result {
        Err(Worded::Shared(error)) => match error.downcast_ref() {
            Some(Worded::Origin(run)) => *run,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    assert_eq!(held.collect::<Vec<_>>(), [2, 2, 2]);
}

/// What is called an error and has not the trait says the same, and no cause is known of it.
#[tokio::test]
async fn so_is_what_only_says_something() {
    #[derive(Debug)]
    struct Said(String);
    impl fmt::Display for Said {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
    impl From<SharedError> for Said {
        fn from(error: SharedError) -> Self {
            assert!(error.source().is_none());
            Self(error.to_string())
        }
    }
    #[cached(key = "said", ttl = 3600, lock, skip(origin))]
    async fn said(origin: &Origin) -> Result<usize, Said> {
        origin.load().await.map_err(|error| Said(error.to_string()))
    }
    let (stage, origin) = (Stage::embedded(), Origin::default());
    let call = || {
        let origin = origin.clone();
        async move { said(&origin).await.map_err(|error| error.0) }
    };
    let leader = stage.start(1, call).remove(0);
    origin.gate.entered(1).await;
    let callers = stage.start(100, call);
    tokio::task::yield_now().await;
    leader.abort();
    origin.gate.open();
    assert_eq!(results(callers).await, vec![Err("run 2 failed".to_owned()); 100]);
    assert_eq!(origin.runs.get(), 2);
}

/// And so do the calls of a batch for the same ids.
#[tokio::test]
async fn batches_hold_the_error_of_one() {
    let (stage, origin) = (Stage::embedded(), Origin::default());
    let call = || {
        let origin = origin.clone();
        async move { batch(&origin, &[1, 2]).await }
    };
    let leader = stage.start(1, call).remove(0);
    origin.gate.entered(1).await;
    let callers = stage.start(100, call);
    tokio::task::yield_now().await;
    leader.abort();
    origin.gate.open();
    for result in results(callers).await {
        let Err(Worded::Shared(error)) = result else { panic!("{result:?}") };
        assert!(matches!(error.downcast_ref(), Some(Worded::Origin(2))), "{error:?}");
    }
    assert_eq!(origin.runs.get(), 2);
}

#[tokio::test]
async fn the_caller_for_whom_nobody_waited_has_the_error_as_it_is() {
    let (cache, origin) = (Cache::in_memory(), Origin::default());
    origin.gate.open();
    let error = cache.scope(worded(&origin)).await.unwrap_err();
    assert!(matches!(error, Worded::Origin(1)), "{error:?}");
}
