//! Relationships and what they are of as bytes.

use grantd_engine::{
    Condition, Key, Object, ObjectRef, RelationName, Relationship, RelationshipRef, Subject, SubjectRef,
    TypeName,
};

use super::unknown;
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};

pub(super) fn write_object(w: &mut Writer, object: &Object) {
    w.text(object.kind());
    w.text(object.id());
}

pub(crate) fn read_object(r: &mut Reader<'_>) -> Result<Object, CodecError> {
    Object::new(r.text()?, r.text()?).map_err(unknown("an object"))
}

fn read_relation(r: &mut Reader<'_>) -> Result<RelationName, CodecError> {
    RelationName::try_new(r.text()?).map_err(unknown("a relation"))
}

fn write_subject(w: &mut Writer, subject: &Subject) {
    match subject {
        Subject::Object(object) => {
            w.u8(0);
            write_object(w, object);
        }
        Subject::Userset(object, relation) => {
            w.u8(1);
            write_object(w, object);
            w.text(relation.as_str());
        }
        Subject::Wildcard(kind) => {
            w.u8(2);
            w.text(kind.as_str());
        }
    }
}

fn read_subject(r: &mut Reader<'_>) -> Result<Subject, CodecError> {
    match r.u8()? {
        0 => Ok(Subject::Object(read_object(r)?)),
        1 => Ok(Subject::Userset(read_object(r)?, read_relation(r)?)),
        2 => Ok(Subject::Wildcard(TypeName::try_new(r.text()?).map_err(unknown("a type"))?)),
        other => Err(CodecError::Unknown { what: "a subject", found: other.to_string() }),
    }
}

pub(crate) fn write_key(w: &mut Writer, key: &Key) {
    write_object(w, &key.resource);
    w.text(key.relation.as_str());
    write_subject(w, &key.subject);
}

pub(crate) fn read_key(r: &mut Reader<'_>) -> Result<Key, CodecError> {
    Ok(Key { resource: read_object(r)?, relation: read_relation(r)?, subject: read_subject(r)? })
}

pub(crate) fn write_relationship(w: &mut Writer, relationship: &Relationship) {
    write_key(w, &relationship.key);
    write_terms(w, relationship.until, relationship.condition.as_ref());
}

/// The same bytes as those of the relationship itself.
pub(crate) fn write_relationship_ref(w: &mut Writer, relationship: &RelationshipRef<'_>) {
    let write_object = |w: &mut Writer, object: &ObjectRef<'_>| {
        w.text(object.kind);
        w.text(object.id);
    };
    write_object(w, &relationship.resource);
    w.text(relationship.relation);
    match &relationship.subject {
        SubjectRef::Object(object) => {
            w.u8(0);
            write_object(w, object);
        }
        SubjectRef::Userset(object, relation) => {
            w.u8(1);
            write_object(w, object);
            w.text(relation);
        }
        SubjectRef::Wildcard(kind) => {
            w.u8(2);
            w.text(kind);
        }
    }
    write_terms(w, relationship.until, relationship.condition);
}

fn write_terms(w: &mut Writer, until: Option<Micros>, condition: Option<&Condition>) {
    w.option(until, Writer::i64);
    w.option(condition, |w, condition| {
        w.text(&condition.name);
        w.text(&condition.parameters.to_string());
    });
}

pub(crate) fn read_relationship(r: &mut Reader<'_>) -> Result<Relationship, CodecError> {
    Ok(Relationship {
        key: read_key(r)?,
        until: r.option(Reader::i64)?,
        condition: r.option(read_condition)?,
    })
}

fn read_condition(r: &mut Reader<'_>) -> Result<Condition, CodecError> {
    let name = r.text()?.into();
    let parameters = r.text()?.parse().map_err(unknown("the parameters of a condition"))?;
    Ok(Condition { name, parameters })
}
