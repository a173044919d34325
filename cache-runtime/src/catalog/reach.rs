//! Which functions a name, a key, a tag or a pattern reaches.

use std::borrow::Cow;

use crate::catalog::site::Target;
use crate::catalog::{CachedFunction, CachedSite};
use crate::policy::place::Place;
use crate::policy::shape::{Shape, Sketch};

/// The cached functions of a program, with what their templates can make.
pub(super) struct Reach<'a> {
    sites: Vec<&'a CachedSite>,
    made: Vec<Made<'a>>,
    /// Functions whose key is made where no attribute is seen, and which may have any.
    keys_by_hand: bool,
}

/// What a function's templates can make.
struct Made<'a> {
    site: &'a CachedSite,
    key: Option<Shape>,
    tags: Vec<Shape>,
}

/// Whose entries a function uses.
pub(super) enum Owner<'a> {
    /// Its own.
    Itself,
    /// Those of one other function.
    Of(&'a CachedSite),
    /// Those of a key that no attribute makes, or of one of several functions.
    Unknown,
}

impl<'a> Reach<'a> {
    pub(super) fn new(functions: &'a [CachedFunction]) -> Self {
        Self::of(functions.iter().map(|function| function.site).collect())
    }

    pub(super) fn of(sites: Vec<&'a CachedSite>) -> Self {
        let made = sites.iter().map(|site| {
            let place = site.place();
            let read = |shape: &&str| Shape::of_key(shape, place.as_ref());
            let (key, tags) = (site.shape.as_ref().map(read), site.tags.iter().map(read).collect());
            Made { site, key, tags }
        });
        let mut reach = Self { made: made.collect(), sites, keys_by_hand: false };
        let mut owners = reach.sites.iter().map(|site| reach.owner(site));
        reach.keys_by_hand = owners.any(|owner| matches!(owner, Owner::Unknown));
        reach
    }

    /// Whose entries the function at `site` uses.
    pub(super) fn owner(&self, site: &CachedSite) -> Owner<'a> {
        if site.shape.is_some() {
            return Owner::Itself;
        }
        let named = site.shares.map(|name| self.having(name, site.function)).unwrap_or_default();
        match named.as_slice() {
            [owner] if owner.shape.is_some() => Owner::Of(owner),
            _ => Owner::Unknown,
        }
    }

    /// Whose entries hold the values of the alias at `site`, as far as its attribute shows it.
    pub(super) fn entity(&self, site: &CachedSite) -> Option<&'a CachedSite> {
        match self.having(site.leads_to?, site.function).as_slice() {
            [entity] => Some(entity),
            _ => None,
        }
    }

    /// The functions that a target may mean, written in the function `write` at `place`.
    pub(super) fn by(
        &self,
        target: &Target,
        write: &str,
        place: Option<&Place>,
    ) -> Vec<&'a CachedSite> {
        let own = |reaches: &dyn Fn(&Made<'a>) -> bool| {
            self.made.iter().filter(|made| reaches(made)).map(|made| made.site).collect()
        };
        let key = |may: &dyn Fn(Sketch<'a>) -> bool, shape: &Shape| {
            own(&|made| {
                made.site.sketch().is_some_and(may)
                    && made.key.as_ref().is_some_and(|key| key.meets(shape))
            })
        };
        match *target {
            Target::Function(name) => {
                let named = self.named(name, write);
                if named.is_empty() { self.having(name, write) } else { named }
            }
            Target::Companion(name) => self.having(name, write),
            Target::Key(_, shape) => {
                let sketch = Sketch { shape, function: write };
                key(&|own| own.may_meet(sketch), &Shape::of_key(shape, place))
            }
            Target::Pattern(_, shape) => {
                key(&|own| own.may_match(shape), &Shape::of_pattern(shape, place))
            }
            Target::Tag(_, shape) => {
                let tag = Shape::of_key(shape, place);
                own(&|made| made.tags.iter().any(|own| own.meets(&tag)))
            }
            Target::Unknown(_) => Vec::new(),
        }
    }

    /// The functions whose template can make this key.
    pub(super) fn making(&self, key: &str) -> Vec<&'a CachedSite> {
        let key = Shape::of_text(key);
        let made = self.made.iter();
        let fit = made.filter(|made| made.key.as_ref().is_some_and(|shape| shape.meets(&key)));
        fit.map(|made| made.site).collect()
    }

    /// Whether a function's key is made where no attribute is seen, so that it may have any text
    /// and any tags.
    pub(super) fn has_keys_by_hand(&self) -> bool {
        self.keys_by_hand
    }

    /// Whether a function may have any tags: its key is made by hand, or its values tell tags that
    /// its attribute does not show.
    pub(super) fn has_unseen_tags(&self) -> bool {
        self.keys_by_hand || self.sites.iter().any(|site| site.has_unseen_tags)
    }

    /// The functions that `name` may mean, written in the function `place`.
    fn named(&self, name: &str, place: &str) -> Vec<&'a CachedSite> {
        self.of_path(|site| site.function.into(), name, place)
    }

    /// Those whose companion `name` may mean.
    fn having(&self, name: &str, place: &str) -> Vec<&'a CachedSite> {
        self.of_path(|site| site.companion_path().into(), name, place)
    }

    /// The functions that a name may mean, by a path of each: those of this path if there are such,
    /// else those in the same module, else those of this last name.
    fn of_path(
        &self,
        path_of: impl Fn(&'a CachedSite) -> Cow<'a, str>,
        name: &str,
        place: &str,
    ) -> Vec<&'a CachedSite> {
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
        let of = |fits: &&dyn Fn(&str) -> bool| {
            let sites = self.sites.iter().copied().filter(|site| fits(&path_of(site)));
            sites.collect::<Vec<_>>()
        };
        fits.iter().map(of).find(|sites| !sites.is_empty()).unwrap_or_default()
    }
}

/// Whether a path ends with these segments.
pub(super) fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A closure that calls another function to make tags may make any.
    #[test]
    fn tags_that_no_attribute_shows_may_be_any() {
        let site =
            |name| CachedSite::new(name, name, "u8", "").shape("a", crate::private::here!("read"));
        let (seen, unseen) = (site("seen").tags(&["org"]), site("unseen").unseen_tags());
        assert!(!Reach::of(vec![&seen]).has_unseen_tags());
        let reach = Reach::of(vec![&seen, &unseen]);
        assert!(reach.has_unseen_tags() && !reach.has_keys_by_hand());
    }
}
