//! What can be sent.

use redis::{Cmd, Pipeline};

use crate::store::redis::connection::multiplexer::queue::Replies;
use crate::store::redis::connection::wire::{RespValue, write};

/// One command or several, as the server reads them.
pub(in crate::store) trait Pack: Copy + Unpin + Send + Sync {
    /// What comes of it.
    type Replies: Send;

    /// Appends the commands, with `before` in front of each.
    fn pack(self, before: &[u8], out: &mut Vec<u8>);

    /// How many replies there will be.
    fn count(self) -> usize {
        1
    }

    /// The replies, of which there are so many.
    fn unpack(replies: Replies) -> Option<Self::Replies>;
}

impl Pack for &Cmd {
    type Replies = RespValue;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(before);
        self.write_packed_command(out);
    }

    fn unpack(replies: Replies) -> Option<RespValue> {
        replies.one()
    }
}

/// `GET` of a key: the command of every hit. Like all commands that are sent often, it is written
/// where it is sent from, and nowhere before.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct GetKey<'a>(pub(in crate::store) &'a str);

impl Pack for GetKey<'_> {
    type Replies = RespValue;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        let Self(key) = self;
        out.extend_from_slice(before);
        write::array(2, out);
        write::word(b"GET", out);
        write::word(key.as_bytes(), out);
    }

    fn unpack(replies: Replies) -> Option<RespValue> {
        replies.one()
    }
}

/// Many commands of one kind.
impl<P: Pack<Replies = RespValue>> Pack for &[P] {
    type Replies = Vec<RespValue>;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        for command in self {
            command.pack(before, out);
        }
    }

    fn count(self) -> usize {
        self.len()
    }

    fn unpack(replies: Replies) -> Option<Vec<RespValue>> {
        Some(replies.all())
    }
}

impl Pack for &Pipeline {
    type Replies = Vec<RespValue>;

    fn pack(self, before: &[u8], out: &mut Vec<u8>) {
        for command in self.cmd_iter() {
            command.pack(before, out);
        }
    }

    fn count(self) -> usize {
        self.len()
    }

    fn unpack(replies: Replies) -> Option<Vec<RespValue>> {
        Some(replies.all())
    }
}

/// Commands for a node that does not serve their slot yet: each is preceded by `ASKING`.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Asking<P>(pub(in crate::store) P);

impl<P: Pack> Pack for Asking<P> {
    type Replies = P::Replies;

    fn pack(self, _before: &[u8], out: &mut Vec<u8>) {
        self.0.pack(b"*1\r\n$6\r\nASKING\r\n", out);
    }

    fn count(self) -> usize {
        2 * self.0.count()
    }

    fn unpack(replies: Replies) -> Option<P::Replies> {
        let replies = replies.all().into_iter().skip(1).step_by(2);
        P::unpack(Replies::Many(replies.collect()))
    }
}
