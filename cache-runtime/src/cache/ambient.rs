//! The cache that a function uses if it names none.

use std::sync::LazyLock;

use arc_swap::ArcSwapOption;

use super::{Cache, Inner};
use crate::log;

tokio::task_local! {
    static SCOPED: Cache;
}

static INSTALLED: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// The fallback while nothing is installed.
static EMBEDDED: LazyLock<Cache> = LazyLock::new(|| {
    log::warn(format_args!(
        "no cache is installed: cached functions use this process's memory; call `Cache::install` at start-up"
    ));
    Cache::in_memory()
});

/// The task's cache, else the installed one, else the embedded one.
pub(crate) fn current() -> Cache {
    if let Ok(scoped) = SCOPED.try_with(Cache::clone) {
        return scoped;
    }
    match INSTALLED.load_full() {
        Some(inner) => Cache { inner },
        None => EMBEDDED.clone(),
    }
}

pub(super) fn install(cache: &Cache) {
    INSTALLED.store(Some(cache.inner.clone()));
}

pub(super) fn scope<F: Future>(cache: Cache, future: F) -> impl Future<Output = F::Output> {
    SCOPED.scope(cache, future)
}
