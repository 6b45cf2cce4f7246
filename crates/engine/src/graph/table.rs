//! Where the names of a base are found: an open-addressing table in order of the hashes.
//!
//! A slot is 16 bytes and says where the id stands, so that a look-up goes from one cache line of the table to the text.
//! As the slots are in order of their tags, a name that is not there is known as such after as many steps as one that is,
//! and a new table is made from an old one and what is new by walking through both: nothing is hashed again.

use super::nodes::NodeId;
use super::symbols::Kind;

/// A name of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The upper half of the name's hash.
    pub(super) tag: u32,
    pub(super) node: NodeId,
    /// Where the id begins in the text.
    pub(super) start: u32,
    /// How many bytes it has; none in a slot that is free.
    pub(super) length: u16,
    pub(super) kind: Kind,
}

const FREE: Slot = Slot { tag: 0, node: 0, start: 0, length: 0, kind: 0 };

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// How many places a tag may lead to. A few slots follow for those that did not get theirs.
    homes: u32,
}

/// The part of a hash that the table keeps.
pub(super) fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl Table {
    /// The table of so many slots, given in order of their tags.
    pub(super) fn new(count: usize, slots: impl Iterator<Item = Slot>) -> Self {
        // Five taken slots in eight places: one look-up in four needs a second cache line.
        let homes = u32::try_from(count.saturating_mul(8) / 5 + 1).unwrap_or(u32::MAX);
        let mut table = Self { slots: Vec::new(), homes };
        table.slots.reserve_exact(homes as usize + 128);
        for slot in slots {
            let home = table.home(slot.tag);
            if table.slots.len() < home {
                table.slots.resize(home, FREE);
            }
            table.slots.push(slot);
        }
        table.slots.resize(table.slots.len().max(homes as usize) + 1, FREE);
        table.slots.shrink_to_fit();
        table
    }

    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * u64::from(self.homes)) >> 32) as usize
    }

    /// The slot with this tag that is the right one.
    pub(super) fn find(&self, tag: u32, is_it: impl Fn(&Slot) -> bool) -> Option<&Slot> {
        for slot in self.slots.get(self.home(tag)..)? {
            if slot.length == 0 || slot.tag > tag {
                break;
            }
            if slot.tag == tag && is_it(slot) {
                return Some(slot);
            }
        }
        None
    }

    /// Every slot that is taken, in order of the tags.
    pub(super) fn taken(&self) -> impl Iterator<Item = Slot> {
        self.slots.iter().copied().filter(|slot| slot.length > 0)
    }
}
