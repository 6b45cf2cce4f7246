//! Relationships that are over.

use super::Graph;
use super::index::Edge;
use crate::Micros;
use crate::relationship::Key;

impl Graph {
    /// Up to `limit` relationships that no longer exist at `now` although nobody has deleted them, those that ended first
    /// in front. Costs as much as it gives.
    #[must_use]
    pub fn ended(&self, now: Micros, limit: usize) -> Vec<Key> {
        let ended = self.ends.iter().take_while(|(until, ..)| *until <= now);
        let edges = ended.map(|(_, resource, key)| (*resource, Edge::from_key(*key)));
        let alive = edges.filter(|(resource, edge)| self.are_alive(*resource, *edge));
        alive.filter_map(|(resource, edge)| self.key(resource, edge)).take(limit).collect()
    }
}
