//! The built-in permission models, compiled into the program from `schemas/`.

use std::sync::Arc;

use grantd_engine::{Schema, SchemaError, Source};

/// The text of every built-in model, by file name.
pub const SOURCES: [Source<'static>; 7] = [
    Source { name: "grantd.fga", text: include_str!("../../../schemas/grantd.fga") },
    Source { name: "freestyle.fga", text: include_str!("../../../schemas/freestyle.fga") },
    Source { name: "pulp.fga", text: include_str!("../../../schemas/pulp.fga") },
    Source { name: "approvals.fga", text: include_str!("../../../schemas/approvals.fga") },
    Source { name: "tdp.fga", text: include_str!("../../../schemas/tdp.fga") },
    Source { name: "mollie.fga", text: include_str!("../../../schemas/mollie.fga") },
    Source { name: "web.fga", text: include_str!("../../../schemas/web.fga") },
];

/// The built-in models as one schema. They are compiled in, so that an error here is a build's mistake; a test
/// keeps them parsing.
pub fn schema() -> Result<Arc<Schema>, SchemaError> {
    Schema::parse(&SOURCES).map(Arc::new)
}
