//! The stories of `cases/decisions` that are about roles and URIs, told to a server and asked over AuthZEN.

use std::collections::BTreeSet;
use std::path::Path;

use grantd_node::realm::builtin;
use grantd_node::realm::engine::{Key, Object, RelationName, Schema, Source, Subject, TypeName};
use grantd_node::realm::managed::SUPER_USERS;
use grantd_testkit::cases::{Answer, Event, Story, stories};
use serde_json::{Value, json};

use crate::support::{Rig, related};

#[tokio::test]
async fn authzen_says_what_the_engine_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/decisions");
    let mut asked = 0;
    for story in stories(&folder).into_iter().filter(|story| story.name.starts_with("pulp-")) {
        is_built_in(&story);
        let mut told = Told { rig: Rig::new().await, made: BTreeSet::new() };
        for event in &story.events {
            asked += usize::from(told.happens(&story.name, event).await);
        }
    }
    assert!(asked > 90, "only {asked} questions were read");
}

/// The model of the story is a part of the one that every realm has.
fn is_built_in(story: &Story) {
    let builtin = builtin::schema().unwrap();
    let own = Schema::parse(&[Source { name: &story.name, text: &story.model }]).unwrap();
    for kind in own.types().map(TypeName::as_str) {
        assert_eq!(own.is_path(kind), builtin.is_path(kind), "{}: {kind}", story.name);
        for relation in own.relations(kind).map(RelationName::as_str) {
            let form = |schema: &Schema| format!("{:?}", schema.expression(kind, relation));
            assert_eq!(form(&own), form(&builtin), "{}: {kind}#{relation}", story.name);
        }
    }
}

/// A server that was told a part of a story.
struct Told {
    rig: Rig,
    /// Paths of the users and roles that were made.
    made: BTreeSet<String>,
}

impl Told {
    /// Whether it was a question.
    async fn happens(&mut self, name: &str, event: &Event) -> bool {
        match event {
            Event::Given(relationship) => self.given(&relationship.key).await,
            Event::Deleted(key) => self.deleted(key).await,
            Event::Retired(object) => {
                let role = object.strip_prefix("role:").expect("a role");
                let path = format!("/api/v1/roles/{role}");
                self.rig.call("DELETE", &path).send().await.is(200);
                self.made.remove(&path);
            }
            Event::Moment(..) => {}
            Event::Asked(asked) => {
                let yes = match asked.answer {
                    Answer::Yes => true,
                    Answer::No => false,
                    _ => panic!("{name}: {asked:?}: nothing here depends on anything"),
                };
                let question =
                    json!({"subject": asked.subject, "action": asked.action, "resource": asked.resource});
                let answer = self.rig.call("POST", "/api/v1/check").json(question).await.is(200);
                assert_eq!(answer.body["allowed"], yes, "{name}.txt:{}: check", asked.line);
                // AuthZEN knows no subject that is everybody in a role.
                if let Subject::Object(subject) = asked.subject.parse().unwrap() {
                    let (subject, resource) = (raw(&subject), raw(&asked.resource.parse().unwrap()));
                    let question =
                        json!({"subject": subject, "action": {"name": asked.action}, "resource": resource});
                    let answer = self.rig.call("POST", "/access/v1/evaluation").json(question).await.is(200);
                    assert_eq!(answer.body["decision"], yes, "{name}.txt:{}: AuthZEN", asked.line);
                }
                return true;
            }
            Event::Searched(search) => {
                let words: Vec<&str> = search.words.iter().map(String::as_str).collect();
                let object = |text: &str| raw(&text.parse().unwrap());
                let (which, body) = match words[..] {
                    ["subjects", kind, action, on] => (
                        "subject",
                        json!({"subject": {"type": kind}, "action": {"name": action}, "resource": object(on)}),
                    ),
                    ["actions", subject, on] => {
                        ("action", json!({"subject": object(subject), "resource": object(on)}))
                    }
                    _ => panic!("{name}: the automatic grants are found as well: {words:?}"),
                };
                let path = format!("/access/v1/search/{which}");
                let found = self.rig.call("POST", &path).json(body).await.is(200);
                let text = |one: &Value| match which {
                    "action" => one["name"].as_str().unwrap().to_owned(),
                    _ => format!("{}:{}", one["type"].as_str().unwrap(), one["id"].as_str().unwrap()),
                };
                let found: Vec<String> = found.body["results"].as_array().unwrap().iter().map(text).collect();
                assert_eq!(found, search.found, "{name}.txt:{}", search.line);
                return true;
            }
            other => panic!("{name}: not every face can be told {other:?}"),
        }
        false
    }

    async fn given(&mut self, key: &Key) {
        let subject = key.subject.object().expect("no wildcard");
        for object in [&key.resource, subject] {
            self.make(object).await;
        }
        if key.resource.kind() == "role" {
            self.rig.call("PUT", &member(key)).send().await.is(200);
        } else if subject.id() != SUPER_USERS {
            let write = json!({"write": [related(&key.to_string())]});
            self.rig.call("POST", "/api/v1/relationships").json(write).await.is(200);
        }
    }

    async fn deleted(&mut self, key: &Key) {
        if key.resource.kind() == "role" {
            self.rig.call("DELETE", &member(key)).send().await.is(200);
        } else {
            let delete = json!({"delete": [related(&key.to_string())]});
            let answer = self.rig.call("POST", "/api/v1/relationships").json(delete).await.is(200);
            assert_eq!(answer.body["deleted"], 1, "{key}");
        }
    }

    /// Makes a user or role that is named for the first time.
    async fn make(&mut self, object: &Object) {
        let (path, body) = match (object.kind(), object.id()) {
            ("user", "admin") | ("role", SUPER_USERS) => return,
            ("user", login) => ("/api/v1/users", json!({"login": login})),
            ("role", key) => ("/api/v1/roles", json!({"key": key})),
            _ => return,
        };
        if self.made.insert(format!("{path}/{}", object.id())) {
            self.rig.call("POST", path).json(body).await.is(201);
        }
    }
}

fn member(key: &Key) -> String {
    let subject = key.subject.to_string().replace('#', "%23");
    format!("/api/v1/roles/{}/members/{subject}", key.resource.id())
}

fn raw(object: &Object) -> Value {
    json!({"type": object.kind(), "id": object.id()})
}
