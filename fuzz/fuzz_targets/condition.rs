//! A condition's expression, and a JSON object on the line behind it: compiling and evaluating end within bounded steps and
//! memory, and give the same each time.
#![no_main]

use grantd_engine::condition::{Inputs, Layers};
use grantd_engine::{Properties, Schema};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fn parameters() -> Value {
    let list = |kind: &str| json!({"type_name": "TYPE_NAME_LIST", "generic_types": [{"type_name": kind}]});
    let map = |kind: &str| json!({"type_name": "TYPE_NAME_MAP", "generic_types": [{"type_name": kind}]});
    let simple = |kind: &str| json!({"type_name": kind});
    json!({
        "b": simple("TYPE_NAME_BOOL"),
        "s": simple("TYPE_NAME_STRING"),
        "i": simple("TYPE_NAME_INT"),
        "u": simple("TYPE_NAME_UINT"),
        "d": simple("TYPE_NAME_DOUBLE"),
        "span": simple("TYPE_NAME_DURATION"),
        "t": simple("TYPE_NAME_TIMESTAMP"),
        "ip": simple("TYPE_NAME_IPADDRESS"),
        "a": simple("TYPE_NAME_ANY"),
        "li": list("TYPE_NAME_INT"),
        "ls": list("TYPE_NAME_STRING"),
        "la": list("TYPE_NAME_ANY"),
        "mi": map("TYPE_NAME_INT"),
        "ms": map("TYPE_NAME_STRING"),
        "ma": map("TYPE_NAME_ANY"),
    })
}

fuzz_target!(|text: &str| {
    let (expression, properties) = text.split_once("\n---\n").unwrap_or((text, "{}"));
    let schema = json!({
        "schema_version": "1.1",
        "type_definitions": [{"type": "user"}],
        "conditions": {"c": {"name": "c", "expression": expression, "parameters": parameters()}},
    });
    let Ok(schema) = Schema::from_json("fuzz", &schema.to_string()) else { return };
    let Some(condition) = schema.condition("c") else { return };
    let Ok(properties) = properties.parse::<Properties>() else { return };
    let nothing = Layers { request: Properties::EMPTY, stored: Properties::EMPTY };
    let everything = Layers { request: &properties, stored: &properties };
    for (relationship, layers, context) in [
        (&properties, nothing, Properties::EMPTY),
        (Properties::EMPTY, nothing, &properties),
        (Properties::EMPTY, everything, Properties::EMPTY),
    ] {
        let inputs = Inputs { relationship, subject: layers, action: layers, resource: layers, context };
        assert_eq!(condition.evaluate(&inputs), condition.evaluate(&inputs), "{condition}");
        let _ = condition.uses(&inputs);
    }
    let _ = condition.admits(&properties);
});
