//! A hash that is the same for equal values of any serializable type, in every process.

use serde::Serialize;
use serde_json::Value;

use super::text::Hash;
use crate::token::Token;

/// Hashes the serialised form of `value`; the order of maps does not matter.
pub(super) fn hash(value: &(impl Serialize + ?Sized)) -> Hash {
    let mut bytes = Vec::with_capacity(256);
    match serde_json::to_value(value) {
        Ok(value) => write(&value, &mut bytes),
        // Such values cannot be told apart: each gets a hash of its own, and is never found again.
        Err(_) => bytes.extend_from_slice(Token::random().as_bytes()),
    }
    Hash::of(&bytes)
}

/// JSON with sorted keys and no white space. `serde_json` itself sorts or not depending on a feature that any crate
/// of the build may turn on.
fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (name, field) in fields {
                string(name, out);
                out.push(b':');
                write(field, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        Value::String(text) => string(text, out),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Bool(true) => out.push(b't'),
        Value::Bool(false) => out.push(b'f'),
        Value::Null => out.push(b'n'),
    }
}

/// Text with its length in front needs no escaping to be unambiguous.
fn string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.len().to_string().as_bytes());
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
}
