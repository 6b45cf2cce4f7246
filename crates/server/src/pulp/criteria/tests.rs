//! Criteria against records.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
#![allow(clippy::needless_pass_by_value, reason = "cases are written where they are used")]

use serde_json::{Value, json};

use super::Criteria;

fn records() -> Vec<Value> {
    let user = |login: &str, name: Value, roles: &[&str]| json!({"login": login, "name": name, "roles": roles, "id": login});
    vec![
        user("ann", json!("Ann"), &["qa"]),
        user("bob", json!(null), &[]),
        user("carol", json!("carol"), &["qa", "ops"]),
        user("dave", json!("Ann"), &["ops"]),
    ]
}

fn try_search(criteria: Value) -> Option<Vec<String>> {
    let criteria = Criteria::read(criteria).ok()?;
    let found = records().into_iter().filter(|record| criteria.matches(record)).collect();
    let logins = criteria.arrange(found).into_iter();
    Some(logins.map(|record| record["id"].as_str().unwrap().to_owned()).collect())
}

fn search(filters: Value) -> Vec<String> {
    try_search(json!({"filters": filters})).unwrap()
}

#[test]
fn a_filter_is_what_all_of_its_conditions_hold_for() {
    assert_eq!(search(json!({})), ["ann", "bob", "carol", "dave"]);
    assert_eq!(search(json!({"login": "bob"})), ["bob"]);
    assert_eq!(search(json!({"name": null})), ["bob"]);
    assert_eq!(search(json!({"nothing": null})).len(), 4);
    assert_eq!(search(json!({"nothing": "x"})).len(), 0);
    assert_eq!(search(json!({"name": "Ann", "login": "dave"})), ["dave"]);
    assert_eq!(search(json!({"roles": "qa"})), ["ann", "carol"]);
    assert_eq!(search(json!({"roles": ["qa"]})), ["ann"]);
    assert_eq!(search(json!({"roles": []})), ["bob"]);
}

#[test]
fn operators_are_those_of_upstreams_client() {
    assert_eq!(search(json!({"login": {"$in": ["ann", "dave", 5]}})), ["ann", "dave"]);
    assert_eq!(search(json!({"roles": {"$in": ["ops"]}})), ["carol", "dave"]);
    assert_eq!(search(json!({"login": {"$regex": "a.*e$"}})), ["dave"]);
    assert_eq!(search(json!({"login": {"$gt": "ann", "$lte": "carol"}})), ["bob", "carol"]);
    assert_eq!(search(json!({"login": {"$gte": "carol"}})), ["carol", "dave"]);
    assert_eq!(search(json!({"login": {"$lt": "b"}})), ["ann"]);
    assert_eq!(search(json!({"login": {"$gt": 5}})).len(), 0, "another type");
    assert_eq!(search(json!({"login": {"$not": "^[a-c]"}})), ["dave"]);
    assert_eq!(search(json!({"login": {"$not": {"$in": ["ann", "bob"]}}})), ["carol", "dave"]);
    assert_eq!(search(json!({"login": {"$not": {"$gt": "ann", "$lt": "dave"}}})), ["ann", "dave"]);
    assert_eq!(search(json!({"roles": {"$not": {"$regex": "^q"}}})), ["bob", "dave"]);
    assert_eq!(search(json!({"$and": [{"name": "Ann"}, {"$and": [{"roles": "qa"}]}]})), ["ann"]);
}

#[test]
fn what_is_not_known_is_refused() {
    for filters in [
        json!([]),
        json!("x"),
        json!({"$or": [{"login": "ann"}]}),
        json!({"$where": "true"}),
        json!({"$and": []}),
        json!({"$and": [5]}),
        json!({"$and": {"login": "ann"}}),
        json!({"login": {"$ne": "ann"}}),
        json!({"login": {"$exists": true}}),
        json!({"login": {"$in": "ann"}}),
        json!({"login": {"$regex": "("}}),
        json!({"login": {"$regex": 5}}),
        json!({"login": {"$regex": "x".repeat(2_000)}}),
        json!({"login": {"$regex": "(?:a{1000}){1000}"}}),
        json!({"login": {"$regex": "a", "$options": "i"}}),
        json!({"login": {"$not": {}}}),
        json!({"login": {"$not": {"login": 1}}}),
        json!({"login": {"$not": 5}}),
        json!({"login": {"$gt": 1, "x": 2}}),
        json!({"$and": vec![json!({"login": "ann"}); 1_000]}),
    ] {
        assert!(try_search(json!({"filters": filters})).is_none(), "{filters}");
    }
}

#[test]
fn a_page_is_cut_after_sorting() {
    let search = |criteria| try_search(criteria).unwrap();
    assert_eq!(search(json!({"sort": [["login", "descending"]], "limit": 2})), ["dave", "carol"]);
    assert_eq!(search(json!({"sort": [["name", 1], ["login", "-1"]]})), ["bob", "dave", "ann", "carol"]);
    assert_eq!(search(json!({"skip": 1, "limit": "2"})), ["bob", "carol"]);
    assert_eq!(search(json!({"skip": 9})).len(), 0);
    assert_eq!(search(json!({"limit": null, "skip": null, "sort": null, "fields": null})).len(), 4);
}

#[test]
fn members_of_the_wrong_form_are_refused() {
    for criteria in [
        json!([]),
        json!(null),
        json!({"limit": 0}),
        json!({"limit": -1}),
        json!({"limit": 1.5}),
        json!({"limit": true}),
        json!({"limit": "x"}),
        json!({"skip": -1}),
        json!({"skip": false}),
        json!({"sort": "login"}),
        json!({"sort": ["login"]}),
        json!({"sort": [["login"]]}),
        json!({"sort": [["login", "up"]]}),
        json!({"sort": [[1, "ascending"]]}),
        json!({"fields": "login"}),
        json!({"fields": [1]}),
        json!({"unknown": 1}),
    ] {
        assert!(try_search(criteria.clone()).is_none(), "{criteria}");
    }
}

#[test]
fn fields_leave_the_ids() {
    let criteria = Criteria::read(json!({"fields": ["login"], "limit": 1})).unwrap();
    assert_eq!(criteria.arrange(records()), [json!({"id": "ann", "login": "ann"})]);
}
