//! The scripts of the protocol: one key each, one round trip each.

#[cfg(test)]
pub(crate) mod altered;
pub(crate) mod supported;

use std::sync::OnceLock;

use redis::{Cmd, RedisWrite, ToRedisArgs};

use crate::record::HEADER;

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
    pub(in crate::store) fn by_sha(&self) -> Cmd {
        self.command("EVALSHA", self.script.sha())
    }

    /// `EVAL`: leaves the script in the server's memory as well.
    pub(in crate::store) fn by_body(&self) -> Cmd {
        self.command("EVAL", self.script.body())
    }

    /// How many bytes key and arguments have.
    pub(in crate::store) fn size(&self) -> usize {
        self.key.len() + self.args.iter().map(Arg::len).sum::<usize>()
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let size = name.len() + script.len() + 1 + self.size();
        let mut command = Cmd::with_capacity(4 + self.args.len(), size);
        command.arg(name).arg(script).arg(1).arg(self.key).arg(&self.args[..]);
        command
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

impl ToRedisArgs for Arg<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        match self {
            Self::Bytes(bytes) => out.write_arg(bytes),
            Self::Header(header) => out.write_arg(header),
            Self::Millis(millis) => millis.write_redis_args(out),
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
        let packed = String::from_utf8(call.by_sha().get_packed_command()).unwrap_or_default();
        let expected = format!(
            "*6\r\n$7\r\nEVALSHA\r\n$40\r\n{}\r\n\
             $1\r\n1\r\n$6\r\nuser:1\r\n$5\r\ntoken\r\n$4\r\n3000\r\n",
            ONE.sha()
        );
        assert_eq!(packed, expected);
        assert!(call.by_body().get_packed_command().ends_with(b"$5\r\ntoken\r\n$4\r\n3000\r\n"));
    }
}
