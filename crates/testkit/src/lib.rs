//! What the tests of all crates share.

pub mod cases;
pub mod clock;
pub mod faulty_store;
pub mod reference;
pub mod world;
