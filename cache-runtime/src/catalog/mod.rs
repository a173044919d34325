//! The catalogue of all annotated functions of the program, and the check of their keys.

mod check;
mod shape;
mod site;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub use self::check::Problem;
use self::shape::Shape;
pub use self::site::{CachedSite, Target, WriteSite};

/// Returns every annotated function of the program, including those of the crates it depends on, in the order of
/// their names.
///
/// The catalogue can be printed or serialized. It costs one static per function. Needs the feature `catalog`.
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
    let mut functions: Vec<_> =
        sites.iter().map(|site| CachedFunction::new(site, &sites, &writes)).collect();
    functions.sort_by_key(|function| (function.function, function.key));
    let writes = writes.into_iter().map(WriteFunction::new).collect();
    Catalog { functions, writes }
}

/// Panics if two functions that store values of different types can make the same key, so that one would read what
/// the other stored, or if a write invalidates a key by a template that no cached function has, so that it has no
/// effect. Call it in one of your tests. Needs the feature `catalog`.
///
/// ```standalone_crate
/// # use cache_runtime::{cached, invalidates};
/// # #[cached(key = "user:<id>", ttl = "1h")] async fn get_user(id: i64) -> u64 { id as u64 }
/// # #[invalidates(key = "user:<id>")] async fn rename_user(id: i64) { _ = id }
/// # /*
/// #[test]
/// # */
/// fn keys_go_together() {
///     cache_runtime::assert_catalog_consistent();
/// }
/// # keys_go_together();
/// ```
///
/// Whether two keys can be equal is decided from their templates, in which numbers, `bool`s and `Uuid`s are
/// recognized and everything else may be any text. The value type of a method is compared by its name, because it may
/// depend on the generics of its `impl` block. Functions that name different caches are not compared.
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
    /// The stored type, without module paths. For methods it is the type as written, so an alias stays an alias.
    pub value: String,
    /// The writes that name this function, or a key, tag or pattern that it can match. Functions are matched by name,
    /// so if several in different places have the same name, all of them may be meant.
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
        sites: &[&'static CachedSite],
        writes: &[&'static WriteSite],
    ) -> Self {
        let CachedSite { function, key, options, value, type_name, .. } = *site;
        let by = |write: &&&WriteSite| {
            write.targets.iter().any(|target| target.reaches(write.function, site, sites))
        };
        Self {
            function,
            key,
            ttl: site.ttl_ms.map(Duration::from_millis),
            options,
            value: type_name.map_or_else(|| value.to_owned(), |name| check::unqualified(name())),
            invalidated_by: writes.iter().filter(by).map(|write| write.function).collect(),
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

impl Target {
    /// Whether a write with this target may mean the entries of a function.
    fn reaches(&self, write: &str, site: &CachedSite, sites: &[&CachedSite]) -> bool {
        match *self {
            Self::Function(name) => {
                means(name, write, site, sites)
                    || site.shares.is_some_and(|owner| {
                        let owners =
                            sites.iter().filter(|it| means(owner, site.function, it, sites));
                        owners.into_iter().any(|it| means(name, write, it, sites))
                    })
            }
            Self::Key(_, shape) => site.meets(&Shape::of_key(shape)),
            Self::Tag(_, shape) => {
                let tag = Shape::of_key(shape);
                site.tags.iter().any(|own| Shape::of_key(own).meets(&tag))
            }
            Self::Pattern(_, shape) => site.meets(&Shape::of_pattern(shape)),
            Self::Unknown(_) => false,
        }
    }
}

impl CachedSite {
    /// Whether it can make a key of this shape.
    fn meets(&self, shape: &Shape) -> bool {
        self.shape.is_some_and(|own| Shape::of_key(own).meets(shape))
    }
}

/// Whether `name`, written in the function `place`, may mean the function at `site`: by its path if there is such a one, else
/// in the same module if there is such a one, else by its last name.
fn means(name: &str, place: &str, site: &CachedSite, sites: &[&CachedSite]) -> bool {
    let path: Vec<_> = name
        .split("::")
        .filter(|part| !matches!(*part, "crate" | "self" | "super" | "Self"))
        .collect();
    let (path, module) =
        (path.join("::"), place.rsplit_once("::").map_or("", |(module, _)| module));
    let last = path.rsplit("::").next().unwrap_or_default();
    let beside = [module, &path].join("::");
    let fits: [&dyn Fn(&str) -> bool; 3] =
        [&|function| function == beside, &|function| ends_with(function, &path), &|function| {
            ends_with(function, last)
        }];
    let best = fits.iter().find(|fits| sites.iter().any(|site| fits(site.function)));
    best.is_some_and(|fits| fits(site.function))
}

/// Whether a path ends with these segments.
fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
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
