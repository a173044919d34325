//! What can be sent.

use redis::{Cmd, Pipeline};

use crate::store::redis::connection::multiplexer::queue::Replies;
use crate::store::redis::connection::wire::Value;

/// One command or several, as the server reads them.
pub(in crate::store) trait Pack {
    /// What comes of it.
    type Replies;

    /// Appends the commands.
    fn pack(&self, out: &mut Vec<u8>);

    /// How many commands there are.
    fn count(&self) -> usize {
        1
    }

    /// The replies, of which there is one for each command.
    fn unpack(replies: Replies) -> Option<Self::Replies>;
}

impl Pack for &Cmd {
    type Replies = Value;

    fn pack(&self, out: &mut Vec<u8>) {
        self.write_packed_command(out);
    }

    fn unpack(replies: Replies) -> Option<Value> {
        match replies {
            Replies::One(reply) => reply,
            Replies::Many(_) => None,
        }
    }
}

impl Pack for &Pipeline {
    type Replies = Vec<Value>;

    fn pack(&self, out: &mut Vec<u8>) {
        for command in self.cmd_iter() {
            command.write_packed_command(out);
        }
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn unpack(replies: Replies) -> Option<Vec<Value>> {
        Some(match replies {
            Replies::One(reply) => reply.into_iter().collect(),
            Replies::Many(replies) => replies,
        })
    }
}
