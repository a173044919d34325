//! What the service answers with.

use serde::{Deserialize, Serialize};

/// A user, the same for everybody who looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// By which everything names the user.
    pub id: i64,
    /// The name that is shown.
    pub name: String,
    /// What the user says about writing.
    pub bio: String,
    /// Counts the changes of this row.
    pub version: i64,
}

/// A user as a viewer sees one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The user.
    pub user: User,
    /// Whether the viewer follows the user.
    pub following: bool,
}

/// An article, the same for everybody who looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// By which everything names the article.
    pub id: i64,
    /// Who has written it.
    pub author: i64,
    /// The headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// In alphabetical order.
    pub tags: Vec<String>,
    /// How many users have it among their favourites.
    pub favourites: i64,
    /// Counts the changes of headline and text.
    pub version: i64,
}

/// An article as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// The article.
    pub row: Row,
    /// Whether it is one of the viewer's favourites.
    pub favourited: bool,
    /// Who has written it.
    pub author: Profile,
}

/// A page of a list of articles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The newest first.
    pub articles: Vec<Article>,
    /// How many the whole list has.
    pub total: i64,
}

/// A comment as a viewer sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// Grows with time.
    pub id: i64,
    /// The text.
    pub text: String,
    /// Who has written it.
    pub author: Profile,
}

/// An article that is to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// The headline.
    pub title: String,
    /// The text.
    pub body: String,
    /// In any order.
    pub tags: Vec<String>,
}

/// What the service has counted since its start.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Statements that the database was sent.
    pub statements: u64,
    /// Look-ups that found a value.
    pub hits: u64,
    /// Look-ups that found none.
    pub misses: u64,
    /// Invalidations that are still to be acknowledged; not a count but what there is now.
    pub undelivered: usize,
}
