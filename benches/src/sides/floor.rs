//! The least that any index must do for a question in texts: two look-ups of a text and one probe of a set of pairs.

use anyhow::ensure;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use crate::data::{Ask, Fact};

/// All ids by number, and all relationships as pairs of numbers.
pub(crate) struct Floor {
    names: HashMap<String, u32, RandomState>,
    pairs: HashSet<(u32, u32), RandomState>,
}

impl Floor {
    /// The facts, and whoever is allowed what in `asks`: one probe cannot follow a group, so the answer itself is put beside
    /// what it follows from.
    pub(crate) fn build(facts: impl Iterator<Item = Fact>, asks: &[&[Ask]]) -> Self {
        let mut floor = Self { names: HashMap::default(), pairs: HashSet::default() };
        for fact in facts {
            let pair = (floor.number(fact.id), floor.number(fact.subject));
            floor.pairs.insert(pair);
        }
        for ask in asks.iter().flat_map(|asks| asks.iter()).filter(|ask| ask.allowed) {
            let pair = (floor.number(ask.resource.clone()), floor.number(ask.subject.clone()));
            floor.pairs.insert(pair);
        }
        floor
    }

    fn number(&mut self, name: String) -> u32 {
        let next = self.names.len() as u32;
        *self.names.entry(name).or_insert(next)
    }

    pub(crate) fn check(&self, ask: &Ask) -> anyhow::Result<bool> {
        let found = self.names.get(ask.resource.as_str()).zip(self.names.get(ask.subject.as_str()));
        ensure!(found.is_some(), "every name that is asked about is known");
        Ok(found.is_some_and(|(resource, subject)| self.pairs.contains(&(*resource, *subject))))
    }
}
