//! Everything that has versions, and where they are seen.

use blog::types::{Article, Profile};

/// What has versions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Changes of an article.
    Article,
    /// How many have an article among their favourites; nobody here removes one.
    Favourites,
    /// Changes of a user.
    User,
    /// The newest comment of an article.
    Comments,
    /// The newest article.
    Latest,
    /// The newest article with a tag.
    Tagged,
    /// The newest article of those whom a viewer follows who follows everybody.
    Feed,
    /// 1 if a viewer has the one article that he has looked at among his favourites.
    Favourited,
    /// 1 if a viewer follows the one user at whom he has looked.
    Following,
}

pub(crate) fn row(kind: Kind, id: i64) -> u64 {
    kind as u64 * 1_000_000 + id.cast_unsigned()
}

pub(crate) fn of_list(kind: Kind, id: u64, articles: &[Article]) -> Vec<(u64, i64)> {
    let newest = articles.first().map(|article| article.row.id).unwrap_or_default();
    let articles = articles.iter().flat_map(of_article);
    articles.chain([(row(kind, id.cast_signed()), newest)]).collect()
}

pub(crate) fn of_article(Article { row: article, author, .. }: &Article) -> Vec<(u64, i64)> {
    vec![
        (row(Kind::Article, article.id), article.version),
        (row(Kind::Favourites, article.id), article.favourites),
        of_profile(author),
    ]
}

pub(crate) fn of_profile(profile: &Profile) -> (u64, i64) {
    (row(Kind::User, profile.user.id), profile.user.version)
}
