//! The cases, by theme. Each gets a store with nothing in it.

pub(crate) mod appends;
pub(crate) mod bases;
pub(crate) mod damage;
pub(crate) mod erasure;
pub(crate) mod moving;
pub(crate) mod side_data;
pub(crate) mod snapshots;
