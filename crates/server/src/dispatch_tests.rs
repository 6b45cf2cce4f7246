use super::FaceName::{
    Api, Authzen, Forward, Freestyle, Git, Mcp, Mix, Mollie, Oauth, Operations, Pages, Pulp, Tdp,
};
use super::{Target, target};

#[test]
fn paths_find_their_face() {
    let table = [
        ("/api/v1/check", Api, None, "/api/v1/check"),
        ("/openapi.json", Api, None, "/openapi.json"),
        ("/api/v10/check", Operations, None, "/api/v10/check"),
        ("/freestyle/identity/v1/identities", Freestyle, None, "/identity/v1/identities"),
        ("/freestyle/identity/v1/identities/", Freestyle, None, "/identity/v1/identities"),
        ("/freestyle", Freestyle, None, "/"),
        ("/freestyles", Operations, None, "/freestyles"),
        (
            "/identity/v1/identities/x/permissions/vm/a%2Fb",
            Freestyle,
            None,
            "/identity/v1/identities/x/permissions/vm/a%2Fb",
        ),
        ("/auth/v1/whoami", Freestyle, None, "/auth/v1/whoami"),
        ("/auth/v1/whoami/x", Operations, None, "/auth/v1/whoami/x"),
        ("/git/v1/repo", Freestyle, None, "/git/v1/repo"),
        ("/git/v1", Freestyle, None, "/git/v1"),
        ("/git/x.git/info/refs", Git, None, "/x.git/info/refs"),
        ("/git/x/info/refs/", Git, None, "/x/info/refs/"),
        ("/git/v10/repo", Git, None, "/v10/repo"),
        ("/git//v1/repo", Git, None, "//v1/repo"),
        ("/git", Git, None, "/"),
        ("/.well-known/jwks.json", Git, None, "/.well-known/jwks.json"),
        ("/r/acme/.well-known/jwks.json", Operations, Some("acme"), "/.well-known/jwks.json"),
        ("/gits/x", Operations, None, "/gits/x"),
        ("/r/acme/git/x/git-upload-pack", Git, Some("acme"), "/x/git-upload-pack"),
        ("/v5/identities", Freestyle, None, "/v5/identities"),
        ("/r/acme/api/v1/check", Api, Some("acme"), "/api/v1/check"),
        ("/r/acme/freestyle/v5/identities", Freestyle, Some("acme"), "/v5/identities"),
        ("/authz/forward", Forward, None, "/authz/forward"),
        ("/r/acme/authz/forward/a/b/", Forward, Some("acme"), "/authz/forward/a/b/"),
        ("/authz/forwards", Operations, None, "/authz/forwards"),
        ("/access/v1/evaluation", Authzen, None, "/access/v1/evaluation"),
        ("/access/v1/search/subject/", Authzen, None, "/access/v1/search/subject"),
        ("/access/v10/evaluation", Operations, None, "/access/v10/evaluation"),
        ("/r/acme/access/v1/evaluations", Authzen, Some("acme"), "/access/v1/evaluations"),
        ("/.well-known/authzen-configuration", Authzen, None, "/.well-known/authzen-configuration"),
        (
            "/.well-known/authzen-configuration/r/acme",
            Authzen,
            Some("acme"),
            "/.well-known/authzen-configuration",
        ),
        (
            "/.well-known/authzen-configuration/r/acme/x",
            Authzen,
            None,
            "/.well-known/authzen-configuration/r/acme/x",
        ),
        (
            "/r/acme/.well-known/authzen-configuration",
            Operations,
            Some("acme"),
            "/.well-known/authzen-configuration",
        ),
        ("/oauth2/authorize", Pages, None, "/oauth2/authorize"),
        ("/oauth2/tokens", Oauth, None, "/oauth2/tokens"),
        ("/oauth2/tokens/", Oauth, None, "/oauth2/tokens"),
        ("/oauth2s", Operations, None, "/oauth2s"),
        ("/r/acme/oauth2/authorize", Pages, Some("acme"), "/oauth2/authorize"),
        ("/r/acme/oauth2/introspect", Oauth, Some("acme"), "/oauth2/introspect"),
        ("/mollie/oauth2/tokens", Oauth, None, "/oauth2/tokens"),
        ("/mollie/oauth2/authorize", Oauth, None, "/mollie/oauth2/authorize"),
        ("/r/acme/mollie/oauth2/tokens", Oauth, Some("acme"), "/oauth2/tokens"),
        ("/.well-known/oauth-authorization-server", Oauth, None, "/.well-known/oauth-authorization-server"),
        (
            "/.well-known/oauth-authorization-server/r/acme",
            Oauth,
            Some("acme"),
            "/.well-known/oauth-authorization-server",
        ),
        ("/r//api/v1/check", Operations, None, "/r//api/v1/check"),
        ("/pulp/api/v2/users/", Pulp, None, "/v2/users/"),
        ("/pulp/api/v2/users//", Pulp, None, "/v2/users//"),
        ("/pulp/api", Pulp, None, "/"),
        ("/pulp/apis/v2/users/", Operations, None, "/pulp/apis/v2/users/"),
        ("/r/acme/pulp/api/v2/roles/a", Pulp, Some("acme"), "/v2/roles/a"),
        ("/v2/users", Pulp, None, "/v2/users"),
        ("/v2/users/a/../b", Pulp, None, "/v2/users/a/../b"),
        ("/r/acme/v2/roles/a/users/", Pulp, Some("acme"), "/v2/roles/a/users/"),
        ("/v2/actions/login/", Pulp, None, "/v2/actions/login/"),
        ("/v2/permissions/", Pulp, None, "/v2/permissions/"),
        ("/v2/permissions", Mollie, None, "/v2/permissions"),
        ("/v2/permissions/payments.read", Mollie, None, "/v2/permissions/payments.read"),
        ("/v2/permissions/payment-links.read/", Mollie, None, "/v2/permissions/payment-links.read"),
        ("/v2/permissions/payments.read/x", Operations, None, "/v2/permissions/payments.read/x"),
        ("/v2/organizations/me", Mollie, None, "/v2/organizations/me"),
        ("/v2/organizations/org_1", Operations, None, "/v2/organizations/org_1"),
        ("/v1/permissions", Mollie, None, "/v1/permissions"),
        ("/v1/permissions/payments.read", Mollie, None, "/v1/permissions/payments.read"),
        ("/v1/permissions/4x", Mollie, None, "/v1/permissions/4x"),
        ("/r/acme/v1/permissions/payments.read", Mollie, Some("acme"), "/v1/permissions/payments.read"),
        ("/mollie/v1/permissions/", Mollie, None, "/v1/permissions"),
        ("/mollie/v1/permissions/46", Mollie, None, "/v1/permissions/46"),
        ("/mollie/v2/organizations/me/", Mollie, None, "/v2/organizations/me"),
        ("/r/acme/mollie/v2/permissions", Mollie, Some("acme"), "/v2/permissions"),
        ("/mollies/v2/permissions", Operations, None, "/mollies/v2/permissions"),
        ("/v2/permissions/x", Operations, None, "/v2/permissions/x"),
        ("/v2/permissions/actions/grant_to_user", Pulp, None, "/v2/permissions/actions/grant_to_user"),
        ("/v2/userss/", Operations, None, "/v2/userss/"),
        ("/mcp", Mcp, None, "/mcp"),
        ("/mcp/", Mcp, None, "/mcp"),
        ("/mcp/x", Operations, None, "/mcp/x"),
        ("/r/acme/mcp", Mcp, Some("acme"), "/mcp"),
        ("/mix/api/permissions", Mix, None, "/api/permissions"),
        ("/mix/stream/", Mix, None, "/stream"),
        ("/mix/healthz", Mix, None, "/healthz"),
        ("/r/acme/mix/stream", Mix, Some("acme"), "/stream"),
        ("/api/permissions/x/grant", Mix, None, "/api/permissions/x/grant"),
        ("/api/permissions//grant", Mix, None, "/api/permissions//grant"),
        ("/api/permissionss", Operations, None, "/api/permissionss"),
        ("/r/acme/api/sessions/", Mix, Some("acme"), "/api/sessions"),
        ("/stream", Mix, None, "/stream"),
        ("/stream/x", Operations, None, "/stream/x"),
        ("/health", Mix, None, "/health"),
        ("/health/auth", Operations, None, "/health/auth"),
        ("/healthz", Operations, None, "/healthz"),
        ("/tdp/v1/permissions", Tdp, None, "/v1/permissions"),
        ("/tdp/v1/permissions/", Tdp, None, "/v1/permissions"),
        ("/tdp/v1/permissions/7.json", Tdp, None, "/v1/permissions/7"),
        ("/tdp/v1/auth_check.json", Tdp, None, "/v1/auth_check.json"),
        ("/tdp/v1/permissions/x", Tdp, None, "/v1/permissions/x"),
        ("/tdps/v1/permissions", Operations, None, "/tdps/v1/permissions"),
        ("/v1/permissions/", Tdp, None, "/v1/permissions"),
        ("/v1/permissions/46", Tdp, None, "/v1/permissions/46"),
        ("/v1/permissions/46/", Tdp, None, "/v1/permissions/46"),
        ("/v1/roles", Tdp, None, "/v1/roles"),
        ("/v1/roles/x/y", Tdp, None, "/v1/roles/x/y"),
        ("/r/acme/v1/content_types/", Tdp, Some("acme"), "/v1/content_types"),
        ("/v1/auth_check", Tdp, None, "/v1/auth_check"),
        ("/v1/auth_check/x", Operations, None, "/v1/auth_check/x"),
        ("/v1/login", Tdp, None, "/v1/login"),
        ("/v1/login/oidc", Tdp, None, "/v1/login/oidc"),
        ("/v1/logout/", Tdp, None, "/v1/logout"),
        ("/v1/logouts", Operations, None, "/v1/logouts"),
        // Another dialect's.
        ("/v1/permissions//", Operations, None, "/v1/permissions//"),
        ("/", Pages, None, "/"),
        ("/login", Pages, None, "/login"),
        ("/login/", Pages, None, "/login"),
        ("/apps", Pages, None, "/apps"),
        ("/r/acme/apps/x/withdraw", Pages, Some("acme"), "/apps/x/withdraw"),
        ("/appss", Operations, None, "/appss"),
        ("/logins", Operations, None, "/logins"),
        ("/account/sessions/end", Pages, None, "/account/sessions/end"),
        ("/r/acme/", Pages, Some("acme"), "/"),
        ("/r/acme/account", Pages, Some("acme"), "/account"),
    ];
    for (path, face, realm, rest) in table {
        assert_eq!(target(path, "main", true), Target { face, realm, path: rest }, "{path}");
    }
}

#[test]
fn root_paths_can_be_turned_off() {
    assert_eq!(target("/v5/identities", "main", false).face, Operations);
    assert_eq!(target("/freestyle/v5/identities", "main", false).face, Freestyle);
    assert_eq!(target("/stream", "main", false).face, Operations);
    for path in
        ["/v1/permissions", "/v1/permissions/payments.read", "/v2/permissions", "/v2/organizations/me"]
    {
        assert_eq!(target(path, "main", false).face, Operations);
        assert_eq!(target(&format!("/mollie{path}"), "main", false).face, Mollie);
    }
    assert_eq!(target("/mix/stream", "main", false).face, Mix);
    assert_eq!(target("/git/v1/repo", "main", false).face, Operations);
    assert_eq!(target("/git/x/git-upload-pack", "main", false).face, Git);
    assert_eq!(target("/v1/permissions/", "main", false).face, Operations);
    assert_eq!(target("/tdp/v1/permissions/", "main", false).face, Tdp);
    assert_eq!(target("/v2/users/", "main", false).face, Operations);
    assert_eq!(target("/pulp/api/v2/users/", "main", false).face, Pulp);
}

#[test]
fn an_address_of_its_own_serves_one_dialect() {
    assert_eq!(target("/healthz", "freestyle", true).face, Freestyle);
    assert_eq!(target("/oauth2/tokens", "mollie", false).face, Oauth);
    assert_eq!(target("/mollie/oauth2/tokens", "mollie", false).face, Oauth);
    assert_eq!(target("/mollie/oauth2/tokens", "mix", false).face, Mix);
    let to_the_page = Target { face: Oauth, realm: None, path: "/mollie/oauth2/authorize" };
    assert_eq!(target("/oauth2/authorize", "mollie", false), to_the_page);
    let at_its_root = Target { face: Freestyle, realm: None, path: "/v5/identities" };
    assert_eq!(target("/v5/identities/", "freestyle", false), at_its_root);
    assert_eq!(target("/health", "mix", false).face, Mix);
    let of_mollie = Target { face: Mollie, realm: None, path: "/v2/permissions" };
    for path in ["/v2/permissions", "/v2/permissions/", "/mollie/v2/permissions/"] {
        assert_eq!(target(path, "mollie", false), of_mollie);
    }
    let of_tdp = Target { face: Tdp, realm: None, path: "/v1/permissions" };
    for path in ["/v1/permissions", "/v1/permissions/", "/tdp/v1/permissions/"] {
        assert_eq!(target(path, "tdp", false), of_tdp);
    }
    let of_git = Target { face: Git, realm: None, path: "/x/info/refs" };
    for path in ["/x/info/refs", "/git/x/info/refs"] {
        assert_eq!(target(path, "git", false), of_git);
    }
    assert_eq!(target("/git/v1/repo", "git", true).face, Git);
    assert_eq!(target("/.well-known/jwks.json", "git", false).path, "/.well-known/jwks.json");
    assert_eq!(target("/x/info/refs/", "git", false).path, "/x/info/refs/");
    let of_pulp = Target { face: Pulp, realm: None, path: "/v2/users/" };
    assert_eq!(target("/v2/users/", "pulp", false), of_pulp);
    assert_eq!(target("/pulp/api/v2/users/", "pulp", false), of_pulp);
}
