//! The realm's own permission model, which stands beside the built-in ones.

use std::sync::Arc;

use grantd_engine::condition::ParameterType;
use grantd_engine::schema::Expression;
use grantd_engine::{Schema, SchemaError, Source, StoredShape};

use crate::State;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::Refusal;

/// What messages call the text of the model.
const NAME: &str = "schema";

/// The most orphans that an answer names.
pub const SHOWN_ORPHANS: usize = 100;

/// A model as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelForm {
    /// In the modelling language; the empty text is no model.
    Text(String),
    /// In its JSON form.
    Json(String),
}

/// Gives the realm a model of its own, in place of the one that it has. Built-in types may be named in it, not changed.
///
/// Refused if a stored relationship would fit no longer.
pub struct PutModel {
    /// The model.
    pub model: ModelForm,
    /// Only say what would be orphaned; change nothing.
    pub dry_run: bool,
}

/// Stored relationships that a model would not admit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orphans {
    /// How many there are.
    pub count: u64,
    /// The first of them in key order, up to [`SHOWN_ORPHANS`], as `resource#relation@subject`.
    pub first: Vec<String>,
}

impl Answer for Orphans {
    fn encode(&self, w: &mut Writer) {
        w.u64(self.count);
        w.u64(self.first.len() as u64);
        self.first.iter().for_each(|relationship| w.text(relationship));
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let count = r.u64()?;
        let first = (0..r.u64()?).map(|_| r.text().map(Into::into)).collect::<Result<_, _>>()?;
        Ok(Self { count, first })
    }
}

impl Command for PutModel {
    type Answer = Orphans;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<Orphans>, Refusal> {
        let unfit = |problem: SchemaError| Refusal::invalid("schema", problem.to_string());
        let (schema, text) = match &self.model {
            ModelForm::Text(text) => (with_own(&state.builtin, text).map_err(unfit)?, text.clone()),
            ModelForm::Json(json) => {
                let schema = state.builtin.extend_json(NAME, json).map_err(unfit)?;
                let text = schema.without(&state.builtin).to_text();
                (schema, text)
            }
        };
        let orphans = orphans(state, &schema);
        if self.dry_run {
            return Ok(Decision::unchanged(orphans));
        }
        if orphans.count > 0 {
            return Err(Refusal::Orphans(orphans));
        }
        if state.model() == text {
            return Ok(Decision::unchanged(orphans));
        }
        Ok(Decision::one(Change::ModelPut { text }, orphans))
    }
}

impl State {
    /// The realm's own model, as it was given; empty if it has none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What the realm's own model defines, the built-in types that it mentions named without their relations.
    pub fn own_schema(&self) -> Schema {
        self.graph().schema().without(&self.builtin)
    }

    pub(crate) fn put_model(&mut self, text: &str) -> Result<(), String> {
        let schema = with_own(&self.builtin, text).map_err(|problem| problem.to_string())?;
        self.graph.set_schema(Arc::new(schema));
        self.model = shared(text);
        Ok(())
    }
}

fn with_own(builtin: &Schema, text: &str) -> Result<Schema, SchemaError> {
    builtin.extend(&[Source { name: NAME, text }])
}

/// The stored relationships that the schema would not admit. Looks at their shapes, and at single ones only where a shape
/// does not tell.
fn orphans(state: &State, schema: &Schema) -> Orphans {
    let mut orphans = Orphans::default();
    let graph = state.graph();
    for shape in graph.shapes() {
        let fit = fit(schema, graph.schema(), &shape);
        let looked_at = match fit {
            Fit::All => continue,
            Fit::None => graph.of_shape(&shape, SHOWN_ORPHANS),
            Fit::Some => graph
                .of_shape(&shape, usize::MAX)
                .into_iter()
                .filter(|one| schema.admits(&one.key, one.condition.as_ref()).is_err())
                .collect(),
        };
        // The count of a shape also has those that are gone and not swept away.
        let all = fit == Fit::None && looked_at.len() == SHOWN_ORPHANS;
        orphans.count += if all { shape.count } else { looked_at.len() as u64 };
        orphans.first.extend(looked_at.iter().take(SHOWN_ORPHANS).map(|one| one.key.to_string()));
        orphans.first.truncate(SHOWN_ORPHANS);
    }
    orphans
}

/// How many relationships of a shape a schema admits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    All,
    Some,
    None,
}

fn fit(new: &Schema, old: &Schema, shape: &StoredShape) -> Fit {
    let (kind, relation) = (shape.resource_type.as_str(), shape.relation.as_str());
    let types = new.expression(kind, relation).map(Expression::direct_types).unwrap_or_default();
    let condition = shape.condition.as_deref();
    if !types.iter().any(|one| one.form == shape.subject && one.condition.as_deref() == condition) {
        return Fit::None;
    }
    let same_ids = |kind: &str| new.is_path(kind) == old.is_path(kind);
    let parameters = |schema: &Schema| -> Option<Vec<(String, ParameterType)>> {
        let condition = schema.condition(condition?)?;
        Some(condition.parameters().map(|(name, kind)| (name.to_owned(), kind.clone())).collect())
    };
    let same =
        same_ids(kind) && same_ids(shape.subject.kind().as_str()) && parameters(new) == parameters(old);
    if same { Fit::All } else { Fit::Some }
}
