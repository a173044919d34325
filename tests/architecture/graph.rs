//! Circles in a graph.

use std::collections::{BTreeMap, BTreeSet};

/// The strongly connected components of more than one node (Tarjan, SIAM J. Comput. 1972), each in
/// the order of its names.
pub(crate) fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let mut search = Search::new(edges);
    for node in edges.keys() {
        if !search.index.contains_key(node.as_str()) {
            search.visit(node);
        }
    }
    search.found.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    search.found
}

struct Search<'a> {
    edges: &'a BTreeMap<String, BTreeSet<String>>,
    index: BTreeMap<&'a str, usize>,
    /// The first node on the stack that can be reached.
    lowest: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    found: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    fn new(edges: &'a BTreeMap<String, BTreeSet<String>>) -> Self {
        let (index, lowest) = (BTreeMap::new(), BTreeMap::new());
        Self { edges, index, lowest, stack: Vec::new(), found: Vec::new() }
    }

    fn visit(&mut self, node: &'a str) {
        let own = self.index.len();
        self.index.insert(node, own);
        self.stack.push(node);
        let mut lowest = own;
        for next in self.edges.get(node).into_iter().flatten() {
            match self.index.get(next.as_str()) {
                None => {
                    self.visit(next);
                    lowest = lowest.min(self.lowest[next.as_str()]);
                }
                Some(&index) if self.stack.contains(&next.as_str()) => lowest = lowest.min(index),
                Some(_) => {}
            }
        }
        self.lowest.insert(node, lowest);
        if lowest == own {
            let begin = self.stack.iter().position(|it| *it == node).expect("it was pushed");
            let mut circle: Vec<_> = self.stack.drain(begin..).map(ToOwned::to_owned).collect();
            if circle.len() > 1 {
                circle.sort_unstable();
                self.found.push(circle);
            }
        }
    }
}
