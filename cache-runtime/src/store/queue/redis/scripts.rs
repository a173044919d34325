//! The scripts of queues.

use crate::store::redis::script::{self, Script};

pub(in crate::store::queue::redis) static READ: Script = script::queue!("read");
pub(in crate::store::queue::redis) static RENEW: Script = script::queue!("renew_owner");
pub(in crate::store::queue::redis) static ACK: Script = script::queue!("ack");
pub(in crate::store::queue::redis) static BURY: Script = script::queue!("bury");
pub(in crate::store::queue::redis) static UNHEARD: Script = script::queue!("unheard");
pub(in crate::store::queue::redis) static LAYOUT: Script = script::queue!("layout");
pub(in crate::store::queue::redis) static TURN: Script = script::queue!("turn");
pub(in crate::store::queue::redis) static REDRIVE: Script = script::queue!("clock", "redrive");
pub(in crate::store::queue::redis) static REMOVE: Script = script::queue!("remove");
pub(in crate::store::queue::redis) static KNOW: Script = script::queue!("know");
pub(in crate::store::queue::redis) static FORGET: Script = script::queue!("forget");
pub(in crate::store::queue::redis) static PUSH: Script = script::queue!("clock", "push");
pub(in crate::store::queue::redis) static TAKE: Script = script::queue!("take");
pub(in crate::store::queue::redis) static YIELD: Script = script::queue!("yield_owner");
pub(in crate::store::queue::redis) static JOIN: Script = script::queue!("join");
pub(in crate::store::queue::redis) static LENGTHS: Script = script::queue!("lengths");
