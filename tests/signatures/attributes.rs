//! Other attributes, visibility, and what can stand in a body.

use std::pin::Pin;

use cache_runtime::{Cache, cached, invalidates};

use crate::once::{Failed, Pool, Row, once, once_ok, row};

/// Documented, instrumented from the inside.
#[cached(key = "inside:<id>", ttl = 3600, lock)]
#[tracing::instrument(skip(db))]
async fn inside(db: &Pool, id: i64) -> Result<Row, Failed> {
    let _ = db;
    let offset: i64 = "5".parse()?;
    Ok(row(id + offset))
}

/// Instrumented from the outside.
#[tracing::instrument(skip(db))]
#[cached(key = "outside:<id>", ttl = 3600)]
#[must_use = "it does nothing else"]
#[inline]
async fn outside(db: &Pool, id: i64) -> Row {
    let _ = db;
    row(id)
}

#[cfg(any())]
#[cached(key = "never:<id>", ttl = 3600)]
async fn conditional(id: NoSuchType) -> Row {
    row(id)
}

#[cached(key = "never:<id>", ttl = 3600)]
#[cfg(any())]
async fn conditional(id: NoSuchType) -> Row {
    row(id)
}

#[cfg(test)]
#[cached(key = "always:<id>", ttl = 3600)]
async fn conditional(id: i64) -> Row {
    row(id)
}

mod inner {
    use super::{Row, cached, row};

    #[cached(key = "visible:<id>", ttl = 3600)]
    pub(in crate::attributes) async fn visible(id: i64) -> Row {
        row(id)
    }
}

#[cached(key = "hoisted:<id>", ttl = 3600)]
async fn inner_attribute(id: i64) -> Row {
    #![expect(unused_variables, reason = "that inner attributes work")]
    let unused = 3;
    row(id)
}

#[cached(key = "factorial:<n>", ttl = 3600)]
async fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * Box::pin(factorial(n - 1)).await }
}

#[cached(key = "early:<id>", ttl = 3600)]
async fn early(id: i64) -> Result<Option<Row>, Failed> {
    for candidate in 0.. {
        if candidate == id {
            return Ok(Some(row(candidate)));
        }
    }
    Ok(None)
}

#[cached(key = "coerced:<id>", ttl = 3600)]
async fn coerced(id: i64) -> Result<Row, Box<dyn std::error::Error + Send + Sync>> {
    if id < 0 {
        Err("negative")?;
    }
    if id > 100 {
        return Err(Box::new(std::io::Error::other("large")));
    }
    Ok(row(id))
}

macro_rules! made {
    ($name:ident, $id:ident, $type:ty) => {
        #[cached(key = "made:<id>", ttl = 3600)]
        async fn $name($id: $type) -> Row {
            row($id)
        }
    };
}
made!(made, id, i64);

// What a macro is given as an expression or a literal is what it would be if it stood there.
macro_rules! made_of_pieces {
    ($name:ident, $key:literal, $ttl:expr, $tag:literal, $unless:expr, $value:expr, $write:ident($id:ident) = $target:expr) => {
        #[cached(key = $key, ttl = $ttl, tags = [$tag], unless = $unless)]
        async fn $name(id: i64) -> Row {
            $value(id)
        }

        #[invalidates($target, hold_off = $ttl)]
        async fn $write($id: i64) {
            let _ = $id;
        }
    };
}
made_of_pieces!(
    pieces,
    "pieces:<id>",
    "1h",
    "rows",
    |row| row.id < 0,
    row,
    drop_pieces(id) = pieces(id)
);

/// `Self` of an item inside of a body is not one around it.
#[cached(ttl = 3600)]
async fn with_items(id: i64) -> Row {
    struct Offset(i64);
    impl Offset {
        fn new() -> Self {
            Self(1)
        }
    }
    row(id + Offset::new().0)
}

#[tokio::test]
async fn other_attributes_stay() {
    assert_eq!(once_ok!("inside:1", inside(&Pool, 1)).id, 6);
    once!("outside:1", outside(&Pool, 1));
    once!("always:1", conditional(1));
    once!("visible:1", inner::visible(1));
    assert_eq!(inner::visible_key(&1).as_str(), "visible:1");
    once!("hoisted:1", inner_attribute(1));
    once!("made:1", made(1));
    assert_eq!(once!("signatures::attributes::with_items:1", with_items(1)).id, 2);
}

#[tokio::test]
async fn pieces_of_a_macro_are_what_they_would_be_in_its_place() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = pieces(1).await;
        assert_eq!(pieces(1).await, first);
        drop_pieces(1).await;
        assert_ne!(pieces(1).await, first);
    };
    cache.scope(calls).await;
    assert_eq!(pieces_key(&1).as_str(), "pieces:1");
}

#[tokio::test]
async fn bodies_return_as_they_like() {
    once_ok!("early:3", early(3));
    once_ok!("coerced:3", coerced(3));
    let cache = Cache::in_memory();
    assert_eq!(cache.scope(coerced(-1)).await.unwrap_err().to_string(), "negative");
    assert_eq!(cache.scope(coerced(101)).await.unwrap_err().to_string(), "large");
}

#[tokio::test]
async fn recursion() {
    let cache = Cache::in_memory();
    assert_eq!(cache.scope(factorial(5)).await, 120);
    for (n, expected) in [(0, 1), (3, 6), (4, 24)] {
        assert_eq!(cache.get(&factorial_key(&n)).await.unwrap(), Some(expected));
    }
    assert_eq!(cache.stats().function("factorial").unwrap().loads_ok, 6);
}

/// A future of a body that is `Send` is `Send`, and is no reference to anything but the arguments.
#[tokio::test]
async fn futures_are_send() {
    fn spawnable(id: i64) -> Pin<Box<dyn Future<Output = Row> + Send>> {
        Box::pin(conditional(id))
    }
    assert_eq!(tokio::spawn(spawnable(1)).await.unwrap().id, 1);
}

#[cached(key = "beside:<id>", ttl = 3600)]
async fn beside(id: i64) -> Row {
    row(id)
}

/// The lower attribute is applied to what the upper one has made: the write is around the read.
#[cached(key = "both:<id>", ttl = 3600)]
#[invalidates(beside(id))]
async fn both(id: i64) -> Row {
    row(id)
}

#[tokio::test]
async fn a_hit_of_a_function_that_is_a_write_too_invalidates() {
    let cache = Cache::in_memory();
    let calls = async {
        let first = both(1).await;
        let outdated = beside(1).await;
        assert_eq!(beside(1).await, outdated);
        assert_eq!(both(1).await, first, "a hit");
        assert_ne!(beside(1).await, outdated);
    };
    cache.scope(calls).await;
}
