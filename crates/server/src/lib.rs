//! Everything that listens: the edge, the faces, the pages.

pub mod edge;
pub mod telemetry;
