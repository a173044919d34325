//! The commands and script calls of the operations on one key.

use std::time::Duration;

use redis::Cmd;

use crate::record::token::Token;
use crate::record::{self, Origin};
use crate::store::redis::commands::bulk::LARGEST;
use crate::store::redis::script::{self, Arg, Call};
use crate::store::{Fill, Name};

pub(in crate::store) fn take_by_set(name: Name<'_>, ours: &[u8], lease: Duration) -> Cmd {
    let mut set = Cmd::with_capacity(7, 40 + name.text.len() + ours.len());
    set.arg("SET").arg(name.text).arg(ours).arg("NX").arg("GET").arg("PX").arg(millis(lease));
    set
}

pub(in crate::store) fn acquire<'a>(
    name: Name<'a>,
    ours: &'a [u8],
    lease: Duration,
    reject: Option<&'a Token>,
    origin: Option<&'a Origin>,
) -> Call<'a> {
    let reject = reject.map_or(&b""[..], |token| token.as_bytes());
    let args = vec![
        Arg::Bytes(ours),
        Arg::Millis(millis(lease)),
        trusted(origin),
        Arg::Bytes(reject),
        Arg::Bytes(LARGEST),
    ];
    Call { script: &script::ACQUIRE, key: name.text, args }
}

pub(in crate::store) fn fill_lease<'a>(
    name: Name<'a>,
    fill: &'a Fill,
    origin: Option<&'a Origin>,
) -> Call<'a> {
    let (head, tail) = record::around_times(&fill.record);
    let args = vec![
        Arg::Bytes(head),
        Arg::Millis(millis(fill.ttl)),
        Arg::Millis(millis(fill.fresh)),
        trusted(origin),
        Arg::Bytes(tail),
    ];
    Call { script: &script::FILL, key: name.text, args }
}

pub(in crate::store) fn replace<'a>(
    name: Name<'a>,
    seen: &'a Token,
    fill: &'a Fill,
    origin: Option<&'a Origin>,
) -> Call<'a> {
    let args = vec![
        Arg::Bytes(&fill.record),
        Arg::Millis(millis(fill.ttl)),
        Arg::Millis(millis(fill.fresh)),
        trusted(origin),
        Arg::Bytes(seen.as_bytes()),
    ];
    Call { script: &script::REFRESH, key: name.text, args }
}

pub(in crate::store) fn release<'a>(name: Name<'a>, token: &'a Token) -> Call<'a> {
    Call { script: &script::RELEASE, key: name.text, args: vec![Arg::Bytes(token.as_bytes())] }
}

pub(in crate::store) fn renew<'a>(name: Name<'a>, token: &'a Token, lease: Duration) -> Call<'a> {
    let args = vec![Arg::Bytes(token.as_bytes()), Arg::Millis(millis(lease))];
    Call { script: &script::RENEW, key: name.text, args }
}

/// Whole milliseconds. At least one, because Redis refuses to expire a key at once; at most a century, which Redis
/// can still add to the current time.
pub(in crate::store) fn millis(duration: Duration) -> u64 {
    const CENTURY: u64 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(duration.as_millis()).unwrap_or(CENTURY).clamp(1, CENTURY)
}

/// The argument by which a script insists on an origin, or on none.
pub(in crate::store) fn trusted(origin: Option<&Origin>) -> Arg<'_> {
    Arg::Bytes(origin.map_or(&[], |Origin(origin)| origin))
}
