//! The route table of the dialect.

use axum::Router;
use axum::routing::{delete, get, post};

use super::{git_permissions, identities, repositories, tokens, triggers, v5, vm_permissions, whoami};
use crate::app::SharedApp;

/// Every route, at its documented path.
pub fn routes() -> Router<SharedApp> {
    Router::new().merge(identity()).merge(git()).merge(newest()).route("/auth/v1/whoami", get(whoami::whoami))
}

fn identity() -> Router<SharedApp> {
    let git = "/identity/v1/identities/{identity}/permissions/git";
    let vm = "/identity/v1/identities/{identity}/permissions/vm";
    Router::new()
        .route("/identity/v1/identities", post(identities::create_identity).get(identities::list_identities))
        .route("/identity/v1/identities/{identity}", delete(identities::delete_identity))
        .route(
            "/identity/v1/identities/{identity}/tokens",
            post(tokens::create_git_token).get(tokens::list_git_tokens),
        )
        .route("/identity/v1/identities/{identity}/tokens/{token}", delete(tokens::revoke_git_token))
        .route(git, get(git_permissions::list_git_permissions))
        .route(
            &format!("{git}/{{repo}}"),
            get(git_permissions::describe_git_permission)
                .post(git_permissions::grant_git_permission)
                .put(git_permissions::update_git_permission)
                .delete(git_permissions::revoke_git_permission),
        )
        .route(vm, get(vm_permissions::list_vm_permissions))
        .route(
            &format!("{vm}/{{vm_id}}"),
            get(vm_permissions::describe_vm_permission)
                .post(vm_permissions::grant_vm_permission)
                .put(vm_permissions::update_allowed_users)
                .delete(vm_permissions::revoke_vm_permission),
        )
}

fn git() -> Router<SharedApp> {
    Router::new()
        .route("/git/v1/repo", post(repositories::create_repository).get(repositories::list_repositories))
        .route(
            "/git/v1/repo/{repo}",
            get(repositories::get_repository).delete(repositories::delete_repository),
        )
        .route(
            "/git/v1/repo/{repo}/visibility",
            get(repositories::get_visibility).put(repositories::set_visibility),
        )
        .route(
            "/git/v1/repo/{repo}/default-branch",
            get(repositories::get_default_branch).put(repositories::set_default_branch),
        )
        .route("/git/v1/repo/{repo}/trigger", post(triggers::create_trigger).get(triggers::list_triggers))
        .route("/git/v1/repo/{repo}/trigger/{trigger}", delete(triggers::delete_trigger))
}

fn newest() -> Router<SharedApp> {
    Router::new()
        .route("/v5/identities", post(v5::create_identity).get(v5::list_identities))
        .route("/v5/identities/{identity}", get(v5::get_identity).delete(identities::delete_identity))
        .route("/v5/identities/{identity}/tokens", post(tokens::create_git_token).get(v5::list_tokens))
        .route("/v5/identities/{identity}/tokens/{token}", delete(tokens::revoke_git_token))
        .route(
            "/v5/identities/{identity}/permissions/vm",
            post(v5::grant_vm_permission).get(v5::list_vm_permissions),
        )
        .route(
            "/v5/identities/{identity}/permissions/vm/{vm_id}",
            get(v5::describe_vm_permission)
                .patch(v5::update_vm_permission)
                .delete(vm_permissions::revoke_vm_permission),
        )
}
