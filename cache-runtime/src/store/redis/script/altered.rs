//! Scripts that a test has changed, for itself: on its own thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::store::redis::script::{SUBSTITUTE, Script};

thread_local! {
    static ALTERATION: RefCell<Option<Alteration>> = const { RefCell::new(None) };
}

/// A text that scripts have instead of another one.
struct Alteration {
    source: &'static str,
    altered: String,
    /// By the bodies of those that they stand for; none where `source` is no part of it.
    scripts: BTreeMap<&'static str, Option<&'static Script>>,
}

/// Ends the change.
#[derive(Debug)]
pub(crate) struct Altered(());

/// From now on scripts that contain `source` say `altered` there, as long as the returned value exists.
pub(crate) fn alter(source: &'static str, altered: String) -> Altered {
    // An error means that an earlier test has done it.
    _ = SUBSTITUTE.set(of);
    ALTERATION.set(Some(Alteration { source, altered, scripts: BTreeMap::new() }));
    Altered(())
}

impl Drop for Altered {
    fn drop(&mut self) {
        ALTERATION.set(None);
    }
}

/// What stands for a script.
fn of(script: &Script) -> Option<&'static Script> {
    ALTERATION.with_borrow_mut(|alteration| {
        let Alteration { source, altered, scripts } = alteration.as_mut()?;
        *scripts.entry(script.body).or_insert_with(|| {
            let body = script.body;
            let replaced = || body.replace(*source, altered).leak();
            body.contains(*source).then(|| &*Box::leak(Box::new(Script::new(replaced()))))
        })
    })
}
