//! What values of each type look like in a key: equal ones alike, different ones differently, in
//! every process.

use std::collections::{BTreeSet, HashSet};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query};
use cache_runtime::key::{Displayed, Lower};
use cache_runtime::{Cache, Key, KeyPart, cached, invalidates};
use chrono::TimeZone as _;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn text(value: &(impl KeyPart + ?Sized)) -> String {
    Key::<()>::builder().part(value).done().as_str().to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, KeyPart)]
struct UserId(i64);

#[derive(Clone, Debug, PartialEq, KeyPart)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, PartialEq, KeyPart)]
struct Member {
    org: String,
    id: Option<UserId>,
}

#[derive(KeyPart)]
struct Nothing;

/// The argument is no `KeyPart`, and need not be one.
#[derive(KeyPart)]
struct Typed<T> {
    id: u8,
    of: PhantomData<T>,
}

#[derive(KeyPart)]
struct Borrowed<'a, T: ?Sized, const N: usize>(&'a T, [u8; N]);

#[derive(Clone, Debug, PartialEq, KeyPart)]
enum Order {
    Newest,
    #[expect(non_camel_case_types, reason = "a name that is a keyword")]
    r#type,
    By(UserId),
    Among {
        members: Vec<Member>,
        or: Option<Box<Order>>,
    },
}

#[derive(KeyPart)]
enum Never {}

mod renamed {
    pub(crate) use cache_runtime as cache;

    #[derive(cache::KeyPart)]
    #[key_part(crate = self::cache)]
    pub(crate) struct Page(pub u32);
}

#[test]
fn derived_texts() {
    assert_eq!(text(&UserId(7)), "7");
    assert_eq!(text(&Named { name: "a b".to_owned() }), "a%20b");
    assert_eq!(text(&Member { org: "a,b".to_owned(), id: None }), "<a%2Cb,<->,>");
    assert_eq!(text(&Nothing), "<>");
    assert_eq!(text(&Typed { id: 7, of: PhantomData::<fn() -> f64> }), "7");
    assert_eq!(text(&Borrowed("x", [1, 2])), "<x,<1,2,>,>");
    assert_eq!(text(&Order::Newest), "Newest");
    assert_eq!(text(&Order::r#type), "type");
    assert_eq!(text(&Order::By(UserId(7))), "<By,7,>");
    let members = vec![Member { org: "a".to_owned(), id: Some(UserId(-1)) }];
    let nested = Order::Among { members, or: Some(Box::new(Order::By(UserId(7)))) };
    assert_eq!(text(&nested), "<Among,<<a,-1,>,>,<By,7,>,>");
    assert_eq!(text(&None::<Never>), "<->");
    assert_eq!(text(&renamed::Page(2)), "2");
    // The name of a variant is none of the texts that `:lower` is about.
    assert_eq!(text(&Lower(Order::Newest)), "Newest");
    assert_eq!(text(&Lower(Named { name: "Ada".to_owned() })), "ada");
}

#[test]
fn texts_of_the_standard_library() {
    for (value, expected) in [
        (Duration::ZERO, "0s"),
        (Duration::from_millis(1_500), "1.5s"),
        (Duration::from_nanos(1), "0.000000001s"),
        (Duration::MAX, "18446744073709551615.999999999s"),
    ] {
        assert_eq!(text(&value), expected);
    }
    let numbers = [2, 10, 1];
    assert_eq!(text(&HashSet::from(numbers)), "<1,10,2,>");
    assert_eq!(text(&BTreeSet::from(numbers)), "<1,10,2,>");
    assert_eq!(text(&HashSet::<u8>::new()), "<>");
    assert_eq!(text(&Lower(HashSet::from(["B", "b", "A"]))), "<a,b,>");
    assert_eq!(text(&Lower(BTreeSet::from(["B", "a"]))), "<a,b,>");
    assert_eq!(text(&HashSet::from([BTreeSet::from(["a,b"])])), "<<a%2Cb,>,>");
    let long = (1, "b", 3, 'd', 5, true, 7, Some(8), 9, UserId(10), 11, 12);
    assert_eq!(text(&long), "<1,b,3,d,5,true,7,8,9,10,11,12,>");
}

#[test]
fn texts_of_identifiers() {
    let ulid = ulid::Ulid::from_bytes([0xff; 16]);
    assert_eq!(text(&ulid), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    let url = url::Url::parse("HTTPS://Example.com/a b?q=<*>#x").unwrap();
    assert_eq!(text(&url), "https%3A//example.com/a%2520b%3Fq=%253C%2A%253E#x");
    assert_eq!(text(&uuid::Uuid::nil()), "00000000-0000-0000-0000-000000000000");
    for (number, expected) in [("1.50", "1.5"), ("100", "100"), ("-0.0", "0"), ("-7.25", "-7.25")] {
        assert_eq!(text(&number.parse::<Decimal>().unwrap()), expected);
    }
}

#[test]
fn texts_of_extractors() {
    assert_eq!(text(&Path((7, "a"))), "<7,a,>");
    assert_eq!(text(&Query(Order::By(UserId(7)))), "<By,7,>");
    assert_eq!(text(&Json(UserId(7))), "7");
}

#[test]
fn texts_of_chrono() {
    use chrono::{FixedOffset, Month, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

    let day = NaiveDate::from_ymd_opt(2026, 11, 29).unwrap();
    assert_eq!(text(&day), "2026-11-29");
    assert_eq!(text(&NaiveDate::MAX), "+262142-12-31");
    assert_eq!(text(&NaiveDate::from_ymd_opt(-44, 3, 15).unwrap()), "-0044-03-15");
    assert_eq!(text(&NaiveTime::MIN), "T000000");
    let local = day.and_hms_milli_opt(9, 30, 0, 250).unwrap();
    assert_eq!(text(&local.time()), "T093000.25");
    assert_eq!(text(&local), "2026-11-29T093000.25");
    assert_eq!(text(&Utc.from_utc_datetime(&local)), "2026-11-29T093000.25Z");
    for (seconds, expected) in [(0, "Z"), (3_600, "+0100"), (-19_800, "-0530"), (3_208, "+005328")]
    {
        let offset = FixedOffset::east_opt(seconds).unwrap();
        let at = offset.from_local_datetime(&local).unwrap();
        assert_eq!(text(&at), format!("2026-11-29T093000.25{expected}"));
    }
    // A leap second is not the second after it, and may stand anywhere.
    let leap = NaiveTime::from_hms_milli_opt(23, 59, 59, 1_500).unwrap();
    assert_eq!(text(&leap), "T235959.1500000000");
    // Where the calendar ends, there is no local time.
    let end = chrono::DateTime::<Utc>::MAX_UTC;
    let east = end.with_timezone(&FixedOffset::east_opt(3_600).unwrap());
    assert_eq!(text(&east), "+262142-12-31T235959.999999999Z+0100");
    assert_eq!(text(&TimeDelta::milliseconds(-1_500)), "-1.5s");
    assert_eq!(text(&TimeDelta::milliseconds(-500)), "-0.5s");
    assert_eq!(text(&Weekday::Mon), "Mon");
    assert_eq!(text(&Month::November), "November");
}

#[test]
fn texts_of_time() {
    use time::{Date, Duration, Month, OffsetDateTime, Time, UtcDateTime, UtcOffset, Weekday};

    let day = Date::from_calendar_date(2026, Month::November, 29).unwrap();
    assert_eq!(text(&day), "2026-11-29");
    let at = Time::from_hms_milli(9, 30, 0, 250).unwrap();
    assert_eq!(text(&at), "T093000.25");
    assert_eq!(text(&day.with_time(at)), "2026-11-29T093000.25");
    assert_eq!(text(&UtcDateTime::new(day, at)), "2026-11-29T093000.25Z");
    for (offset, expected) in [((0, 0, 0), "Z"), ((1, 0, 0), "+0100"), ((-5, -30, -1), "-053001")] {
        let offset = UtcOffset::from_hms(offset.0, offset.1, offset.2).unwrap();
        let at = OffsetDateTime::new_in_offset(day, at, offset);
        assert_eq!(text(&at), format!("2026-11-29T093000.25{expected}"));
    }
    assert_eq!(text(&Duration::milliseconds(-500)), "-0.5s");
    assert_eq!(text(&Duration::seconds(90)), "90s");
    assert_eq!(text(&Weekday::Monday), "Monday");
    assert_eq!(text(&Month::November), "November");
}

fn nasty() -> impl Strategy<Value = String> {
    prop_oneof!["[-!:%{}<>*?,A-B \n]{0,6}", "Newest|type|By|Among|<By,7,>|<->"]
}

fn member() -> impl Strategy<Value = Member> {
    let id = prop::option::of((-2_i64..2).prop_map(UserId));
    (nasty(), id).prop_map(|(org, id)| Member { org, id })
}

fn order() -> impl Strategy<Value = Order> {
    let leaf = prop_oneof![
        Just(Order::Newest),
        Just(Order::r#type),
        (-2_i64..2).prop_map(|id| Order::By(UserId(id))),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        let members = prop::collection::vec(member(), 0..2);
        (members, prop::option::of(inner.prop_map(Box::new)))
            .prop_map(|(members, or)| Order::Among { members, or })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn derived_texts_are_equal_as_the_values_are(a in order(), b in order(), c in member(), d in member()) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
        prop_assert_eq!(text(&c) == text(&d), c == d);
        let (left, right) = ((Some(&c), &a), (Some(&d), &b));
        prop_assert_eq!(text(&left) == text(&right), left == right);
    }

    #[test]
    fn sets_are_equal_as_their_elements_are(
        a in prop::collection::hash_set(nasty(), 0..4),
        b in prop::collection::hash_set(nasty(), 0..4),
    ) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
        prop_assert_eq!(text(&a), text(&a.iter().collect::<BTreeSet<_>>()));
    }

    #[test]
    fn moments_are_equal_as_what_a_body_sees_of_them(
        a in (-3_i64..3, prop::sample::select(vec![0_u32, 1, 500_000_000]), -90_i32..90),
        b in (-3_i64..3, prop::sample::select(vec![0_u32, 1, 500_000_000]), -90_i32..90),
    ) {
        let at = |(seconds, nanos, offset): (i64, u32, i32)| {
            let at = chrono::DateTime::from_timestamp(seconds * 30, nanos).unwrap();
            at.with_timezone(&chrono::FixedOffset::east_opt(offset).unwrap())
        };
        prop_assert_eq!(text(&at(a)) == text(&at(b)), a == b);
        let time = |(seconds, nanos, offset): (i64, u32, i32)| {
            let at = time::OffsetDateTime::from_unix_timestamp(seconds * 30).unwrap();
            at.replace_nanosecond(nanos).unwrap()
                .to_offset(time::UtcOffset::from_whole_seconds(offset).unwrap())
        };
        prop_assert_eq!(text(&time(a)), text(&at(a)), "both crates spell a moment alike");
        let span = |(seconds, nanos, _): (i64, u32, i32)| {
            chrono::TimeDelta::seconds(seconds) + chrono::TimeDelta::nanoseconds(nanos.into())
        };
        prop_assert_eq!(text(&span(a)) == text(&span(b)), span(a) == span(b));
    }

    #[test]
    fn equal_numbers_are_one(mantissa in -1_000_i64..1_000, scale in 0_u32..4, zeros in 0_u32..4) {
        let number = Decimal::new(mantissa, scale);
        let mut longer = number;
        longer.rescale(scale + zeros);
        prop_assert_eq!(text(&number), text(&longer));
        prop_assert_eq!(text(&number).parse::<Decimal>().unwrap(), number);
    }

    #[test]
    fn what_is_displayed_is_escaped(shown in nasty()) {
        prop_assert_eq!(text(&Displayed(&shown)), text(&shown));
    }
}

/// A type of a crate that knows nothing of caches.
#[derive(Clone)]
struct Day(&'static str);

impl Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cached(key = "part:report:<day:display>/<kind:display:lower>", ttl = 60)]
async fn report(day: Day, kind: Day) -> String {
    format!("{day} {kind}")
}

#[invalidates(key = "part:report:<day:display>/<kind:display:trim:lower>")]
async fn correct(day: &Day, kind: &Day) {
    let _ = (day, kind);
}

#[cached(key = "part:digest:<day:display:hash>", ttl = 60)]
async fn digest(day: Day) -> String {
    day.to_string()
}

#[cached(ttl = 60)]
async fn posts(order: Query<Order>, by: HashSet<UserId>, wait: Duration) -> usize {
    let _ = (order, wait);
    by.len()
}

#[tokio::test]
async fn displayed_values_name_entries_and_forge_nothing() {
    let cache = Cache::in_memory();
    let scope = cache.scope(async {
        let (forged, kind) = (Day("29/11:*"), Day("Sales"));
        assert_eq!(report(forged.clone(), kind.clone()).await, "29/11:* Sales");
        let key = report_key(&forged, &kind);
        assert_eq!(key.as_str(), "part:report:29%2F11%3A%2A/sales");
        assert!(cache.get(&key).await.unwrap().is_some());
        correct(&forged, &Day(" SALES")).await;
        assert!(cache.get(&key).await.unwrap().is_none());
        assert_eq!(digest(Day("29")).await, "29");
        let hashed = digest_key(&Day("29"));
        let written = Key::<String>::builder().text("part:digest:").hash("29").done();
        assert_eq!(hashed.as_str(), written.as_str());
    });
    scope.await;
}

#[tokio::test]
async fn automatic_keys_take_them() {
    let cache = Cache::in_memory();
    let scope = cache.scope(async {
        let by = || HashSet::from([UserId(7), UserId(10)]);
        let order = || Query(Order::By(UserId(7)));
        assert_eq!(posts(order(), by(), Duration::from_secs(1)).await, 2);
        let key = posts_key(&order(), &by(), &Duration::from_secs(1));
        assert!(key.as_str().ends_with("posts:<By,7,>:<10,7,>:1s"), "{key}");
        assert_eq!(cache.get(&key).await.unwrap(), Some(2));
    });
    scope.await;
}
