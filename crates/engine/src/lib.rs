//! Who may do what to which.
//!
//! The engine holds one realm's relationships in memory and answers questions about them. It is pure: no async, no I/O,
//! no clock (the time of a question is an argument), no SQL, and no JSON on the way of a check.
//!
//! - [`Schema`] says which types and relations exist, and who may stand in them.
//! - [`Graph`] holds the relationships; cloning it is a snapshot and a fork at once.
//! - [`Graph::check`] answers a [`Question`].

mod check;
mod circumstances;
pub mod condition;
mod explain;
mod graph;
mod name;
mod object;
pub mod path;
mod relationship;
pub mod schema;
mod search;
pub mod segment;
mod subject;
mod text;
mod value;

pub use check::{BrokenCondition, CheckError, Decision, MAX_DEPTH, MAX_STEPS, Question};
pub use circumstances::{Circumstances, Entities, NoEntities};
pub use explain::{Absence, Explanation, Miss, PropertySource, PropertyUse, Reason, Witness};
pub use graph::{
    Filter, Fold, Folded, Graph, NotADump, RelationshipRef, Resource, Standing, StoredShape, Written,
};
pub use name::{MAX_ID, MAX_NAME, NameError, RelationName, TypeName};
pub use object::{Object, ObjectRef};
pub use relationship::{Condition, Key, Relationship};
pub use schema::{Inadmissible, Schema, SchemaError, Source};
pub use search::{FoundResource, MAX_CANDIDATES};
pub use subject::{Subject, SubjectRef};
pub use value::{NotProperties, Properties, Value};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;
