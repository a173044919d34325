//! Which node serves which slot.

use std::sync::Arc;

use super::report::{Claim, Report};
use super::slot::SLOTS;
use crate::store::redis::node::Node;
use crate::store::redis::url::Endpoint;

/// In the place of a member's number: nobody serves the slot.
const NOBODY: u16 = u16::MAX;

/// Which node serves which slot, as far as is known. Replaced as a whole.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// Of each slot, the number of the member that serves it.
    owners: Vec<u16>,
    members: Vec<Member>,
}

/// A primary of the cluster, or a node that is about to be one.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) endpoint: Endpoint,
    pub(super) node: Arc<Node>,
    /// Empty where it is not known: the node was named by a redirection.
    id: String,
    epoch: u64,
}

impl Default for Map {
    fn default() -> Self {
        Self { owners: vec![NOBODY; SLOTS], members: Vec::new() }
    }
}

impl Map {
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(super) fn member(&self, endpoint: &Endpoint) -> Option<&Member> {
        self.members.iter().find(|member| member.endpoint == *endpoint)
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Member> {
        let owner = self.owners.get(usize::from(slot))?;
        self.members.get(usize::from(*owner))
    }

    /// How many slots are served.
    pub(super) fn slots(&self) -> usize {
        self.owners.iter().filter(|owner| **owner != NOBODY).count()
    }

    /// This map, with an additional node of which only the address is known.
    pub(super) fn with(&self, endpoint: &Endpoint, node: Arc<Node>) -> Self {
        let mut map = self.clone();
        map.members.push(Member { endpoint: endpoint.clone(), node, id: String::new(), epoch: 0 });
        map
    }

    /// This map, with one slot given to a member.
    pub(super) fn moved(&self, slot: u16, endpoint: &Endpoint) -> Self {
        let mut map = self.clone();
        let to = map.members.iter().position(|member| member.endpoint == *endpoint);
        if let (Some(owner), Some(to)) = (map.owners.get_mut(usize::from(slot)), to) {
            *owner = number(to);
        }
        map
    }

    /// The map that follows from a node's report. Nodes that serve nothing any more are not in it.
    ///
    /// Nodes learn of changes from each other, some later than others. Of two that claim a slot it is that with the higher
    /// epoch that has it, so a claim is passed over where the node that makes it knows the present owner only as it was
    /// before.
    pub(super) fn updated(
        &self,
        report: &Report,
        connect: impl Fn(&Endpoint) -> Arc<Node>,
    ) -> Self {
        let reported = self.reported(report, connect);
        let is_past = |claimant: Option<&Member>, present: &Member| {
            report.epochs.get(&present.id).is_some_and(|epoch| *epoch < present.epoch)
                && claimant.is_none_or(|claimant| claimant.epoch < present.epoch)
        };
        let mut map = Self::default();
        for (slot, owner) in (0..).zip(&mut map.owners) {
            let claimant = reported.owner(slot);
            let winner = match self.owner(slot) {
                Some(present) if is_past(claimant, present) => Some(present),
                _ => claimant,
            };
            if let Some(winner) = winner {
                *owner = number_of(&mut map.members, winner);
            }
        }
        map
    }

    /// The map as the report has it.
    fn reported(&self, report: &Report, connect: impl Fn(&Endpoint) -> Arc<Node>) -> Self {
        let mut map = Self::default();
        for claim in &report.claims {
            let claimant = match map.member(&claim.endpoint) {
                Some(claimant) => claimant.clone(),
                None => self.claimant(claim, report, &connect),
            };
            let member = number_of(&mut map.members, &claimant);
            let range = usize::from(claim.first)..=usize::from(claim.last);
            if let Some(owners) = map.owners.get_mut(range) {
                owners.fill(member);
            }
        }
        map
    }

    /// Whether a primary has come in the place of one of `former`, or has come back to it. Where that was by a failover, it
    /// may not know what its predecessor had acknowledged.
    pub(super) fn succeeds(&self, former: &Self) -> bool {
        let is_successor = |member: &Member| match former.member(&member.endpoint) {
            Some(known) => known.id == member.id && known.epoch < member.epoch,
            None => true,
        };
        !former.members.is_empty() && self.members.iter().any(is_successor)
    }

    fn claimant(
        &self,
        claim: &Claim,
        report: &Report,
        connect: impl Fn(&Endpoint) -> Arc<Node>,
    ) -> Member {
        let known = self.member(&claim.endpoint);
        let before = known.filter(|known| known.id == claim.id).map_or(0, |known| known.epoch);
        Member {
            endpoint: claim.endpoint.clone(),
            node: known.map_or_else(|| connect(&claim.endpoint), |known| Arc::clone(&known.node)),
            id: claim.id.clone(),
            epoch: report.epochs.get(&claim.id).copied().unwrap_or_default().max(before),
        }
    }
}

/// The number of a member, which may be new.
fn number_of(members: &mut Vec<Member>, member: &Member) -> u16 {
    let known = members.iter().position(|known| Arc::ptr_eq(&known.node, &member.node));
    let position = known.unwrap_or_else(|| {
        members.push(member.clone());
        members.len() - 1
    });
    number(position)
}

/// There are never more members than slots.
fn number(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(NOBODY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::Settings;
    use crate::store::redis::source::Source;
    use crate::store::redis::url::Access;

    fn at(port: u16) -> Endpoint {
        Endpoint::Tcp { host: "host".to_owned(), port }
    }

    fn connect(endpoint: &Endpoint) -> Arc<Node> {
        let source = Source::Member(endpoint.clone());
        Arc::new(Node::new(source, Access::default(), Settings::default()))
    }

    /// What a node says: of each primary its port, its slots and its epoch; of the others their port and epoch.
    fn report(primaries: &[(u16, u16, u16, u64)], others: &[(u16, u64)]) -> Report {
        let claim = |&(port, first, last, _): &(u16, u16, u16, u64)| Claim {
            first,
            last,
            endpoint: at(port),
            id: port.to_string(),
        };
        let epochs = primaries.iter().map(|(port, _, _, epoch)| (*port, *epoch));
        let epochs = epochs.chain(others.iter().copied());
        Report {
            claims: primaries.iter().map(claim).collect(),
            epochs: epochs.map(|(port, epoch)| (port.to_string(), epoch)).collect(),
        }
    }

    fn updated(map: &Map, primaries: &[(u16, u16, u16, u64)], others: &[(u16, u64)]) -> Map {
        map.updated(&report(primaries, others), connect)
    }

    fn owner(map: &Map, slot: u16) -> Option<Endpoint> {
        map.owner(slot).map(|owner| owner.endpoint.clone())
    }

    /// Two primaries; the second has the greater epoch.
    fn pair() -> Map {
        updated(&Map::default(), &[(1, 0, 99, 1), (2, 100, 199, 2)], &[(3, 1)])
    }

    #[test]
    fn nodes_serve_what_they_claim() {
        let map = pair();
        assert_eq!(owner(&map, 0), Some(at(1)));
        assert_eq!(owner(&map, 99), Some(at(1)));
        assert_eq!(owner(&map, 100), Some(at(2)));
        assert_eq!(owner(&map, 200), None);
        assert_eq!((map.slots(), map.members().len()), (200, 2));
    }

    #[test]
    fn a_node_that_stays_keeps_its_connection() {
        let map = pair();
        let next = updated(&map, &[(1, 0, 149, 3), (2, 150, 199, 2)], &[]);
        for port in [1, 2] {
            let node = |map: &Map| Arc::as_ptr(&map.member(&at(port)).unwrap().node);
            assert_eq!(node(&map), node(&next));
        }
    }

    #[test]
    fn a_promoted_replica_comes_in_its_place() {
        let map = pair();
        let next = updated(&map, &[(3, 0, 99, 3), (2, 100, 199, 2)], &[(1, 1)]);
        assert_eq!(owner(&next, 0), Some(at(3)));
        assert!(next.member(&at(1)).is_none(), "the former one has left");
        assert!(next.succeeds(&map));
    }

    #[test]
    fn an_older_report_changes_nothing_back() {
        let map = updated(&Map::default(), &[(3, 0, 99, 3), (2, 100, 199, 2)], &[(1, 1)]);
        let next = updated(&map, &[(1, 0, 99, 1), (2, 100, 199, 2)], &[(3, 1)]);
        assert_eq!(owner(&next, 0), Some(at(3)));
        assert!(!next.succeeds(&map));
        // What it says about others is used nevertheless.
        let next = updated(&map, &[(1, 0, 99, 1), (4, 100, 199, 4)], &[(3, 1), (2, 2)]);
        assert_eq!(owner(&next, 0), Some(at(3)));
        assert_eq!(owner(&next, 100), Some(at(4)));
    }

    #[test]
    fn a_cluster_that_was_built_anew_is_believed() {
        let map = updated(&Map::default(), &[(1, 0, 199, 7)], &[]);
        let next = updated(&map, &[(5, 0, 199, 1)], &[]);
        assert_eq!(owner(&next, 0), Some(at(5)));
        assert_eq!(next.members().len(), 1);
    }

    #[test]
    fn without_epochs_the_last_report_counts() {
        let mut old = report(&[(1, 0, 99, 1)], &[]);
        old.epochs.clear();
        let next = pair().updated(&old, connect);
        assert_eq!(owner(&next, 0), Some(at(1)));
        assert_eq!(owner(&next, 100), None);
    }

    #[test]
    fn a_slot_moves_at_once_and_alone() {
        let map = pair();
        let next = map.moved(5, &at(2));
        assert_eq!(owner(&next, 5), Some(at(2)));
        assert_eq!(owner(&next, 6), Some(at(1)));
        assert!(!next.succeeds(&map), "keys move with their slots");
        // Somebody who does not know it yet is not heard.
        let next = updated(&next, &[(1, 0, 99, 1), (2, 100, 199, 1)], &[]);
        assert_eq!(owner(&next, 5), Some(at(2)));
    }

    #[test]
    fn a_node_that_was_not_there_may_be_a_successor() {
        let map = pair();
        let next = map.with(&at(3), connect(&at(3))).moved(5, &at(3));
        assert_eq!(owner(&next, 5), Some(at(3)));
        assert!(next.succeeds(&map));
        assert!(!map.succeeds(&Map::default()), "nobody was there before");
        // And one that has been elected again, if it was away in between.
        assert!(updated(&map, &[(1, 0, 99, 5), (2, 100, 199, 2)], &[]).succeeds(&map));
    }

    #[test]
    fn nonsense_is_left_out() {
        let map = updated(&Map::default(), &[(1, 99, 0, 1), (2, 16_000, 20_000, 1)], &[]);
        assert_eq!(map.slots(), 0);
    }
}
