//! Why a command was refused. Each dialect maps these to its own error bodies.

use std::fmt;

use crate::caller::Authority;
use crate::model::Orphans;
use crate::pulp::Operation;
use crate::request::Status;

/// A command's refusal. It changed nothing. The text is for the person who called; it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller lacks an authority on grantd itself.
    #[error("this needs the relation `{}` on `grantd`, which the caller does not hold", .0.name())]
    NotAllowed(Authority),
    /// The caller would give away what they do not hold.
    #[error("nobody grants what they do not hold: `{}` on `grantd` is missing", .0.name())]
    NotHeld(Authority),
    /// The caller lacks an operation on a URI.
    #[error("this needs the operation {operation}, which the caller does not hold there")]
    OperationDenied {
        /// Which.
        operation: Operation,
    },
    /// What `super-users` may do never changes, nor does that there is such a role.
    #[error("role `super-users` can be neither granted anything, nor revoked anything, nor deleted")]
    SuperUsersFixed,
    /// The role is one that only super users, or its own members, change.
    #[error("role `{role}`, what it holds and who is in it are changed by super users{} only", if role == "admin" { " and its members" } else { "" })]
    ReservedRole {
        /// Which.
        role: String,
    },
    /// Nobody would be left who can administer the realm.
    #[error("user `{login}` is the last super user: put another active user into `super-users` first")]
    LastSuperUser {
        /// Who.
        login: String,
    },
    /// There is no realm: it was deleted, or never made.
    #[error("there is no realm of that name")]
    NoRealm,
    /// A thing that the command names does not exist.
    #[error("there is no {noun} `{id}`")]
    NotFound {
        /// What kind of thing.
        noun: Noun,
        /// Its id, as the caller gave it.
        id: String,
    },
    /// A thing of that name exists already.
    #[error("{noun} `{id}` exists already")]
    Exists {
        /// What kind of thing.
        noun: Noun,
        /// Its id.
        id: String,
    },
    /// An identity that the platform itself made can be neither changed nor deleted through the API.
    #[error("identity `{0}` is managed by the platform")]
    ManagedIdentity(uuid::Uuid),
    /// A value does not fit.
    #[error("`{field}`: {problem}")]
    Invalid {
        /// Which field of the command.
        field: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The relationship stands behind a record or a rule and changes only by its own command.
    #[error("`{relation}` is a managed relation; use {instead}")]
    ManagedRelation {
        /// As `type#relation`.
        relation: String,
        /// The call that changes it.
        instead: &'static str,
    },
    /// A `require` of a relationship write did not hold.
    #[error("the precondition does not hold: `{relationship}` {}", if *.must_exist { "does not exist" } else { "exists" })]
    Precondition {
        /// As `resource#relation@subject`.
        relationship: String,
        /// What was required.
        must_exist: bool,
    },
    /// The new model does not admit relationships that are stored.
    #[error(
        "the model does not admit {} stored relationship{}, such as `{}`: delete what it does not admit, or keep what that needs",
        .0.count, if .0.count == 1 { "" } else { "s" }, .0.first.first().map_or("", String::as_str)
    )]
    Orphans(Orphans),
    /// Nobody decides their own request.
    #[error("nobody decides their own request; an approver other than the one who asked has to")]
    OwnRequest,
    /// The request is not pending any more, and ended otherwise.
    #[error("request `{id}` is {} already", .status.name())]
    RequestSettled {
        /// Which.
        id: uuid::Uuid,
        /// As what.
        status: Status,
    },
    /// The realm holds as many as it can.
    #[error("there are {most} {what} already, which is the most; try again when there are fewer")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there can be.
        most: u64,
    },
    /// What the command would have used once was used by another one meanwhile.
    #[error("somebody else was quicker: what this uses once is used already")]
    Taken,
    /// A member may not agree to this for the organization.
    #[error("{0}")]
    Consent(ConsentProblem),
    /// A code, token or client is not what it should be.
    #[error("{0}")]
    Grant(GrantProblem),
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used with another body; use a new key for a new request")]
    IdempotencyKeyReused,
}

/// Why somebody may not agree for an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentProblem {
    /// They do not belong to it.
    #[error("only members of the organization decide what an app may do there")]
    NotMember,
    /// It wants an admin to approve first.
    #[error(
        "this organization lets its members use only what an admin of it has approved for the app; ask one of them"
    )]
    ApprovalNeeded,
}

/// What is wrong with a code, a token or a client. The texts tell nothing that a thief would not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantProblem {
    /// There is no such client, or the secret is not its own.
    #[error("the client credentials are invalid")]
    Client,
    /// No such code, or another client's.
    #[error("the authorization code does not exist or is not this client's")]
    Code,
    /// Too late.
    #[error("the authorization code has expired; authorize again")]
    CodeExpired,
    /// Not the one that the code was sent to.
    #[error("the redirect URI is not the one that the code was sent to")]
    RedirectUri,
    /// The app has to prove that it began the authorization itself.
    #[error("this app has to send a `code_challenge` (S256)")]
    ChallengeMissing,
    /// Not the one that belongs to the challenge; or missing, or sent without a challenge.
    #[error("the code verifier does not fit the code challenge")]
    Verifier,
    /// No such refresh token, or another client's.
    #[error("the refresh token does not exist or is not this client's")]
    Refresh,
    /// The organization has disconnected the app, or the time is over.
    #[error("the authorization has ended; ask the organization again")]
    Ended,
    /// More than was agreed on.
    #[error("more permissions are asked for than were agreed on")]
    Scope,
    /// The token belongs to another client.
    #[error("the token was not issued to this client")]
    OtherClient,
}

/// The kinds of things that commands name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noun {
    /// A person.
    User,
    /// A role.
    Role,
    /// An API key.
    ApiKey,
    /// A machine identity.
    Identity,
    /// A bearer token of an identity.
    Token,
    /// A git repository.
    Repository,
    /// A grant on a repository.
    RepositoryGrant,
    /// A machine behind the SSH gateway.
    Vm,
    /// A grant on a VM.
    VmGrant,
    /// An SSH key of an identity.
    SshKey,
    /// The stored properties of an entity.
    Entity,
    /// A realm.
    Realm,
    /// An approval session.
    ApprovalSession,
    /// A permission request.
    Request,
    /// A rule.
    Rule,
    /// A webhook.
    Webhook,
    /// Who is told of pushes to a repository.
    Trigger,
    /// An account elsewhere by which somebody signs in.
    LinkedAccount,
    /// A content type.
    ContentType,
    /// A permission of the catalogue.
    CataloguePermission,
    /// A permission that apps can ask for.
    Scope,
    /// An organization.
    Organization,
    /// A token of an organization's own.
    OrganizationToken,
    /// An app.
    App,
    /// What an organization lets an app do.
    Authorization,
    /// An app that an organization has approved.
    Approval,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Role => "role",
            Self::ApiKey => "API key",
            Self::Identity => "identity",
            Self::Token => "token",
            Self::Repository => "repository",
            Self::RepositoryGrant => "repository grant for identity",
            Self::Vm => "VM",
            Self::VmGrant => "VM grant for",
            Self::SshKey => "SSH key",
            Self::Entity => "stored entity",
            Self::Realm => "realm",
            Self::ApprovalSession => "session",
            Self::Request => "request",
            Self::Rule => "rule",
            Self::Webhook => "webhook",
            Self::Trigger => "trigger",
            Self::LinkedAccount => "linked account",
            Self::ContentType => "content type",
            Self::CataloguePermission => "permission",
            Self::Scope => "scope",
            Self::Organization => "organization",
            Self::OrganizationToken => "organization token",
            Self::App => "app",
            Self::Authorization => "authorization",
            Self::Approval => "approval of app",
        })
    }
}

impl Refusal {
    /// Something that does not exist.
    pub fn not_found(noun: Noun, id: impl fmt::Display) -> Self {
        Self::NotFound { noun, id: format!("{id}") }
    }

    /// Something that exists already.
    pub fn exists(noun: Noun, id: impl fmt::Display) -> Self {
        Self::Exists { noun, id: format!("{id}") }
    }

    /// A value that does not fit.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }

    /// The stable code of the native API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed(_) => "forbidden",
            Self::NotHeld(_) => "not_held",
            Self::OperationDenied { .. } => "operation_denied",
            Self::SuperUsersFixed => "super_users_fixed",
            Self::ReservedRole { .. } => "reserved_role",
            Self::LastSuperUser { .. } => "last_super_user",
            Self::NoRealm => "unknown_realm",
            Self::NotFound { .. } => "not_found",
            Self::Exists { .. } => "already_exists",
            Self::ManagedIdentity(_) => "managed_identity",
            Self::Invalid { .. } => "invalid_request",
            Self::ManagedRelation { .. } => "managed_relation",
            Self::Precondition { .. } => "precondition_failed",
            Self::Orphans(_) => "orphans",
            Self::OwnRequest => "own_request",
            Self::RequestSettled { .. } => "request_settled",
            Self::TooMany { .. } => "too_many",
            Self::Taken => "taken",
            Self::Consent(ConsentProblem::NotMember) => "not_member",
            Self::Consent(ConsentProblem::ApprovalNeeded) => "approval_needed",
            Self::Grant(_) => "invalid_grant",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
        }
    }
}
