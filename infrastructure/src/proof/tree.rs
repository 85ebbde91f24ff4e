//! The tree of hashes over a ledger's events, built as RFC 6962 builds it: one hash, the root, stands for all events up
//! to a position, and a few hashes show that one event is among them without showing any other.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::postgres::hash::Hash;

/// The tree over the events seen so far; in memory, only what is needed to go on.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    /// The whole subtrees so far, largest first, each with its height.
    peaks: Vec<(u32, Hash)>,
}

impl Tree {
    /// Adds the hash of the next event.
    pub(crate) fn push(&mut self, event: &Hash) {
        let (mut height, mut node) = (0, leaf(event));
        while let Some((_, left)) = self.peaks.pop_if(|(of, _)| *of == height) {
            node = parent(&left, &node);
            height += 1;
        }
        self.peaks.push((height, node));
    }

    /// The hash that stands for all of them.
    pub(crate) fn root(&self) -> Hash {
        let joined = self.peaks.iter().rev().map(|(_, peak)| *peak).reduce(|right, left| parent(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest(b"").into())
    }
}

/// Collects, while the events pass by in order, the hashes that lead from one of them to the root.
pub(crate) struct Path {
    next: u64,
    /// The subtrees beside the way from the event up, and what they come to.
    siblings: Vec<(Range<u64>, Tree)>,
}

impl Path {
    /// For the event with this index, from 0, among so many.
    pub(crate) fn new(index: u64, size: u64) -> Self {
        let mut siblings = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            // The largest power of two that is smaller than the number of events.
            let middle = start + (1 << (end - start - 1).ilog2());
            let (here, beside) =
                if index < middle { (start..middle, middle..end) } else { (middle..end, start..middle) };
            siblings.push((beside, Tree::default()));
            (start, end) = (here.start, here.end);
        }
        siblings.reverse();
        Self { next: 0, siblings }
    }

    /// Adds the hash of the next event.
    pub(crate) fn push(&mut self, event: &Hash) {
        if let Some((_, tree)) = self.siblings.iter_mut().find(|(range, _)| range.contains(&self.next)) {
            tree.push(event);
        }
        self.next += 1;
    }

    /// The hashes, from the event's neighbour up.
    pub(crate) fn hashes(&self) -> Vec<Hash> {
        self.siblings.iter().map(|(_, tree)| tree.root()).collect()
    }
}

/// The root that follows from an event, its index, the number of all events and the hashes beside its way up; `None`
/// when there are too few or too many of these.
pub(crate) fn root_of(event: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last) = (index, size.checked_sub(1).filter(|last| index <= *last)?);
    let mut node = leaf(event);
    for beside in path {
        if last == 0 {
            return None;
        }
        if index % 2 == 1 || index == last {
            node = parent(beside, &node);
            // The last of a level without a right neighbour goes up as it is.
            while index % 2 == 0 && index > 0 {
                (index, last) = (index / 2, last / 2);
            }
        } else {
            node = parent(&node, beside);
        }
        (index, last) = (index / 2, last / 2);
    }
    (last == 0).then_some(node)
}

fn leaf(event: &Hash) -> Hash {
    Sha256::new().chain_update([0]).chain_update(event).finalize().into()
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(size: u64) -> Vec<Hash> {
        (0..size).map(|event| Sha256::digest(event.to_be_bytes()).into()).collect()
    }

    /// As the RFC defines it.
    fn defined(events: &[Hash]) -> Hash {
        match events {
            [] => Sha256::digest(b"").into(),
            [event] => leaf(event),
            _ => {
                let (left, right) = events.split_at(events.len().next_power_of_two() / 2);
                parent(&defined(left), &defined(right))
            }
        }
    }

    fn built(events: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        events.iter().for_each(|event| tree.push(event));
        tree.root()
    }

    #[test]
    fn the_root_is_the_one_that_the_rfc_defines() {
        for size in 0..70 {
            assert_eq!(built(&events(size)), defined(&events(size)), "{size} events");
        }
    }

    #[test]
    fn the_path_of_every_event_leads_to_the_root_and_no_other_does() {
        for size in 1..40 {
            let all = events(size);
            for index in 0..size {
                let mut path = Path::new(index, size);
                all.iter().for_each(|event| path.push(event));
                let (hashes, event) = (path.hashes(), &all[index as usize]);
                assert_eq!(root_of(event, index, size, &hashes), Some(built(&all)), "{index} of {size}");
                assert_ne!(root_of(&[9; 32], index, size, &hashes), Some(built(&all)), "another event");
                assert_ne!(
                    root_of(event, (index + 1) % size.max(2), size, &hashes),
                    Some(built(&all)),
                    "another place"
                );
                let longer: Vec<Hash> = hashes.iter().copied().chain([[0; 32]]).collect();
                assert_eq!(root_of(event, index, size, &longer), None, "too long");
            }
        }
    }

    #[test]
    fn the_form_is_frozen() {
        assert_eq!(
            hex::encode(built(&[[1; 32], [2; 32], [3; 32]])),
            hex::encode(parent(&parent(&leaf(&[1; 32]), &leaf(&[2; 32])), &leaf(&[3; 32])))
        );
    }
}
