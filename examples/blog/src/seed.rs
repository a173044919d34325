//! The tables, and what stands in them at first: the same in every run.

use sqlx::sqlite::SqlitePool;

/// How many rows there are at first.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Users, numbered from 1.
    pub users: i64,
    /// Articles, numbered from 1.
    pub articles: i64,
    /// Tags, `t0`, `t1` and so on; an article has up to three of them.
    pub tags: i64,
}

impl Size {
    /// Who has written an article that was there at first.
    #[must_use]
    pub fn author_of(self, article: i64) -> i64 {
        1 + article * 7919 % self.authors()
    }

    /// Most users only read.
    fn authors(self) -> i64 {
        (self.users / 5).max(1)
    }
}

const TABLES: &str = "
    CREATE TABLE user (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, bio TEXT NOT NULL, version INTEGER NOT NULL
    );
    CREATE TABLE follow (
        follower INTEGER, followed INTEGER, PRIMARY KEY (follower, followed)
    ) WITHOUT ROWID;
    CREATE TABLE article (
        id INTEGER PRIMARY KEY, author INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
        favourites INTEGER NOT NULL, version INTEGER NOT NULL
    );
    CREATE INDEX article_by_author ON article (author, id);
    CREATE TABLE article_tag (
        tag TEXT, article INTEGER, PRIMARY KEY (tag, article)
    ) WITHOUT ROWID;
    CREATE INDEX tag_of_article ON article_tag (article, tag);
    CREATE TABLE favourite (
        user INTEGER, article INTEGER, PRIMARY KEY (user, article)
    ) WITHOUT ROWID;
    CREATE TABLE comment (
        id INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL, author INTEGER NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX comment_of_article ON comment (article, id);
";

/// `{users}`, `{authors}`, `{articles}` and `{tags}` are replaced by their numbers.
const ROWS: &str = "
    CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
    WITH RECURSIVE count(i) AS (
        SELECT 1 UNION ALL SELECT i + 1 FROM count WHERE i < max({users}, {articles}, 10)
    )
        INSERT INTO n SELECT i FROM count;
    INSERT INTO user
        SELECT i, 'user ' || i, 'Writes about ' || i || ', and about little else.', 0
        FROM n WHERE i <= {users};
    INSERT OR IGNORE INTO follow
        SELECT u.i, 1 + (u.i * 13 + k.i * k.i * 31) % {authors}
        FROM n u JOIN n k ON k.i <= 10 WHERE u.i <= {users};
    INSERT INTO article
        SELECT
            i, 1 + i * 7919 % {authors}, 'Article ' || i,
            replace(hex(zeroblob(10)), '0', 'What there is to say about ' || i || '. '), 0, 0
        FROM n WHERE i <= {articles};
    INSERT OR IGNORE INTO article_tag
        SELECT 't' || ((a.i * k.i * k.i) % {tags}), a.i
        FROM n a JOIN n k ON k.i <= 3 WHERE a.i <= {articles};
    INSERT OR IGNORE INTO favourite
        SELECT 1 + (a.i * 17 + k.i * 101) % {users}, a.i
        FROM n a JOIN n k ON k.i <= a.i % 8 WHERE a.i <= {articles};
    UPDATE article SET favourites = counted.number
        FROM (SELECT article, count(*) AS number FROM favourite GROUP BY article) AS counted
        WHERE counted.article = article.id;
    INSERT INTO comment (article, author, text)
        SELECT a.i, 1 + (a.i * 23 + k.i * 7) % {users}, 'To say no ' || k.i || ' thing more.'
        FROM n a JOIN n k ON k.i <= a.i % 10 WHERE a.i <= {articles};
    DROP TABLE n;
";

/// Makes the tables and their first rows, unless they are there.
pub(crate) async fn fill(pool: &SqlitePool, size: Size) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'user'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut *connection).await?;
    if tables > 0 {
        return Ok(());
    }
    let rows = ROWS
        .replace("{users}", &size.users.to_string())
        .replace("{authors}", &size.authors().to_string())
        .replace("{articles}", &size.articles.to_string())
        .replace("{tags}", &size.tags.to_string());
    let statements = format!("BEGIN; {TABLES} {rows} COMMIT; ANALYZE;");
    sqlx::raw_sql(&statements).execute(&mut *connection).await.map(drop)
}
