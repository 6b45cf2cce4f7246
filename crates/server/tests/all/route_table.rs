//! The routes, read from the route tables themselves, so that no new one can be forgotten here.

const API: &str = include_str!("../../src/api/routes.rs");
const AUTHZEN: &str = include_str!("../../src/authzen/routes.rs");
const FREESTYLE: &str = include_str!("../../src/freestyle/routes.rs");
const MIX: &str = include_str!("../../src/mix/routes.rs");
const MOLLIE: &str = include_str!("../../src/mollie/routes.rs");
const PULP: &str = include_str!("../../src/pulp/routes.rs");
const TDP: &str = include_str!("../../src/tdp/routes.rs");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A route: method in capitals, path with `{parameters}`.
pub(crate) type Route = (String, String);

pub(crate) fn api() -> Vec<Route> {
    routes(API)
}

pub(crate) fn authzen() -> Vec<Route> {
    routes(AUTHZEN)
}

pub(crate) fn freestyle() -> Vec<Route> {
    routes(FREESTYLE)
}

pub(crate) fn mix() -> Vec<Route> {
    routes(MIX)
}

pub(crate) fn mollie() -> Vec<Route> {
    routes(MOLLIE)
}

pub(crate) fn pulp() -> Vec<Route> {
    routes(PULP)
}

pub(crate) fn tdp() -> Vec<Route> {
    routes(TDP)
}

/// A path with every parameter filled in with something of the right form.
pub(crate) fn filled(path: &str) -> String {
    let id = "00000000-0000-4000-8000-000000000001";
    let segments = path.split('/').map(|segment| match segment {
        "{type}" => "user",
        "{login}" => "nobody",
        "{member}" => "user:nobody",
        "{permission}" => "payments.read",
        parameter if parameter.starts_with('{') => id,
        plain => plain,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn routes(source: &str) -> Vec<Route> {
    let mut found = Vec::new();
    for table in source.split("\nfn ").flat_map(|part| part.split("\npub fn ")) {
        for call in table.split(".route(").skip(1) {
            let (path, rest) = call.split_once(',').expect("a path and its methods");
            let path = path_of(path.trim(), table);
            let end = rest.find(".route(").unwrap_or(rest.len());
            let before = found.len();
            for method in methods(&rest[..end], table) {
                found.push((method.to_uppercase(), path.clone()));
            }
            assert!(found.len() > before, "no method found for {path}");
        }
    }
    assert!(!found.is_empty());
    found
}

/// A literal, a name of one, or a `format!` that begins with one.
fn path_of(text: &str, table: &str) -> String {
    let literal = |text: &str| text.split('"').nth(1).map(str::to_owned);
    if let Some(format) = text.strip_prefix("&format!(") {
        let format = literal(format).expect("a literal");
        let (name, rest) = format.split_once('}').expect("a name");
        let start = path_of(name.trim_start_matches('{'), table);
        return start + &rest.replace("{{", "{").replace("}}", "}");
    }
    literal(text).unwrap_or_else(|| {
        let (_, value) = table.split_once(&format!("let {text} =")).expect("the name of a path");
        literal(value).expect("a literal")
    })
}

fn methods(text: &str, table: &str) -> Vec<&'static str> {
    let calls = |text: &str| -> Vec<&'static str> {
        let calls = |method: &&str| {
            text.match_indices(&format!("{method}(")).any(|(at, _)| {
                !text[..at]
                    .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
            })
        };
        METHODS.into_iter().filter(calls).collect()
    };
    let found = calls(text);
    if !found.is_empty() {
        return found;
    }
    let name = text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let (_, value) = table.split_once(&format!("let {name} =")).expect("the name of methods");
    calls(value.split(';').next().unwrap_or_default())
}

#[test]
fn the_tables_are_read_to_their_end() {
    assert_eq!(api().len(), 50 + 5 + 7 + 29 + 3 + 4 + 2 + 2 + 2);
    assert_eq!(authzen().len(), 6);
    assert_eq!(freestyle().len(), 16 + 1 + 8 + 3 + 12);
    assert_eq!(mix().len(), 8 + 5 + 2);
    assert_eq!(mollie().len(), 5);
    assert_eq!(pulp().len(), 1 + 4 + 2 + 2 + 3 + 2 + 3 + 2 + 1 + 1);
    assert_eq!(tdp().len(), 2 + 4 + 2 + 4 + 2 + 1 + 2 + 1 + 1 + 2);
    let has = |method: &str, path: &str| {
        assert!(freestyle().contains(&(method.into(), path.into())), "{method} {path}");
    };
    has("PUT", "/identity/v1/identities/{identity}/permissions/git/{repo}");
    has("DELETE", "/identity/v1/identities/{identity}/permissions/vm/{vm_id}");
    has("PATCH", "/v5/identities/{identity}/permissions/vm/{vm_id}");
}
