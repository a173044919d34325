//! The catalogue of all annotated functions of the program, and the check of their keys.

mod check;
mod reach;
pub(crate) mod site;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub use self::check::Problem;
use self::reach::{Owner, Reach, ends_with};
use self::site::{CachedSite, WriteSite};

/// Returns every annotated function of the program, including those of the crates it depends on, in
/// the order of their names.
///
/// The catalogue can be printed or serialized. It costs one static per function. Needs the feature
/// `catalog`.
///
/// ```standalone_crate
/// # use cache_runtime::{cached, catalog, invalidates};
/// #[cached(key = "user:<id>", ttl = "1h")]
/// async fn get_user(id: i64) -> Option<String> {
/// #   _ = id; None
///     // ..
/// }
///
/// #[invalidates(get_user(id))]
/// async fn rename_user(id: i64, name: &str) {
/// #   _ = (id, name);
///     // ..
/// }
///
/// # fn main() {
/// let catalog = catalog();
/// let user = catalog.function("get_user").unwrap();
/// assert_eq!(user.key, "user:<id>");
/// assert_eq!(user.value, "Option<String>");
/// assert!(user.invalidated_by[0].ends_with("::rename_user"));
/// # }
/// ```
#[must_use]
pub fn catalog() -> Catalog {
    let sites: Vec<_> = inventory::iter::<CachedSite>.into_iter().collect();
    let mut writes: Vec<_> = inventory::iter::<WriteSite>.into_iter().collect();
    writes.sort_by_key(|write| write.function);
    let reach = Reach::of(sites.clone());
    let reached = writes.iter().map(|&write| {
        let place = write.place();
        let targets = write.targets.iter();
        let sites = targets.flat_map(|target| reach.by(target, write.function, place.as_ref()));
        (write, sites.collect())
    });
    let reached: Vec<_> = reached.collect();
    let mut functions: Vec<_> =
        sites.into_iter().map(|site| CachedFunction::new(site, &reach, &reached)).collect();
    functions.sort_by_key(|function| (function.function, function.key));
    let writes = writes.into_iter().map(WriteFunction::new).collect();
    Catalog { functions, writes }
}

/// Panics if the keys, tags and queues of the program do not go together. Call it in one of your
/// tests. Needs the feature `catalog`.
///
/// | problem | why |
/// |---|---|
/// | two functions can make the same key, each by a template of its own | one would be served what the other has stored, whether or not the types are the same |
/// | a function shares entries with another `codec`, `version` or tags | neither finds what the other has stored |
/// | a write invalidates a key or a tag by a template that no cached function has | it has no effect |
/// | a write or a read names no cache, and all functions whose entries it can mean name one | it uses another cache |
/// | two sinks have the same queue | each gets only some of the items |
///
/// ```standalone_crate
/// # use cache_runtime::{cached, invalidates};
/// # #[cached(key = "user:<id>", ttl = "1h")] async fn get_user(id: i64) -> u64 { id as u64 }
/// # #[invalidates(key = "user:<id>")] async fn rename_user(id: i64) { _ = id }
/// # /*
/// #[test]
/// # */
/// fn keys_go_together() {
///     cache_runtime::catalog::assert_catalog_consistent();
/// }
/// # keys_go_together();
/// ```
///
/// Sharing an entry on purpose is spelled `key = get_user_key(&id)`, and is no problem.
///
/// Whether two keys can be equal is decided from their templates. Numbers, `bool`s, `Uuid`s, hashes
/// and the names of types are recognized, `<Self>` is known, and everything else may be any text.
/// Functions that name different caches, by the text of the expression, are not compared.
/// Namespaces make no difference, since a cache has only one. A file that is compiled twice, for a
/// library and for a binary, makes the same functions.
///
/// A key made by hand, with [`Key::builder`](crate::Key::builder), is not known to the catalogue.
/// If a function has such a key, keys and tags that no other function has are not reported.
///
/// With or without the feature, the first two of these problems are also reported when the second
/// function is first called in a cache, and the last one when the second sink's queue is used: see
/// [`CacheBuilder::panic_on_misuse`](crate::CacheBuilder::panic_on_misuse).
///
/// A function that nothing invalidates is not a mistake as such, because its ttl may be enough:
/// [`Catalog::never_invalidated`] lists these functions.
///
/// # Panics
///
/// If there are any [`Catalog::problems`], with all of them in the message.
#[track_caller]
#[expect(clippy::panic, reason = "what an assertion is for")]
pub fn assert_catalog_consistent() {
    let problems = catalog().problems();
    if !problems.is_empty() {
        let list: Vec<_> = problems.iter().map(|problem| format!("- {problem}")).collect();
        panic!("the keys of this program do not go together:\n{}", list.join("\n"));
    }
}

/// The functions whose template can make a key, in the order of their names.
pub(crate) fn functions_making(key: &str) -> Vec<&'static str> {
    let reach = Reach::of(inventory::iter::<CachedSite>.into_iter().collect());
    let mut names: Vec<_> = reach.making(key).into_iter().map(|site| site.function).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The annotated functions of a program; returned by [`catalog`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Catalog {
    /// The cached functions.
    pub functions: Vec<CachedFunction>,
    /// The functions that invalidate entries or store values.
    pub writes: Vec<WriteFunction>,
}

/// A function with `#[cached]`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CachedFunction {
    /// Module path and name.
    pub function: &'static str,
    /// The template of its key, or the expression that makes it.
    pub key: &'static str,
    /// How long a value is served; `None` if an expression decides.
    pub ttl: Option<Duration>,
    /// The options of the attribute, as written.
    pub options: &'static str,
    /// The stored type, without module paths. For methods it is the type as written, so an alias
    /// stays an alias.
    pub value: String,
    /// The writes that name this function, or a key, tag or pattern that it can match, and of an
    /// alias those that do so with its entity, as far as its `entry` is a call of a companion.
    /// Functions are matched by name, so if several in different places have the same name, all of
    /// them may be meant.
    pub invalidated_by: Vec<&'static str>,
    #[serde(skip)]
    site: &'static CachedSite,
}

/// A function that invalidates entries or stores values.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct WriteFunction {
    /// Module path and name.
    pub function: &'static str,
    /// Which attribute it has: `invalidates`, `write_through` or `write_behind`.
    pub attribute: &'static str,
    /// What the attribute says, as it is written.
    pub options: &'static str,
    #[serde(skip)]
    site: &'static WriteSite,
}

impl Catalog {
    /// Finds a cached function by the end of its path.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&CachedFunction> {
        self.functions.iter().find(|function| ends_with(function.function, name))
    }

    /// The cached functions that no write names, whose values only expire.
    pub fn never_invalidated(&self) -> impl Iterator<Item = &CachedFunction> {
        self.functions.iter().filter(|function| function.invalidated_by.is_empty())
    }
}

impl CachedFunction {
    fn new(
        site: &'static CachedSite,
        reach: &Reach<'static>,
        writes: &[(&WriteSite, Vec<&'static CachedSite>)],
    ) -> Self {
        let CachedSite { function, key, options, value, type_name, .. } = *site;
        let owner = match reach.owner(site) {
            Owner::Of(owner) => owner,
            Owner::Itself | Owner::Unknown => site,
        };
        let entity = reach.entity(owner);
        let by = |(_, reached): &&(&WriteSite, Vec<&'static CachedSite>)| {
            let is_own = |it: &CachedSite| {
                std::ptr::eq(it, site)
                    || std::ptr::eq(it, owner)
                    || entity.is_some_and(|entity| std::ptr::eq(it, entity))
            };
            reached.iter().any(|it| is_own(it))
        };
        Self {
            function,
            key,
            ttl: site.ttl_ms.map(Duration::from_millis),
            options,
            value: type_name.map_or_else(|| value.to_owned(), |name| check::unqualified(name())),
            invalidated_by: writes.iter().filter(by).map(|(write, _)| write.function).collect(),
            site,
        }
    }
}

impl WriteFunction {
    fn new(site: &'static WriteSite) -> Self {
        let WriteSite { function, attribute, options, .. } = *site;
        Self { function, attribute, options, site }
    }
}

impl fmt::Display for Catalog {
    /// A line for each function.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for CachedFunction { function, key, value, options, invalidated_by, .. } in &self.functions
        {
            writeln!(f, "{function}: {value} at {key}")?;
            writeln!(f, "    cached({options})")?;
            match invalidated_by.as_slice() {
                [] => writeln!(f, "    nothing invalidates it")?,
                writes => writeln!(f, "    invalidated by {}", writes.join(", "))?,
            }
        }
        for WriteFunction { function, attribute, options, .. } in &self.writes {
            writeln!(f, "{function}\n    {attribute}({options})")?;
        }
        Ok(())
    }
}
