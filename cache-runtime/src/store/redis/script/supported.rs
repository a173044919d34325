//! Whether a server runs Lua scripts for this user.
//!
//! What stores anything is a script: it checks and stores in one step. Where none runs, nothing is
//! asked for that only a script could finish (a lease that nobody fills would make others wait),
//! and what the server has refused is not sent again on the connection. Only its supervisor asks
//! from time to time whether scripts run by now, unless the command itself is unknown: that takes a
//! restart of the server.

use std::fmt;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use redis::Pipeline;

use crate::error::Refusal;
use crate::store::StoreError;
use crate::store::redis::connection::multiplexer::Multiplexer;
use crate::store::redis::connection::refusal;
use crate::store::redis::connection::wire::RespValue;
use crate::support::log;

/// How often a server is asked again whether it runs scripts.
const AGAIN: Duration = Duration::from_secs(2);

/// The script that a server is tried with, and its SHA-1.
const SCRIPT: &str = "return 1";
const SHA: &str = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";

/// Why a server runs no scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Obstacle {
    /// This user may not use `EVAL` or `EVALSHA`.
    Denied = 1,
    /// The server knows no command of that name: it is disabled, or has another name there.
    Unknown = 2,
    /// There is nothing that runs Lua: Valkey 9 without its module, or a server that is only like
    /// Redis.
    NoEngine = 3,
}

impl Obstacle {
    /// What the refusal of a script says of all scripts; none where it is about this one.
    pub(in crate::store) fn of(reply: &RespValue) -> Option<Self> {
        let RespValue::ServerError(error) = reply else { return None };
        let details = error.details();
        match error.code() {
            // Not "no permissions to access a key".
            "NOPERM" if details.contains(" to run the 'eval") => Some(Self::Denied),
            "ERR" if details.starts_with("unknown command") => Some(Self::Unknown),
            "ERR" if details.starts_with("Could not find scripting engine") => Some(Self::NoEngine),
            _ => None,
        }
    }

    /// The same for the script that a server is tried with: there is nothing in it that could be
    /// refused.
    fn of_trial(replies: [&RespValue; 2]) -> Option<Self> {
        let refused = |reply: &RespValue| match reply {
            RespValue::ServerError(error) => matches!(refusal::code(error), "NOPERM" | "ERR"),
            _ => false,
        };
        let [eval, _] = replies;
        replies.into_iter().find_map(Self::of).or(refused(eval).then_some(Self::NoEngine))
    }

    /// The result of every operation that needs a script.
    pub(in crate::store) fn refusal(self) -> StoreError {
        let code = match self {
            Self::Denied => "NOPERM",
            Self::Unknown | Self::NoEngine => "ERR",
        };
        StoreError::Refused(Refusal::new(code, "no Lua scripts"))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "permit the user `+eval +evalsha`",
            Self::Unknown => "`EVAL` or `EVALSHA` is disabled there, or has another name",
            Self::NoEngine => "it has no Lua engine; Valkey has it in a module",
        })
    }
}

/// What is known about the scripts of one connection.
#[derive(Debug, Default)]
pub(in crate::store) struct Scripting(AtomicU8);

impl Scripting {
    /// Adds the questions to those that a server is asked when it is connected to.
    pub(in crate::store) fn try_out(questions: &mut Pipeline) {
        questions.cmd("EVAL").arg(SCRIPT).arg(0);
        questions.cmd("EVALSHA").arg(SHA).arg(0);
    }

    /// What the answers to [`try_out`](Self::try_out) say.
    pub(in crate::store) fn tried(answers: [&RespValue; 2]) -> Self {
        Self(AtomicU8::new(Obstacle::of_trial(answers).map_or(0, |obstacle| obstacle as u8)))
    }

    /// Why no scripts run, if none do.
    pub(in crate::store) fn obstacle(&self) -> Option<Obstacle> {
        let known = self.0.load(Relaxed);
        [Obstacle::Denied, Obstacle::Unknown, Obstacle::NoEngine]
            .into_iter()
            .find(|obstacle| *obstacle as u8 == known)
    }

    /// A script was refused. Whether that is news.
    pub(in crate::store) fn lose(&self, obstacle: Obstacle) -> bool {
        self.0.compare_exchange(0, obstacle as u8, Relaxed, Relaxed).is_ok()
    }

    /// After how long the server is to be asked again, if it is.
    pub(in crate::store) fn pause(&self) -> Option<Duration> {
        self.obstacle().filter(|obstacle| *obstacle != Obstacle::Unknown).map(|_| AGAIN)
    }

    /// Asks the server again; whether scripts run by now.
    pub(in crate::store) async fn ask_again(&self, connection: Multiplexer) -> bool {
        let mut questions = redis::pipe();
        Self::try_out(&mut questions);
        let Ok(answers) = connection.send(&questions).await else {
            return false;
        };
        // An answer of another kind, such as `LOADING`, says nothing of scripts.
        match &answers[..] {
            [eval @ RespValue::Int(1), evalsha]
                if Obstacle::of_trial([eval, evalsha]).is_none() =>
            {
                self.0.swap(0, Relaxed) != 0
            }
            _ => false,
        }
    }
}

/// Says what works without scripts, and what to do about it.
pub(in crate::store) fn tell_lost(server: &impl fmt::Display, obstacle: Obstacle) {
    log::warn(format_args!(
        "{server}: runs no Lua scripts ({obstacle}): nothing is stored, writes have no fences and \
            queues take no items; what others store is served, and invalidations are delivered"
    ));
}

/// Says that scripts run again.
pub(in crate::store) fn tell_regained(server: &impl fmt::Display) {
    log::info(format_args!("{server}: runs Lua scripts; values are stored again"));
}

#[cfg(test)]
mod tests {
    use crate::store::redis::connection::wire::tests::read as read_reply;

    use super::*;

    fn reply(text: &str) -> RespValue {
        read_reply(format!("{text}\r\n").as_bytes()).unwrap()
    }

    /// As Redis 6.2, 7.0 and 8.2 and Valkey 9.1 say it.
    #[test]
    fn refusals_of_all_scripts_are_told_from_those_of_one() {
        for (error, obstacle) in [
            (
                "NOPERM this user has no permissions to run the 'eval' command or its subcommand",
                Some(Obstacle::Denied),
            ),
            (
                "NOPERM this user has no permissions to run the 'evalsha' command",
                Some(Obstacle::Denied),
            ),
            (
                "NOPERM User app has no permissions to run the 'evalsha' command",
                Some(Obstacle::Denied),
            ),
            ("ERR unknown command `EVALSHA`, with args beginning with: ", Some(Obstacle::Unknown)),
            ("ERR unknown command 'EVAL', with args beginning with: ", Some(Obstacle::Unknown)),
            ("ERR Could not find scripting engine 'lua'", Some(Obstacle::NoEngine)),
            ("NOPERM No permissions to access a key", None),
            ("ERR Error running script (call to f_1f8f): @user_script:1: boom", None),
            (
                "ERR The user executing the script can't run this command or subcommand script: \
                    1f8f, on @user_script:1.",
                None,
            ),
            ("NOSCRIPT No matching script.", None),
            ("LOADING Redis is loading the dataset in memory", None),
            ("OOM command not allowed when used memory > 'maxmemory'.", None),
        ] {
            assert_eq!(Obstacle::of(&reply(&format!("-{error}"))), obstacle, "{error}");
        }
    }

    #[test]
    fn a_trial_is_not_refused_for_what_is_in_it() {
        let tried = |eval: &str, evalsha: &str| {
            Scripting::tried([&reply(eval), &reply(evalsha)]).obstacle()
        };
        assert_eq!(tried(":1", ":1"), None);
        assert_eq!(tried(":1", "-NOSCRIPT No matching script."), None);
        assert_eq!(tried("-LOADING Redis is loading", "-LOADING Redis is loading"), None);
        assert_eq!(tried(":1", "-ERR unknown command 'EVALSHA'"), Some(Obstacle::Unknown));
        assert_eq!(tried("-ERR not supported here", ":1"), Some(Obstacle::NoEngine));
        assert_eq!(
            tried("-ERR Could not find scripting engine 'lua'", "-NOSCRIPT No matching script."),
            Some(Obstacle::NoEngine)
        );
    }

    #[test]
    fn what_is_refused_is_news_once_and_an_unknown_command_stays_so() {
        let scripting = Scripting::default();
        assert_eq!((scripting.obstacle(), scripting.pause()), (None, None));
        assert!(scripting.lose(Obstacle::Denied));
        assert!(!scripting.lose(Obstacle::Unknown), "known");
        assert_eq!(
            (scripting.obstacle(), scripting.pause()),
            (Some(Obstacle::Denied), Some(AGAIN))
        );
        let scripting = Scripting::default();
        assert!(scripting.lose(Obstacle::Unknown));
        assert_eq!(scripting.pause(), None);
    }
}
