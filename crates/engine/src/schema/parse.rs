use super::{Schema, SchemaError, Source};
pub(super) fn parse(sources: &[Source<'_>]) -> Result<Schema, SchemaError> {
    let _ = sources;
    todo!()
}
