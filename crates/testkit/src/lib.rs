//! What the tests of all crates share.

pub mod clock;
pub mod reference;
pub mod world;
