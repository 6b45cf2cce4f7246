//! `/api/v1/rules`: standing answers to requests.

use axum::Json;
use grantd_node::realm::caller::Authority;
use grantd_node::realm::refusal::{Noun, Refusal};
use grantd_node::realm::request::Sight;
use grantd_node::realm::rule::{
    CreateRule, DeleteRule, Effect, Replayed, Rule, RuleDraft, Ruling, Scope, replay,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::{Error, invalid};
use super::page::{Page, Paging};
use super::requests::time;
use super::{Call, read};
use crate::call::aside;
use crate::time::rfc3339;

/// How many requests a rule is tried on at most, and without a number.
const REPLAYED: usize = 500;
const REPLAYED_DEFAULT: usize = 100;

/// A rule to be made.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewRule {
    /// allow, ask or deny. Deny beats ask, ask beats allow.
    #[schema(example = "allow")]
    effect: String,
    /// Which tools: a name, in which `*` stands for anything.
    #[schema(example = "Bash")]
    tool: String,
    /// Which shell commands (the parameter `command` or `cmd`): words, in which `*` stands for anything but a slash; as the last
    /// word for any further words. Absent: whatever the parameters are.
    #[schema(example = "git status *")]
    command: Option<String>,
    /// Which paths: `*` stands for anything within a segment, `**` for any segments. Absent: any, and none.
    path: Option<String>,
    /// Only in this session and those below it. Absent: in the whole realm.
    session: Option<String>,
    /// From then on it counts no more. RFC 3339.
    expires: Option<String>,
}

impl NewRule {
    fn draft(self) -> Result<RuleDraft, Error> {
        let effect = Effect::of_name(&self.effect);
        Ok(RuleDraft {
            effect: effect.ok_or_else(|| invalid("effect", "must be allow, ask or deny"))?,
            tool: self.tool,
            command: self.command,
            path: self.path,
            scope: self.session.map_or(Scope::Realm, |session| Scope::Session(session.into())),
            expires: time(self.expires.as_deref(), "expires")?,
        })
    }
}

/// A rule.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RuleBody {
    id: Uuid,
    number: u64,
    effect: &'static str,
    tool: String,
    command: Option<String>,
    path: Option<String>,
    session: Option<String>,
    expires: Option<String>,
    created_at: String,
    /// Who made it; it allows nothing to them.
    created_by: String,
}

impl From<&Rule> for RuleBody {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id,
            number: rule.number,
            effect: rule.effect.name(),
            tool: rule.tool.text().into(),
            command: rule.command.as_ref().map(|command| command.text().into()),
            path: rule.path.as_ref().map(|path| path.text().into()),
            session: match &rule.scope {
                Scope::Realm => None,
                Scope::Session(id) => Some(id.to_string()),
            },
            expires: rule.expires.map(rfc3339),
            created_at: rfc3339(rule.created_at),
            created_by: rule.created_by.to_string(),
        }
    }
}

/// Makes a rule: an approver of the realm, or of the session that it is for.
#[utoipa::path(
    post, path = "/api/v1/rules", tag = "rules", request_body = NewRule,
    responses((status = 201, body = RuleBody), (status = 400), (status = 401), (status = 403), (status = 404), (status = 429))
)]
pub(super) async fn create_rule(call: Call) -> Result<(http::StatusCode, Json<RuleBody>), Error> {
    let draft = read::<NewRule>(&call)?.draft()?;
    let done = call.submit(CreateRule { draft }).await?;
    let published = call.realm.published();
    let rule = published.state.rules().get(done.answer);
    let rule = rule.ok_or_else(|| Refusal::not_found(Noun::Rule, done.answer))?;
    Ok((http::StatusCode::CREATED, Json(RuleBody::from(&**rule))))
}

/// Lists the rules, oldest first.
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "rules", params(Paging),
    responses((status = 200, body = Page<RuleBody>), (status = 401), (status = 403))
)]
pub(super) async fn list_rules(call: Call) -> Result<Json<Page<RuleBody>>, Error> {
    let published = call.published_for(&[Authority::Approver, Authority::Auditor])?;
    let paging: Paging = call.query()?;
    let wanted = paging.wanted(&call, published, "rules")?;
    let after = wanted.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let now = wanted.time;
    let rules = wanted.published.state.rules().iter_after(after).filter(|rule| rule.is_live(now));
    let items = rules.take(wanted.sought()).map(|rule| RuleBody::from(&**rule)).collect();
    Ok(Json(wanted.page(&call, items, |rule: &RuleBody| rule.number.to_string())))
}

/// Deletes a rule.
#[utoipa::path(
    delete, path = "/api/v1/rules/{id}", tag = "rules", params(("id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = 401), (status = 403), (status = 404))
)]
pub(super) async fn delete_rule(call: Call) -> Result<Json<serde_json::Value>, Error> {
    let text = call.param("id");
    let id = Uuid::parse_str(text).map_err(|_| Refusal::not_found(Noun::Rule, text))?;
    call.submit(DeleteRule { id }).await?;
    Ok(Json(serde_json::json!({})))
}

/// A rule to be tried.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct Trial {
    /// The rule.
    rule: NewRule,
    /// On how many of the last requests, up to 500; 100 without it.
    limit: Option<usize>,
}

/// What the rules say of an earlier request, and what they would.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Tried {
    request: Uuid,
    tool: String,
    /// Null if it was erased; cut after 200 characters.
    action: Option<String>,
    /// allow, ask or deny; null if its parameters were erased.
    now: Option<&'static str>,
    /// With the rule.
    would: Option<&'static str>,
}

impl From<Replayed> for Tried {
    fn from(replayed: Replayed) -> Self {
        let effect = |ruling: Option<Ruling>| ruling.map(|ruling| ruling.effect().name());
        let action = replayed.request.action.text();
        Self {
            request: replayed.request.id,
            tool: replayed.request.tool.to_string(),
            action: action.map(|action| action.chars().take(200).collect()),
            now: effect(replayed.now),
            would: effect(replayed.would),
        }
    }
}

/// What came of a trial.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Trials {
    /// Newest first.
    items: Vec<Tried>,
    /// Of how many the answer would be another one.
    changed: usize,
}

/// Tries a rule on the last requests that the caller sees, beside the rules that there are. Nothing is changed.
#[utoipa::path(
    post, path = "/api/v1/rules/test", tag = "rules", request_body = Trial,
    responses((status = 200, body = Trials), (status = 400), (status = 401), (status = 403))
)]
pub(super) async fn test_rule(call: Call) -> Result<Json<Trials>, Error> {
    let published = call.published_for(&[Authority::Approver, Authority::Auditor])?;
    let Trial { rule, limit } = read(&call)?;
    let (draft, now, caller) = (rule.draft()?, call.now(), call.caller.clone());
    draft.check(now)?;
    let limit = limit.unwrap_or(REPLAYED_DEFAULT).min(REPLAYED);
    let replayed = aside(move || {
        let mut sight = Sight::of(&caller, &published.state, now);
        replay(&published.state, &draft, &mut sight, limit, now)
    });
    let items: Vec<Tried> = replayed.await?.into_iter().map(Into::into).collect();
    let changed = items.iter().filter(|tried| tried.now != tried.would).count();
    Ok(Json(Trials { items, changed }))
}
