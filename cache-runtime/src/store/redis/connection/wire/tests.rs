//! Every type of reply, wherever the pieces end; and what is none.

use bytes::BytesMut;
use proptest::prelude::*;

use crate::store::redis::connection::wire::*;

/// A reply that is there as a whole.
pub(in crate::store) fn read(reply: &[u8]) -> Result<RespValue, ProtocolError> {
    let mut input = BytesMut::from(reply);
    match Frames::default().next(&mut input)? {
        Some(value) if input.is_empty() => Ok(value),
        _ => Err(ProtocolError),
    }
}

fn bulk(text: &str) -> RespValue {
    RespValue::BulkString(text.to_owned().into())
}

/// What comes of bytes that arrive in pieces of so many.
fn in_pieces(bytes: &[u8], size: usize) -> Result<Vec<RespValue>, ProtocolError> {
    let (mut frames, mut input, mut values) = (Frames::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(value) = frames.next(&mut input)? {
            values.push(value);
        }
    }
    assert!(input.is_empty(), "the last reply is not there as a whole");
    Ok(values)
}

#[test]
fn every_type_wherever_it_is_cut() {
    let error = |text: &[u8]| RespValue::ServerError(ServerError::new(text));
    for (reply, value) in [
        (&b"+OK\r\n"[..], RespValue::SimpleString("OK".to_owned())),
        (b"-ERR no such key\r\n", error(b"ERR no such key")),
        (b":-12\r\n", RespValue::Int(-12)),
        (b"$5\r\na\r\nb\n\r\n", bulk("a\r\nb\n")),
        (b"$0\r\n\r\n", bulk("")),
        (b"$-1\r\n", RespValue::Nil),
        (b"*-1\r\n", RespValue::Nil),
        (b"*0\r\n", RespValue::Array(Vec::new())),
        (
            b"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n",
            RespValue::Array(vec![
                RespValue::Int(1),
                RespValue::Array(vec![bulk("x"), RespValue::Nil]),
                RespValue::SimpleString("y".to_owned()),
            ]),
        ),
        (b"_\r\n", RespValue::Nil),
        (b"#t\r\n", RespValue::Boolean(true)),
        (b"#f\r\n", RespValue::Boolean(false)),
        (b",-1.5\r\n", RespValue::Double(-1.5)),
        (b",inf\r\n", RespValue::Double(f64::INFINITY)),
        (b"(123456789012345678901234567890\r\n", {
            RespValue::BigNumber("123456789012345678901234567890".into())
        }),
        (b"!8\r\nERR a\r\nb\r\n", error(b"ERR a\r\nb")),
        (b"=8\r\ntxt:a\r\nb\r\n", bulk("a\r\nb")),
        (b"~2\r\n:1\r\n:2\r\n", RespValue::Set(vec![RespValue::Int(1), RespValue::Int(2)])),
        (b"%1\r\n$1\r\na\r\n:1\r\n", RespValue::Map(vec![(bulk("a"), RespValue::Int(1))])),
        (b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", {
            let keys = RespValue::Array(vec![bulk("k")]);
            RespValue::Push(vec![RespValue::SimpleString("invalidate".to_owned()), keys])
        }),
        // What is said of a value is not looked at.
        (b"|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n", bulk("v")),
        (b"*2\r\n|1\r\n+ttl\r\n:1\r\n:7\r\n:8\r\n", {
            RespValue::Array(vec![RespValue::Int(7), RespValue::Int(8)])
        }),
    ] {
        let twice = [reply, reply].concat();
        for size in 1..=twice.len() {
            let values = in_pieces(&twice, size);
            assert_eq!(values, Ok(vec![value.clone(), value.clone()]), "{reply:?} by {size}");
        }
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    let deep = "*1\r\n".repeat(40) + ":1\r\n";
    let line = format!("+{}", "x".repeat(65_536));
    for reply in [
        "HTTP/1.1 400 Bad Request\r\n",
        "\r\n",
        "\n",
        "$\r\n",
        "$x\r\n",
        "$+3\r\nabc\r\n",
        "$-2\r\n",
        "$3\r\nabcde",
        "$3\r\nabc\n\n",
        "$536870913\r\n",
        "$99999999999999999999999\r\n",
        "*99999999999999999999999\r\n",
        "*536870912\r\n",
        "*18446744073709551615\r\n*18446744073709551615\r\n",
        "%9223372036854775808\r\n",
        "~-1\r\n",
        ":1x\r\n",
        ":\r\n",
        ",one\r\n",
        "#x\r\n",
        "=1\r\na\r\n",
        "*?\r\n",
        "$?\r\n",
        ".\r\n",
        "+a\n",
        &deep,
        &line,
    ] {
        for size in [1, 3, reply.len()] {
            let (mut frames, mut input) = (Frames::default(), BytesMut::new());
            let refused = reply.as_bytes().chunks(size).any(|piece| {
                input.extend_from_slice(piece);
                frames.next(&mut input).is_err()
            });
            assert!(refused, "{reply:?} by {size}");
        }
    }
}

#[test]
fn a_string_is_a_part_of_the_buffer() {
    let mut input = BytesMut::from(&b"$4\r\nkeep\r\n*1\r\n$4\r\nthis\r\n"[..]);
    let buffer = input.as_ptr_range();
    let mut frames = Frames::default();
    while let Ok(Some(value)) = frames.next(&mut input) {
        let string = match value {
            RespValue::Array(values) => values[0].clone(),
            value => value,
        };
        let RespValue::BulkString(string) = string else { panic!("{string:?}") };
        assert!(buffer.contains(&string.as_ptr()), "copied");
    }
    assert!(input.is_empty());
}

#[test]
fn errors_show_their_code_alone() {
    let error = ServerError::new(b"WRONGPASS hunter2 is wrong");
    assert_eq!((error.code(), error.details()), ("WRONGPASS", "hunter2 is wrong"));
    assert_eq!(format!("{error:?}"), "ServerError(\"WRONGPASS\")");
    let error = ServerError::new(b"ERR");
    assert_eq!((error.code(), error.details()), ("ERR", ""));
}

fn value() -> impl Strategy<Value = redis::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(redis::Value::Int),
        any::<Vec<u8>>().prop_map(redis::Value::BulkString),
        any::<bool>().prop_map(redis::Value::Boolean),
        Just(redis::Value::Nil),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(redis::Value::Array),
            prop::collection::vec(inner, 0..8).prop_map(redis::Value::Set),
            prop::collection::vec(pair, 0..4).prop_map(redis::Value::Map),
        ]
    })
}

/// As a server writes it.
fn write(value: &redis::Value, out: &mut Vec<u8>) {
    let mut head = |text: String| out.extend_from_slice(text.as_bytes());
    match value {
        redis::Value::Nil => head("_\r\n".to_owned()),
        redis::Value::Int(int) => head(format!(":{int}\r\n")),
        redis::Value::Boolean(yes) => head(format!("#{}\r\n", if *yes { 't' } else { 'f' })),
        redis::Value::BulkString(bytes) => {
            head(format!("${}\r\n", bytes.len()));
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        redis::Value::Array(values) => {
            head(format!("*{}\r\n", values.len()));
            for value in values {
                write(value, out);
            }
        }
        redis::Value::Set(values) => {
            head(format!("~{}\r\n", values.len()));
            for value in values {
                write(value, out);
            }
        }
        redis::Value::Map(pairs) => {
            head(format!("%{}\r\n", pairs.len()));
            for (key, value) in pairs {
                write(key, out);
                write(value, out);
            }
        }
        other => panic!("{other:?}"),
    }
}

fn same(ours: &RespValue, theirs: &redis::Value) -> bool {
    let all = |ours: &[RespValue], theirs: &[redis::Value]| {
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
    };
    match (ours, theirs) {
        (RespValue::Nil, redis::Value::Nil) => true,
        (RespValue::Int(ours), redis::Value::Int(theirs)) => ours == theirs,
        (RespValue::Boolean(ours), redis::Value::Boolean(theirs)) => ours == theirs,
        (RespValue::BulkString(ours), redis::Value::BulkString(theirs)) => ours[..] == theirs[..],
        (RespValue::Array(ours), redis::Value::Array(theirs))
        | (RespValue::Set(ours), redis::Value::Set(theirs)) => all(ours, theirs),
        (RespValue::Map(ours), redis::Value::Map(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        _ => false,
    }
}

proptest! {
    /// Another parser reads the same.
    #[test]
    fn as_others_read_it(values in prop::collection::vec(value(), 1..4), size in 1_usize..64) {
        let mut bytes = Vec::new();
        for value in &values {
            write(value, &mut bytes);
        }
        let ours = in_pieces(&bytes, size).unwrap();
        let mut rest = Vec::new();
        for (ours, value) in ours.iter().zip(&values) {
            rest.clear();
            write(value, &mut rest);
            let theirs = redis::parse_redis_value(&rest).unwrap();
            prop_assert!(same(ours, &theirs), "{ours:?} {theirs:?}");
        }
        prop_assert_eq!(ours.len(), values.len());
    }
}
