//! The scripts of the protocol: one key each, one round trip each.

#[cfg(test)]
pub(crate) mod altered;
pub(crate) mod supported;

use std::sync::OnceLock;

use crate::record::HEADER;
use crate::store::redis::connection::multiplexer::{Pack, Replies};
use crate::store::redis::connection::wire::{RespValue, write};

/// A Lua script, called by its SHA-1.
#[derive(Debug)]
pub(in crate::store) struct Script {
    body: &'static str,
    sha: OnceLock<String>,
}

/// Gives another script instead, where it gives any: tests take rules out of scripts.
static SUBSTITUTE: OnceLock<fn(&Script) -> Option<&'static Script>> = OnceLock::new();

/// A script of the protocol, from its files one behind the other.
macro_rules! script {
    ($($file:literal),+) => {
        $crate::store::redis::script::Script::new(
            concat!($(include_str!(concat!("../script/lua/", $file, ".lua"))),+)
        )
    };
}
pub(in crate::store) use script;

/// A script of queues.
macro_rules! queue {
    ($($file:literal),+) => {
        $crate::store::redis::script::Script::new(
            concat!($(include_str!(concat!("lua/", $file, ".lua"))),+)
        )
    };
}
pub(in crate::store) use queue;

impl Script {
    pub(in crate::store) const fn new(body: &'static str) -> Self {
        Self { body, sha: OnceLock::new() }
    }

    pub(in crate::store) fn sha(&self) -> &str {
        let Self { sha, .. } = self.current();
        sha.get_or_init(|| sha1_smol::Sha1::from(self.body()).digest().to_string())
    }

    pub(in crate::store) fn body(&self) -> &'static str {
        self.current().body
    }

    fn current(&self) -> &Self {
        SUBSTITUTE.get().and_then(|substitute| substitute(self)).unwrap_or(self)
    }
}

/// A call of a script on one key. It can be put into a command twice: by its SHA-1, and by its body
/// where the server does not know it (any more).
#[derive(Debug)]
pub(in crate::store) struct Call<'a> {
    pub(in crate::store) script: &'static Script,
    pub(in crate::store) key: &'a str,
    pub(in crate::store) args: Vec<Arg<'a>>,
}

/// An argument of a script.
#[derive(Clone, Debug)]
pub(in crate::store) enum Arg<'a> {
    Bytes(&'a [u8]),
    Header([u8; HEADER]),
    Millis(u64),
}

impl Call<'_> {
    /// `EVALSHA`: costs the server no parsing.
    pub(in crate::store) fn by_sha(&self) -> Eval<'_> {
        Eval { call: self, name: "EVALSHA", script: self.script.sha() }
    }

    /// `EVAL`: leaves the script in the server's memory as well.
    pub(in crate::store) fn by_body(&self) -> Eval<'_> {
        Eval { call: self, name: "EVAL", script: self.script.body() }
    }

    /// How many bytes key and arguments have.
    pub(in crate::store) fn size(&self) -> usize {
        self.key.len() + self.args.iter().map(Arg::len).sum::<usize>()
    }
}

/// The command that calls a script.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Eval<'a> {
    call: &'a Call<'a>,
    name: &'static str,
    script: &'a str,
}

impl Pack for Eval<'_> {
    type Replies = RespValue;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        let Self { call, name, script } = self;
        out.extend_from_slice(before);
        write::array(4 + call.args.len(), out);
        for word in [name, script, "1", call.key] {
            write::word(word.as_bytes(), out);
        }
        for arg in &call.args {
            match arg {
                Arg::Bytes(bytes) => write::word(bytes, out),
                Arg::Header(header) => write::word(header, out),
                Arg::Millis(millis) => write::number(*millis, out),
            }
        }
    }

    fn unpack(replies: Replies) -> Option<RespValue> {
        replies.one()
    }
}

impl Arg<'_> {
    /// At least as long as the argument is written.
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Header(header) => header.len(),
            Self::Millis(_) => 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: Script = Script::new("return 1");
    static TWO: Script = Script::new("return 2");

    #[test]
    fn every_script_is_addressed_by_its_own_digest() {
        let digests = [ONE.sha(), TWO.sha()];
        assert!(
            digests.iter().all(|sha| sha.len() == 40 && sha.bytes().all(|b| b.is_ascii_hexdigit()))
        );
        assert_ne!(digests[0], digests[1]);
    }

    #[test]
    fn a_call_is_one_command_with_one_key() {
        let call = Call {
            script: &ONE,
            key: "user:1",
            args: vec![Arg::Bytes(b"token"), Arg::Millis(3000)],
        };
        let pack = |command: Eval<'_>| {
            let mut out = Vec::new();
            command.pack(b"", &mut out);
            String::from_utf8(out).unwrap_or_default()
        };
        let expected = format!(
            "*6\r\n$7\r\nEVALSHA\r\n$40\r\n{}\r\n\
             $1\r\n1\r\n$6\r\nuser:1\r\n$5\r\ntoken\r\n$4\r\n3000\r\n",
            ONE.sha()
        );
        assert_eq!(pack(call.by_sha()), expected);
        assert!(pack(call.by_body()).ends_with("$5\r\ntoken\r\n$4\r\n3000\r\n"));
    }
}
