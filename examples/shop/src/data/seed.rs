//! The tables, and what stands in them at first: the same in every run.

use sqlx::sqlite::SqlitePool;

/// What products are sorted into.
pub const CATEGORIES: [&str; 8] =
    ["bags", "books", "chairs", "cups", "lamps", "pens", "plants", "tables"];

/// How many rows there are at first.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Products, numbered from 1; a category has as many as any other.
    pub products: i64,
    /// Users, numbered from 1.
    pub users: i64,
    /// Pieces that were sold before.
    pub sales: i64,
}

const TABLES: &str = "
    CREATE TABLE product (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, cents INTEGER NOT NULL,
        stock INTEGER NOT NULL
    );
    CREATE INDEX product_by_category ON product (category, id);
    CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE);
    CREATE TABLE cart (
        user INTEGER, product INTEGER, pieces INTEGER NOT NULL, PRIMARY KEY (user, product)
    );
    CREATE TABLE sale (
        id INTEGER PRIMARY KEY, user INTEGER NOT NULL, product INTEGER NOT NULL,
        pieces INTEGER NOT NULL, cents INTEGER NOT NULL
    );
    CREATE TABLE product_views (product INTEGER PRIMARY KEY, views INTEGER NOT NULL);
    CREATE TABLE progress (partition INTEGER PRIMARY KEY, position TEXT);
    INSERT INTO progress (partition) VALUES (0), (1), (2), (3);
";

/// `{products}`, `{users}` and `{sales}` are replaced by their numbers.
const ROWS: &str = "
    CREATE TEMP TABLE category (i INTEGER PRIMARY KEY, plural TEXT, name TEXT);
    INSERT INTO category VALUES
        (0, 'bags', 'bag'), (1, 'books', 'book'), (2, 'chairs', 'chair'), (3, 'cups', 'cup'),
        (4, 'lamps', 'lamp'), (5, 'pens', 'pen'), (6, 'plants', 'plant'), (7, 'tables', 'table');
    CREATE TEMP TABLE look (i INTEGER PRIMARY KEY, word TEXT);
    INSERT INTO look VALUES
        (0, 'Red'), (1, 'Blue'), (2, 'Green'), (3, 'Oak'), (4, 'Brass'), (5, 'Round'),
        (6, 'Tall'), (7, 'Small'), (8, 'Quiet'), (9, 'Bright'), (10, 'Old');
    CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
    WITH RECURSIVE count(i) AS (
        SELECT 1 UNION ALL SELECT i + 1 FROM count WHERE i < max({products}, {users}, {sales})
    )
        INSERT INTO n SELECT i FROM count;
    INSERT INTO product
        SELECT n.i, look.word || ' ' || category.name || ' ' || n.i, category.plural,
            500 + n.i * 7919 % 9500, 1000000
        FROM n JOIN category ON category.i = n.i % 8 JOIN look ON look.i = n.i % 11
        WHERE n.i <= {products};
    INSERT INTO user
        SELECT i, 'User ' || i, 'user' || i || '@example.com' FROM n WHERE i <= {users};
    INSERT INTO sale (user, product, pieces, cents)
        SELECT 1 + i * 31 % {users}, product.id, 1 + i % 3, product.cents
        FROM n JOIN product ON product.id = 1 + i * 17 % {products} WHERE i <= {sales};
    DROP TABLE n; DROP TABLE look; DROP TABLE category;
";

/// Makes the tables and their first rows, unless they are there.
pub(crate) async fn fill(pool: &SqlitePool, size: Size) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'product'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut *connection).await?;
    if tables > 0 {
        return Ok(());
    }
    let rows = ROWS
        .replace("{products}", &size.products.to_string())
        .replace("{users}", &size.users.to_string())
        .replace("{sales}", &size.sales.to_string());
    let statements = format!("BEGIN; {TABLES} {rows} COMMIT; ANALYZE;");
    sqlx::raw_sql(&statements).execute(&mut *connection).await.map(drop)
}
