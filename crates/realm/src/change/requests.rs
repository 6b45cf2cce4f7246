//! Requests and rules as bytes.

use super::shared;
use crate::caller::Actor;
use crate::codec::{CodecError, Reader, Writer};
use crate::request::{Asked, Decider, Outcome, Settlement};
use crate::rule::{Effect, RuleForm, Scope};

pub(super) fn write_asked(w: &mut Writer, asked: &Asked) {
    w.uuid(asked.id);
    w.u64(asked.number);
    w.text(&asked.session);
    w.text(&asked.tool);
    w.option(asked.path.as_deref(), Writer::text);
    w.slot(&asked.action);
    w.slot(&asked.description);
    w.slot(&asked.params);
    w.option(asked.parent_tool_call.as_deref(), Writer::text);
    asked.requester.write(w);
    w.i64(asked.expires_at);
    w.u32(asked.size);
}

pub(super) fn read_asked(r: &mut Reader<'_>) -> Result<Asked, CodecError> {
    Ok(Asked {
        id: r.uuid()?,
        number: r.u64()?,
        session: shared(r.text()?),
        tool: shared(r.text()?),
        path: r.option(|r| r.text().map(shared))?,
        action: r.slot()?,
        description: r.slot()?,
        params: r.slot()?,
        parent_tool_call: r.option(|r| r.text().map(shared))?,
        requester: Actor::read(r)?,
        expires_at: r.i64()?,
        size: r.u32()?,
    })
}

pub(super) fn write_settlement(w: &mut Writer, settlement: &Settlement) {
    w.uuid(settlement.id);
    w.text(&settlement.session);
    write_outcome(w, settlement.outcome);
    write_decider(w, &settlement.by);
    w.option(settlement.reason.as_ref(), Writer::slot);
    w.option(settlement.edited_params.as_ref(), Writer::slot);
    w.u32(settlement.size);
}

pub(super) fn read_settlement(r: &mut Reader<'_>) -> Result<Settlement, CodecError> {
    Ok(Settlement {
        id: r.uuid()?,
        session: shared(r.text()?),
        outcome: read_outcome(r)?,
        by: read_decider(r)?,
        reason: r.option(Reader::slot)?,
        edited_params: r.option(Reader::slot)?,
        size: r.u32()?,
    })
}

pub(crate) fn write_outcome(w: &mut Writer, outcome: Outcome) {
    w.u8(match outcome {
        Outcome::Granted => 1,
        Outcome::Denied => 2,
        Outcome::Expired => 3,
        Outcome::Cancelled => 4,
    });
}

pub(crate) fn read_outcome(r: &mut Reader<'_>) -> Result<Outcome, CodecError> {
    Ok(match r.u8()? {
        1 => Outcome::Granted,
        2 => Outcome::Denied,
        3 => Outcome::Expired,
        4 => Outcome::Cancelled,
        other => return Err(CodecError::Unknown { what: "an outcome", found: other.to_string() }),
    })
}

pub(crate) fn write_decider(w: &mut Writer, decider: &Decider) {
    match decider {
        Decider::Actor(actor) => {
            w.u8(0);
            actor.write(w);
        }
        Decider::Rule(id) => {
            w.u8(1);
            w.uuid(*id);
        }
        Decider::Timeout => w.u8(2),
    }
}

pub(crate) fn read_decider(r: &mut Reader<'_>) -> Result<Decider, CodecError> {
    Ok(match r.u8()? {
        0 => Decider::Actor(Actor::read(r)?),
        1 => Decider::Rule(r.uuid()?),
        2 => Decider::Timeout,
        other => return Err(CodecError::Unknown { what: "a decider", found: other.to_string() }),
    })
}

pub(crate) fn write_rule(w: &mut Writer, rule: &RuleForm) {
    w.uuid(rule.id);
    w.u64(rule.number);
    w.u8(match rule.effect {
        Effect::Allow => 1,
        Effect::Ask => 2,
        Effect::Deny => 3,
    });
    w.text(&rule.tool);
    w.option(rule.command.as_deref(), Writer::text);
    w.option(rule.path.as_deref(), Writer::text);
    w.option(
        match &rule.scope {
            Scope::Realm => None,
            Scope::Session(id) => Some(&**id),
        },
        Writer::text,
    );
    w.option(rule.expires, Writer::i64);
    rule.by.write(w);
}

pub(crate) fn read_rule(r: &mut Reader<'_>) -> Result<RuleForm, CodecError> {
    let (id, number) = (r.uuid()?, r.u64()?);
    let effect = match r.u8()? {
        1 => Effect::Allow,
        2 => Effect::Ask,
        3 => Effect::Deny,
        other => return Err(CodecError::Unknown { what: "an effect", found: other.to_string() }),
    };
    Ok(RuleForm {
        id,
        number,
        effect,
        tool: shared(r.text()?),
        command: r.option(|r| r.text().map(shared))?,
        path: r.option(|r| r.text().map(shared))?,
        scope: r.option(|r| r.text().map(shared))?.map_or(Scope::Realm, Scope::Session),
        expires: r.option(Reader::i64)?,
        by: Actor::read(r)?,
    })
}
