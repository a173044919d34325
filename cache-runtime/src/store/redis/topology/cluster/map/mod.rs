//! Which node serves which slot.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::store::redis::connection::node::Node;
use crate::store::redis::topology::cluster::report::{Claim, Report};
use crate::store::redis::topology::cluster::slot::SLOTS;
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
    /// A slot has moved to it since its epoch was reported.
    has_gained: bool,
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
        map.members.push(Member {
            endpoint: endpoint.clone(),
            node,
            id: String::new(),
            epoch: 0,
            has_gained: false,
        });
        map
    }

    /// This map, with one slot given to a member.
    pub(super) fn moved(&self, slot: u16, endpoint: &Endpoint) -> Self {
        let mut map = self.clone();
        let to = map.members.iter().position(|member| member.endpoint == *endpoint);
        if let (Some(owner), Some(to)) = (map.owners.get_mut(usize::from(slot)), to) {
            *owner = number(to);
            if let Some(member) = map.members.get_mut(to) {
                member.has_gained = true;
            }
        }
        map
    }

    /// The map that follows from a node's report. Nodes that serve nothing any more are not in it.
    ///
    /// Nodes learn of changes from each other, some later than others. Of two that claim a slot it
    /// is that with the higher epoch that has it, so a claim is passed over where the node that
    /// makes it knows the present owner only as it was before.
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

    /// The primaries that have come in the place of one of `former`, or have come back to it. Where
    /// that was by a failover, they may not know what their predecessors had acknowledged.
    ///
    /// | a node | its epoch | is a successor |
    /// |---|---|---|
    /// | was no primary of `former` | any | yes: a promoted replica, or one that gets its first slots |
    /// | was one | as before | no |
    /// | was one, and has slots now that it did not have | higher | no: it has imported them, keys and all; so does Valkey 9 with whole ranges at once |
    /// | was one, with the same slots or fewer | higher | yes: it was away, and has been elected again |
    ///
    /// One that was away, was elected again and imported a slot between two reports is taken for
    /// one that only did the last. Of what came in between, calls would have been told (`MOVED`,
    /// `READONLY`), and have had the map asked for.
    pub(super) fn successors(&self, former: &Self) -> impl Iterator<Item = &Member> {
        let is_successor = |member: &&Member| match former.member(&member.endpoint) {
            Some(known) => {
                known.id == member.id
                    && known.epoch < member.epoch
                    && !known.has_gained
                    && !self.has_gained(member, former)
            }
            None => true,
        };
        let members = if former.members.is_empty() { &[] } else { &self.members[..] };
        members.iter().filter(is_successor)
    }

    /// Whether a member has slots that it did not have in `former`.
    fn has_gained(&self, member: &Member, former: &Self) -> bool {
        let is_its =
            |owner: Option<&Member>| owner.is_some_and(|it| it.endpoint == member.endpoint);
        (0..)
            .zip(&self.owners)
            .any(|(slot, _)| is_its(self.owner(slot)) && !is_its(former.owner(slot)))
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
            // Until a report comes of a node that knows that.
            has_gained: known
                .is_some_and(|known| known.has_gained && !self.is_known_to(report, known)),
        }
    }

    /// Whether a report gives a member all the slots that it has here.
    fn is_known_to(&self, report: &Report, member: &Member) -> bool {
        let claims = report.claims.iter().filter(|claim| claim.endpoint == member.endpoint);
        let claims: Vec<_> = claims.map(|claim| claim.first..=claim.last).collect();
        (0..).zip(&self.owners).all(|(slot, _)| {
            let is_its = self.owner(slot).is_some_and(|it| it.endpoint == member.endpoint);
            !is_its || claims.iter().any(|claim| claim.contains(&slot))
        })
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
