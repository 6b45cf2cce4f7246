//! The realm's own permission model, which stands beside the built-in ones.

use std::sync::Arc;

use grantd_engine::schema::Expression;
use grantd_engine::{Schema, SchemaError, Source};

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

/// The stored relationships that the schema would not admit.
fn orphans(state: &State, schema: &Schema) -> Orphans {
    let mut orphans = Orphans::default();
    if admits_all_of(schema, state.graph().schema()) {
        return orphans;
    }
    state.graph().for_each(|relationship| {
        if schema.admits(&relationship.key, relationship.condition.as_ref()).is_err() {
            orphans.count += 1;
            if orphans.first.len() < SHOWN_ORPHANS {
                orphans.first.push(relationship.key.to_string());
            }
        }
    });
    orphans
}

/// Whether one schema admits whatever the other does, as far as that is seen without looking at relationships.
fn admits_all_of(new: &Schema, old: &Schema) -> bool {
    old.types().all(|kind| {
        let kind = kind.as_str();
        let same_ids = new.is_path(kind) == old.is_path(kind);
        same_ids
            && old.relations(kind).all(|relation| {
                let direct = |schema: &Schema| {
                    let expression = schema.expression(kind, relation.as_str()).cloned();
                    let types = expression.as_ref().map(Expression::direct_types).unwrap_or_default();
                    types.into_iter().cloned().collect::<Vec<_>>()
                };
                let (old_types, new_types) = (direct(old), direct(new));
                old_types.iter().all(|one| {
                    let parameters = |schema: &Schema| {
                        let condition = schema.condition(one.condition.as_deref().unwrap_or_default());
                        condition.map(|condition| {
                            let named = condition.parameters().map(|(name, kind)| (name.to_owned(), kind.clone()));
                            named.collect::<Vec<_>>()
                        })
                    };
                    new_types.contains(one) && parameters(old) == parameters(new)
                })
            })
    })
}
