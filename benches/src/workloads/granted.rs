//! Whether an app may still do something, asked with its access token, next to the constant-answer route.

use std::rc::Rc;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::evaluation::{note, rates};
use crate::bench::Bench;
use crate::data::scale::ROLES;
use crate::http::requests::{Request, Says, constant, get};
use crate::http::server::Server;
use crate::pairs::measure;
use crate::table::{Figure, Row, Target};

/// How many apps ask, each with a token of its own. Times the permissions below: a power of two.
const APPS: usize = 256;

/// Two that each of them has, two that none has.
const ASKED: [(&str, bool); 4] =
    [("payments.read", true), ("refunds.read", true), ("customers.read", false), ("mandates.write", false)];

const CONNECTIONS: [usize; 2] = [32, 128];

pub(crate) fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let site = bench.small()?;
    let tokens = tokens(&site.server)?;
    let asked = |token: &String| {
        ASKED.map(|(id, granted)| {
            let says = if granted { "\"granted\":true" } else { "\"granted\":false" };
            get(&format!("/v1/permissions/{id}"), token, Says::text(says))
        })
    };
    let asked: Rc<[Request]> = tokens.iter().flat_map(asked).collect();
    let constants: Rc<[Request]> = site.scale.both(ROLES, asked.len()).iter().map(constant).collect();
    for connections in CONNECTIONS {
        let (mut cpu, mut constant_cpu) = (Vec::new(), Vec::new());
        let pairs = measure(
            bench.options.pairs,
            || note(bench.half(&site.server, connections, &asked)?, &mut cpu),
            || note(bench.half(&site.server, connections, &constants)?, &mut constant_cpu),
        )?;
        bench.table.row(&Row {
            what: format!("GET /v1/permissions/{{id}} with {APPS} access tokens, {connections} connections"),
            against: "the constant-answer route, body of one evaluation".to_owned(),
            figure: Figure::Ratio(pairs.a_to_b()),
            medians: rates(&pairs, cpu, constant_cpu),
            target: Target::AtLeast(0.85),
        });
    }
    Ok(())
}

/// An access token of each app, all at one organization.
fn tokens(server: &Server) -> anyhow::Result<Vec<String>> {
    let text = |answer: Value, name: &str| {
        let text = answer.get(name).and_then(Value::as_str).map(str::to_owned);
        text.with_context(|| format!("an answer without `{name}`"))
    };
    let organization = server.call("/api/v1/organizations", &json!({ "name": "Bench" }))?;
    let organization = text(organization, "id")?;
    let scopes: Vec<&str> = ASKED.iter().filter(|(_, granted)| *granted).map(|(id, _)| *id).collect();
    let token = |number: usize| {
        let form = json!({ "name": format!("App {number}"), "redirect_uris": ["https://bench.example/"] });
        let app = text(server.call("/api/v1/apps", &form)?, "client_id")?;
        let form = json!({ "app": app, "organization": organization, "scopes": scopes });
        text(server.call("/api/v1/authorizations", &form)?, "access_token")
    };
    (0..APPS).map(token).collect()
}
