//! The dialect's bodies as on the wire: camelCase, ids as lower-case UUIDs, times in RFC 3339.

use std::collections::BTreeMap;

use grantd_node::realm::Micros;
use grantd_node::realm::repository_grant::AccessLevel as Level;
use grantd_node::realm::vm_grant::VmGrantView;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::time::rfc3339;

/// The empty answer: `{}`. A 204 would make the clients throw.
#[derive(Serialize)]
pub(super) struct Empty {}

/// FreestyleIdentity.
#[derive(Serialize)]
pub(super) struct Identity {
    pub(super) id: Uuid,
    pub(super) managed: bool,
}

/// ListIdentitiesSuccess.
#[derive(Serialize)]
pub(super) struct Identities {
    pub(super) identities: Vec<Identity>,
    pub(super) offset: u64,
    pub(super) total: u64,
}

/// CreatedToken. A repeated answer has no secret any more.
#[derive(Serialize)]
pub(super) struct CreatedToken {
    pub(super) id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
}

/// AccessTokenInfo.
#[derive(Serialize)]
pub(super) struct TokenInfo {
    pub(super) id: Uuid,
}

/// ListGitTokensSuccess.
#[derive(Serialize)]
pub(super) struct Tokens {
    pub(super) tokens: Vec<TokenInfo>,
}

/// AccessLevel.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccessLevel {
    Read,
    Write,
}

impl From<Level> for AccessLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Read => Self::Read,
            Level::Write => Self::Write,
        }
    }
}

impl From<AccessLevel> for Level {
    fn from(level: AccessLevel) -> Self {
        match level {
            AccessLevel::Read => Self::Read,
            AccessLevel::Write => Self::Write,
        }
    }
}

/// Visibility.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Visibility {
    Public,
    Private,
}

impl Visibility {
    pub(super) fn of(public: bool) -> Self {
        if public { Self::Public } else { Self::Private }
    }
}

/// GrantGitPermissionRequest and UpdateGitPermissionRequest.
#[derive(Deserialize)]
pub(super) struct GitPermissionRequest {
    pub(super) permission: AccessLevel,
}

/// DescribeGitPermissionSuccess.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GitPermission {
    pub(super) identity: Uuid,
    pub(super) repo: Uuid,
    pub(super) access_level: Option<AccessLevel>,
}

/// AccessibleRepository.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessibleRepository {
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) account_id: Uuid,
    pub(super) permissions: AccessLevel,
    pub(super) visibility: Visibility,
}

/// ListGitPermissionSuccess.
#[derive(Serialize)]
pub(super) struct AccessibleRepositories {
    pub(super) repositories: Vec<AccessibleRepository>,
}

/// GrantVmPermissionRequest: no list and an explicit null both mean every Linux user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantVmRequest {
    pub(super) allowed_users: Option<Vec<String>>,
}

/// UpdateAllowedUsersRequestBody: only an explicit null opens all; without the key nothing is decided.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateAllowedUsers {
    #[serde(default, deserialize_with = "present")]
    pub(super) allowed_users: Option<Option<Vec<String>>>,
}

/// Tells a member that is null from one that is absent.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// VmPermission.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VmPermission {
    pub(super) id: Uuid,
    pub(super) vm_id: String,
    pub(super) identity_id: Uuid,
    pub(super) allowed_users: Option<Vec<String>>,
    pub(super) granted_at: String,
    pub(super) granted_by: Uuid,
}

impl VmPermission {
    /// The account stands for whoever granted it.
    pub(super) fn new(grant: VmGrantView, account: Uuid) -> Self {
        Self {
            id: grant.id,
            vm_id: grant.vm,
            identity_id: grant.identity,
            allowed_users: grant.allowed_users,
            granted_at: rfc3339(grant.granted_at),
            granted_by: account,
        }
    }
}

/// ListVmPermissionsSuccess.
#[derive(Serialize)]
pub(super) struct VmPermissions {
    pub(super) permissions: Vec<VmPermission>,
    pub(super) offset: u64,
    pub(super) total: u64,
}

/// `limit` and `offset`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paging {
    pub(super) limit: Option<String>,
    pub(super) offset: Option<String>,
    pub(super) include_managed: Option<String>,
    pub(super) search: Option<String>,
}

/// A page that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: u64,
    pub(super) limit: u64,
}

/// Without a limit, and at most.
const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;

impl Paging {
    /// The page, or what is wrong with the query. `null` and nothing mean the default.
    pub(super) fn page(&self) -> Result<Page, super::errors::Error> {
        let number = |text: &Option<String>, name: &str| match text.as_deref() {
            None | Some("" | "null") => Ok(None),
            Some(text) => match text.parse::<i64>().ok().and_then(|n| u64::try_from(n).ok()) {
                Some(number) => Ok(Some(number)),
                None => Err(super::errors::Error::invalid(format!(
                    "`{name}` must be a whole number, not negative"
                ))),
            },
        };
        Ok(Page {
            offset: number(&self.offset, "offset")?.unwrap_or(0),
            limit: number(&self.limit, "limit")?.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT),
        })
    }

    /// `includeManaged`.
    pub(super) fn include_managed(&self) -> Result<bool, super::errors::Error> {
        match self.include_managed.as_deref() {
            None | Some("" | "null" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(super::errors::Error::invalid("`includeManaged` must be `true` or `false`")),
        }
    }
}

impl Page {
    /// The items on this page.
    pub(super) fn of<T>(self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let (offset, limit) = (usize::try_from(self.offset), usize::try_from(self.limit));
        items.skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or(usize::MAX))
    }
}

/// POST `/git/v1/repo`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRepository {
    pub(super) name: Option<String>,
    pub(super) public: Option<bool>,
    pub(super) default_branch: Option<String>,
    pub(super) source: Option<serde_json::Value>,
    pub(super) import: Option<serde_json::Value>,
}

/// Its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RepositoryCreated {
    pub(super) repo_id: Uuid,
}

/// What a repository has, by name.
#[derive(Serialize)]
pub(super) struct Refs {
    pub(super) branches: BTreeMap<String, Branch>,
    pub(super) tags: BTreeMap<String, Tag>,
}

/// A branch. The default one is there before its first commit.
#[derive(Serialize)]
pub(super) struct Branch {
    pub(super) default: bool,
    pub(super) name: String,
    pub(super) target: Option<String>,
}

/// A tag.
#[derive(Serialize)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) target: String,
}

/// One repository of a list. The published schema has no id and the clients read either name, so both are sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedRepository {
    pub(super) id: Uuid,
    pub(super) repo_id: Uuid,
    pub(super) name: Option<String>,
    pub(super) account_id: Uuid,
    pub(super) visibility: Visibility,
    pub(super) default_branch: String,
    #[serde(flatten)]
    pub(super) refs: Refs,
}

/// GET `/git/v1/repo`.
#[derive(Serialize)]
pub(super) struct Repositories {
    pub(super) repositories: Vec<ListedRepository>,
    pub(super) total: u64,
    pub(super) offset: u64,
}

/// GET `/git/v1/repo/{repo}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Repository {
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) account_id: Uuid,
    pub(super) visibility: Visibility,
    pub(super) default_branch: String,
    pub(super) created_at: String,
    #[serde(flatten)]
    pub(super) refs: Refs,
}

/// GET and PUT `.../visibility`.
#[derive(Serialize, Deserialize)]
pub(super) struct VisibilityBody {
    pub(super) visibility: Visibility,
}

/// GET and PUT `.../default-branch`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefaultBranchBody {
    pub(super) default_branch: String,
}

/// GET `/auth/v1/whoami`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whoami {
    pub(super) account_id: Uuid,
    pub(super) identity_id: Option<Uuid>,
}

/// A time as RFC 3339, in UTC.
pub(super) fn time(micros: Micros) -> String {
    rfc3339(micros)
}

/// POST `/git/v1/repo/{repo}/trigger`.
#[derive(Deserialize)]
pub(super) struct CreateTrigger {
    pub(super) trigger: TriggerFilter,
    pub(super) action: TriggerAction,
}

/// GitTrigger: of what; without branches and globs, of every push.
#[derive(Serialize, Deserialize)]
pub(super) struct TriggerFilter {
    pub(super) event: TriggerEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branches: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) globs: Option<Vec<String>>,
}

/// What happens.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TriggerEvent {
    Push,
}

/// GitTriggerAction: what is done.
#[derive(Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(super) enum TriggerAction {
    Webhook { endpoint: String },
}

/// Its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TriggerCreated {
    pub(super) trigger_id: Uuid,
}

/// GitRepositoryTrigger.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trigger {
    pub(super) id: Uuid,
    pub(super) repository_id: Uuid,
    pub(super) trigger: TriggerFilter,
    pub(super) action: TriggerAction,
    pub(super) managed: bool,
    pub(super) created_at: String,
}

/// GET `/git/v1/repo/{repo}/trigger`.
#[derive(Serialize)]
pub(super) struct Triggers {
    pub(super) triggers: Vec<Trigger>,
}
