//! Which cache a function uses if it names none.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use tokio::task::futures::TaskLocalFuture;

use crate::engine::core::Inner;
use crate::engine::environment::Switch;
use crate::engine::misuse::{self, Misuse};
use crate::engine::{Core, Settings};
use crate::policy::Callsite;

tokio::task_local! {
    static SCOPED: Core;
}

static INSTALLED: ArcSwapOption<Inner> = ArcSwapOption::const_empty();

/// Whether the program has said that the fallback is a mistake.
static REQUIRED: AtomicBool = AtomicBool::new(false);

/// The fallback while nothing is installed.
static EMBEDDED: LazyLock<Core> = LazyLock::new(|| Core::in_memory(Settings::default()));

/// Caches nothing: where caching is switched off, and where the fallback is not to be used.
static UNCACHED: LazyLock<Core> = LazyLock::new(Core::disabled);

/// Makes this the cache of every call that has none of its own.
pub(crate) fn install(cache: &Core) {
    INSTALLED.store(Some(cache.clone().into_inner()));
}

/// From now on the fallback is a mistake.
pub(crate) fn require_installed() {
    REQUIRED.store(true, Ordering::Relaxed);
}

/// The cache of a call of `function`: the task's, else the installed one, else the fallback; none
/// at all where the environment switches caching off.
///
/// # Panics
///
/// Where the environment asks for that, or its switch is malformed.
pub(crate) fn current(function: &'static Callsite) -> Core {
    match Switch::get() {
        Switch::Off => UNCACHED.clone(),
        _ => in_place(function),
    }
}

/// The same, also where caching is switched off: for queues, since what is pushed has to get to the
/// database, and for scopes that are passed on.
pub(crate) fn in_place(function: &'static Callsite) -> Core {
    if let Switch::Malformed(message) = Switch::get() {
        refuse(message);
    }
    given().unwrap_or_else(|| fallback(function))
}

/// The task's cache, else the installed one.
pub(crate) fn given() -> Option<Core> {
    if let Ok(scoped) = SCOPED.try_with(Core::clone) {
        return Some(scoped);
    }
    INSTALLED.load_full().map(Core::from)
}

/// The cache of a call that finds none. The log names the function.
#[cold]
fn fallback(function: &'static Callsite) -> Core {
    let required = REQUIRED.load(Ordering::Relaxed);
    let (cache, instead) = match Switch::get() {
        Switch::Require => refuse(&format!(
            "`{}`: {NONE}, and `CACHE_RUNTIME` is `require`: {MEND}",
            function.name()
        )),
        Switch::Fallback(cache) if !required => return cache.clone(),
        _ if required => (&*UNCACHED, "it is not cached"),
        _ => (&*EMBEDDED, "it uses the memory of this process, which all of its tests share"),
    };
    let description = format_args!("{NONE}, so {instead}: {MEND}");
    misuse::report(cache, function, Misuse::NoCache, description);
    cache.clone()
}

const NONE: &str = "no cache is installed, and the task of this call has none";
const MEND: &str = "call `Cache::install` at start-up, or run the call in `Cache::scope` (a task \
     is not in the scope of the one that spawned it; `CacheLayer` puts the requests of a server \
     into one)";

#[expect(clippy::panic, reason = "asked for by an environment variable that is for tests")]
fn refuse(message: &str) -> ! {
    panic!("{message}")
}

pub(crate) fn scope<F: Future>(cache: Core, future: F) -> TaskLocalFuture<Core, F> {
    SCOPED.scope(cache, future)
}

/// Runs something that is no future, in a scope.
#[cfg(feature = "tower")]
pub(crate) fn scope_sync<R>(cache: Core, call: impl FnOnce() -> R) -> R {
    SCOPED.sync_scope(cache, call)
}
