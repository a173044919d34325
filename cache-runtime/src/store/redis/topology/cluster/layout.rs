//! Where all keys are, for those who have to see each of them.

use redis::Cmd;

use crate::error::Refusal;
use crate::store::redis::connection::session::Session;
use crate::store::redis::connection::wire::RespValue;
use crate::store::redis::topology::cluster::Cluster;
use crate::store::redis::topology::cluster::map::Member;
use crate::store::sweeps::STEP;
use crate::store::{StoreError, StoreResult};
use crate::support::budget::Deadline;

/// What each primary says of its own slots. While that stays as it is no key moves from one to
/// another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Layout {
    /// One for each primary, in the order of their addresses; none where the user may not ask for
    /// it.
    holdings: Vec<(String, Option<Holding>)>,
}

/// The slots of one node: `0-5460 5500 [93->-<id>]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holding(String);

impl Layout {
    /// Whether all is known, and no slot on its way.
    pub(in crate::store) fn is_settled(&self) -> bool {
        self.holdings.iter().all(|(_, it)| it.as_ref().is_some_and(|it| !it.is_moving()))
    }
}

impl Holding {
    /// From the lines of `CLUSTER NODES`.
    fn read(nodes: &str) -> Option<Self> {
        let mut lines = nodes.lines().map(|line| line.splitn(9, ' '));
        let own = lines.find(|line| {
            line.clone().nth(2).is_some_and(|flags| flags.split(',').any(|it| it == "myself"))
        })?;
        Some(Self(own.skip(8).collect()))
    }

    fn is_moving(&self) -> bool {
        self.0.contains('[')
    }

    /// How many slots it serves.
    fn slots(&self) -> usize {
        let ranges = self.0.split_ascii_whitespace().filter(|range| !range.starts_with('['));
        let size = |range: &str| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
            Some(last.checked_sub(first)? + 1)
        };
        ranges.filter_map(size).sum()
    }
}

impl Cluster {
    /// The layout of the nodes of the map. Where these do not have all slots of the map, because it
    /// is out of date, nobody can see every key.
    pub(in crate::store) async fn layout(&self, by: Deadline) -> StoreResult<Layout> {
        self.know(by).await?;
        let map = self.view.map.load_full();
        let mut holdings = Vec::new();
        for Member { endpoint, node, .. } in map.members() {
            let step = by.min(Deadline::now() + STEP);
            let holding = match node.session(step).await {
                Ok(mut session) => session.holding(step).await,
                Err(error) => Err(error),
            };
            let holding = holding.inspect_err(|error| self.note(error))?;
            holdings.push((endpoint.to_string(), holding));
        }
        holdings.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));

        let slots = |(_, holding): &(_, Option<Holding>)| holding.as_ref().map(Holding::slots);
        let found: Option<usize> = holdings.iter().map(slots).sum();
        if found.is_some_and(|found| found < map.slots()) {
            self.doubt();
            return Err(StoreError::Refused(Refusal::new("TRYAGAIN", "")));
        }
        Ok(Layout { holdings })
    }
}

impl Session<'_> {
    async fn holding(&mut self, by: Deadline) -> StoreResult<Option<Holding>> {
        let mut question = Cmd::new();
        question.arg("CLUSTER").arg("NODES");
        match self.call(&question, by).await? {
            RespValue::ServerError(error) if error.code() == "NOPERM" => Ok(None),
            reply @ RespValue::ServerError(_) => Err(self.refused(reply)),
            reply => Ok(reply.text().and_then(Holding::read)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(own: &str) -> Holding {
        let nodes = format!(
            "1b2d 10.0.0.2:6379@16379 master - 0 1426238317741 2 connected 5461-16383\n\
             07c3 10.0.0.1:6379@16379,host myself,master - 0 0 3 connected{own}\n"
        );
        Holding::read(&nodes).unwrap()
    }

    #[test]
    fn a_node_says_what_it_has() {
        let settled = holding(" 0-5459 5460");
        assert_eq!((settled.slots(), settled.is_moving()), (5461, false));
        let moving = holding(" 0-99 [93->-1b2d] [200-<-1b2d]");
        assert_eq!((moving.slots(), moving.is_moving()), (100, true));
        assert_eq!(holding("").slots(), 0);
        assert_eq!(Holding::read(""), None);
    }

    #[test]
    fn a_layout_is_settled_if_all_of_it_is_known_and_still() {
        let layout = |holdings: &[Option<Holding>]| Layout {
            holdings: holdings.iter().map(|it| (String::new(), it.clone())).collect(),
        };
        let (still, moving) = (Some(holding(" 0-99")), Some(holding(" 0-99 [93->-1b2d]")));
        assert!(layout(&[]).is_settled());
        assert!(layout(&[still.clone(), still.clone()]).is_settled());
        assert!(!layout(&[still.clone(), moving]).is_settled());
        assert!(!layout(&[still, None]).is_settled());
    }
}
