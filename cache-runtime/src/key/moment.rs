//! How dates, times and spans of time are spelt in keys, whichever crate they are from.
//!
//! As in ISO 8601, and without the colons, which would be escaped. The spellings do not depend on
//! the versions of those crates, and different values have different ones.

/// `1.5s`
pub(super) fn span(is_negative: bool, seconds: u64, nanos: u32) -> String {
    let (sign, fraction) = (if is_negative { "-" } else { "" }, fraction(nanos));
    format!("{sign}{seconds}{fraction}s")
}

/// `.5`, or nothing.
fn fraction(nanos: u32) -> String {
    match nanos {
        0 => String::new(),
        1..1_000_000_000 => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
        // chrono's leap seconds, which may stand at any second: ten digits, as nothing else has.
        _ => format!(".{nanos}"),
    }
}

/// `2026-11-29`
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) fn date(year: i32, month: u32, day: u32) -> String {
    match year {
        0..10_000 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

/// `T093000.25`
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) fn clock(hour: u32, minute: u32, second: u32, nanos: u32) -> String {
    let fraction = fraction(nanos);
    format!("T{hour:02}{minute:02}{second:02}{fraction}")
}

/// `Z`, `+0100`, `+005328`
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) fn offset(seconds: i32) -> String {
    let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    match (size, size % 60) {
        (0, _) => "Z".to_owned(),
        (_, 0) => format!("{sign}{:02}{:02}", size / 3600, size / 60 % 60),
        (_, rest) => format!("{sign}{:02}{:02}{rest:02}", size / 3600, size / 60 % 60),
    }
}
