//! The same service four times: which functions its handlers call.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::database::DbPool;
use crate::sql::{joined, writes};
use crate::types::{Article, Comment, Draft, Page, Profile};
use crate::{global, rows, told};

/// What is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variant {
    /// Nothing.
    Plain,
    /// Whole answers, under tags that all of them share.
    Global,
    /// Whole answers, under tags that each tells itself.
    Told,
    /// Lists as ids, and rows by their ids.
    Rows,
}

/// All of them.
pub const VARIANTS: [Variant; 4] = [Variant::Plain, Variant::Global, Variant::Told, Variant::Rows];

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::Global => "global",
            Self::Told => "told",
            Self::Rows => "rows",
        })
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = VARIANTS.into_iter().find(|variant| variant.to_string() == name);
        found.ok_or_else(|| {
            format!("{name:?} is no variant; there are plain, global, told and rows")
        })
    }
}

/// Calls the same function of the variant's module.
macro_rules! call {
    ($variant:expr, $plain:ident::$function:ident($($argument:expr),*)) => {
        match $variant {
            Variant::Plain => $plain::$function($($argument),*).await,
            Variant::Global => global::$function($($argument),*).await,
            Variant::Told => told::$function($($argument),*).await,
            Variant::Rows => rows::$function($($argument),*).await,
        }
    };
}

/// The data of one variant.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) db: DbPool,
    pub(crate) variant: Variant,
}

impl Data {
    pub(crate) async fn list(
        &self,
        viewer: Option<i64>,
        tag: Option<&str>,
        page: i64,
    ) -> sqlx::Result<Page> {
        call!(self.variant, joined::list(&self.db, viewer, tag, page))
    }

    pub(crate) async fn feed(&self, viewer: i64) -> sqlx::Result<Vec<Article>> {
        call!(self.variant, joined::feed(&self.db, viewer))
    }

    pub(crate) async fn article(
        &self,
        viewer: Option<i64>,
        id: i64,
    ) -> sqlx::Result<Option<Article>> {
        call!(self.variant, joined::article(&self.db, viewer, id))
    }

    pub(crate) async fn comments(
        &self,
        viewer: Option<i64>,
        article: i64,
    ) -> sqlx::Result<Vec<Comment>> {
        call!(self.variant, joined::comments(&self.db, viewer, article))
    }

    pub(crate) async fn profile(
        &self,
        viewer: Option<i64>,
        id: i64,
    ) -> sqlx::Result<Option<Profile>> {
        call!(self.variant, joined::profile(&self.db, viewer, id))
    }

    pub(crate) async fn favourite(
        &self,
        viewer: i64,
        article: i64,
        on: bool,
    ) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::favourite(&self.db, viewer, article, on))
    }

    pub(crate) async fn follow(
        &self,
        viewer: i64,
        followed: i64,
        on: bool,
    ) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::follow(&self.db, viewer, followed, on))
    }

    pub(crate) async fn comment(
        &self,
        viewer: i64,
        article: i64,
        text: &str,
    ) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::comment(&self.db, viewer, article, text))
    }

    pub(crate) async fn edit_article(
        &self,
        viewer: i64,
        article: i64,
        body: &str,
    ) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::edit_article(&self.db, viewer, article, body))
    }

    pub(crate) async fn edit_profile(&self, viewer: i64, bio: &str) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::edit_profile(&self.db, viewer, bio))
    }

    pub(crate) async fn add_article(
        &self,
        viewer: i64,
        draft: &Draft,
    ) -> sqlx::Result<Option<i64>> {
        call!(self.variant, writes::add_article(&self.db, viewer, draft))
    }
}
