//! Organizations, apps and consents.

use serde_json::Value;

use crate::support::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn an_app_is_let_do_something_and_it_is_taken_back() {
    let place = Place::new();
    let server = place.serve(&[]);
    let organization = text(&json(&server.run(&["organization", "create", "Acme", "--json"]).good()), "id");
    server.run(&["user", "create", "ann"]).good();
    let seated = server.run(&["organization", "seat", &organization, "ann", "--seat", "admin"]).good();
    assert_eq!(seated, format!("ann is admin of {organization}\n"));
    let shown = server.run(&["organization", "show", &organization]).good();
    assert!(shown.contains("user:ann") && shown.contains("Acme"), "{shown}");

    let uri = "https://shop.example/cb";
    let made = server.run(&["app", "create", "Shop", "--redirect-uri", uri, "--optional", "orders.read"]);
    assert!(made.out.starts_with("gdc_") && made.out.lines().count() == 1, "{made:?}");
    assert!(made.err.contains("shown this once"), "{made:?}");
    let apps = json(&server.run(&["app", "list", "--json"]).good());
    let app = text(&apps[0], "client_id");
    let said = server.run(&["app", "create", "Shop", "--redirect-uri", "http://shop.example/"]).error();
    assert!(said.contains("(invalid_request)") && said.contains("https:"), "{said}");
    server.run(&["app", "set", &app, "--name", "Webshop", "--website", "https://shop.example"]).good();
    let shown = server.run(&["app", "show", &app]).good();
    assert!(shown.contains("Webshop") && shown.contains(uri), "{shown}");
    assert!(server.run(&["app", "rotate", &app]).good().starts_with("gdc_"));

    let granted = ["consent", "grant", &app, &organization, "payments.read", "orders.read", "--tokens"];
    let tokens = json(&server.run(&granted).good());
    assert!(text(&tokens, "access_token").starts_with("access_"));
    let list = ["consent", "list", "--organization", &organization, "--app", &app];
    let listed = server.run(&list).good();
    assert!(listed.contains("orders.read payments.read") && listed.contains("active"), "{listed}");
    let id = text(&tokens, "id");
    server.run(&["consent", "withdraw", &id, "payments.read"]).good();
    let shown = json(&server.run(&["consent", "show", &id, "--json"]).good());
    assert_eq!(shown["scopes"], json(r#"["orders.read"]"#));
    server.run(&["consent", "end", &id]).good();
    let said = server.run(&["consent", "show", &id]).error();
    assert!(said.contains("(not_found)"), "{said}");
    let ledger = server.run(&["who", "is", &format!("app:{app}"), "--type", "mollie_scope"]);
    assert_eq!(ledger.code, 1, "{ledger:?}");
    server.run(&["app", "delete", &app]).good();
}

#[test]
fn an_organization_has_terms_and_tokens() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = text(&json(&server.run(&["organization", "create", "Acme", "--json"]).good()), "id");
    let app =
        server.run(&["app", "create", "Phone", "--public", "--redirect-uri", "com.example.phone:/cb"]).good();
    let app = app.split(' ').nth(1).unwrap().to_owned();
    server.run(&["organization", "set", &id, "--approval", "true", "--longest-life", "3600"]).good();
    let shown = json(&server.run(&["organization", "show", &id, "--json"]).good());
    assert_eq!(shown["policy"], json(r#"{"longest_life_seconds": 3600, "approval": true}"#));
    let approved = server.run(&["organization", "approve", &id, &app, "payments.read"]).good();
    assert_eq!(approved, format!("members may agree to payments.read for app {app}\n"));
    server.run(&["organization", "approve", &id, &app]).good();
    let token = server.run(&["organization", "token", &id, "payments.read", "--name", "ci"]).good();
    assert!(token.starts_with("access_") && token.lines().count() == 1, "{token}");
    let tokens = json(&server.run(&["organization", "tokens", &id, "--json"]).good());
    let token = text(&tokens[0], "id");
    server.run(&["organization", "revoke-token", &id, &token]).good();
    assert_eq!(server.run(&["organization", "tokens", &id, "--json"]).good().trim(), "[]");
    server.run(&["organization", "delete", &id]).good();
    assert!(server.run(&["organization", "show", &id]).error().contains("(not_found)"));
}
