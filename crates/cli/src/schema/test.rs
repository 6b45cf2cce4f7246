//! `grantd schema test`: the tests of OpenFGA store files. The built-in types are not there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use grantd_engine::{
    Circumstances, Decision, Filter, Graph, ObjectRef, Properties, Question, Schema, Source, Subject,
};
use serde_json::{Map, Value};

use super::report::{Report, Tally};
use super::store::{Check, ListObjects, ListUsers, Store, Test, UserFilter};
use super::tuples;
use crate::exit::Ended;
use crate::output;

/// How many results a search is asked for at once.
const PAGE: usize = 1000;

/// Runs every test of every file.
pub(super) fn run(files: &[PathBuf]) -> anyhow::Result<Ended> {
    let (mut total, mut tests) = (Report::default(), Tally::default());
    for file in files {
        let store = Store::read(file)?;
        let (name, text) = store.model(file)?;
        let schema = if text.trim_start().starts_with('{') {
            Schema::from_json(&name, &text)?
        } else {
            Schema::parse(&[Source { name: &name, text: &text }])?
        };
        let mut graph = Graph::new(Arc::new(schema));
        let about = || format!("`{}`", file.display());
        tuples::write(&mut graph, &store.tuples.all(file)?).with_context(about)?;
        if files.len() > 1 {
            output::line(format_args!(
                "# {} #",
                store.name.as_deref().unwrap_or(&file.display().to_string())
            ))?;
        }
        for (at, test) in store.tests.iter().enumerate() {
            let name = test.name.clone().unwrap_or_else(|| format!("test {}", at + 1));
            let report = one(&graph, file, test).with_context(|| format!("{}: test `{name}`", about()))?;
            report.print(&name)?;
            tests.count(report.is_good());
            total.add(&report);
        }
    }
    total.print_summary(tests)?;
    Ok(total.is_good().into())
}

fn one(graph: &Graph, file: &Path, test: &Test) -> anyhow::Result<Report> {
    let mut graph = graph.clone();
    tuples::write(&mut graph, &test.tuples.all(file)?)?;
    let mut run = Run { graph: &graph, report: Report::default() };
    test.check.iter().try_for_each(|check| run.check(check))?;
    test.list_objects.iter().try_for_each(|list| run.list_objects(list))?;
    test.list_users.iter().try_for_each(|list| run.list_users(list))?;
    Ok(run.report)
}

struct Run<'a> {
    graph: &'a Graph,
    report: Report,
}

impl Run<'_> {
    fn check(&mut self, check: &Check) -> anyhow::Result<()> {
        let context = Properties::from(check.context.clone());
        for user in check.user.iter().chain(&check.users) {
            let subject = tuples::subject(self.graph.schema(), user)?;
            for named in check.object.iter().chain(&check.objects) {
                let resource = tuples::object(self.graph.schema(), named)?;
                for (action, expected) in &check.assertions {
                    let question =
                        Question { subject: subject.as_ref(), action, resource: resource.as_ref() };
                    let found = self.ask(&question, &context);
                    let passed = found.as_ref().is_ok_and(|found| found.is_allowed() == *expected);
                    self.report.check(passed, || {
                        let got = said(found);
                        let context = shown(&check.context);
                        format!(
                            "Check(user={user},relation={action},object={named}{context}): expected={expected}, got={got}"
                        )
                    });
                }
            }
        }
        Ok(())
    }

    fn ask(&self, question: &Question<'_>, context: &Properties) -> anyhow::Result<Decision> {
        self.relation_exists(question.resource, question.action)?;
        Ok(self.graph.check(question, &circumstances(context))?)
    }

    /// A relation that the model does not have is a mistake of the test, not a no.
    fn relation_exists(&self, resource: ObjectRef<'_>, action: &str) -> anyhow::Result<()> {
        let exists = self.graph.schema().expression(resource.kind, action).is_some();
        anyhow::ensure!(exists, "type `{}` has no relation `{action}`", resource.kind);
        Ok(())
    }

    fn list_objects(&mut self, list: &ListObjects) -> anyhow::Result<()> {
        let context = Properties::from(list.context.clone());
        let subject = tuples::subject(self.graph.schema(), &list.user)?;
        for (action, expected) in &list.assertions {
            let mut found = BTreeSet::new();
            let mut after: Option<String> = None;
            loop {
                let page = self.graph.search_resources(
                    subject.as_ref(),
                    action,
                    &list.kind,
                    &circumstances(&context),
                    after.as_deref(),
                    PAGE,
                )?;
                let Some(last) = page.last() else { break };
                after = Some(last.object.id().to_owned());
                let complete = page.len() < PAGE;
                found.extend(page.iter().map(|one| format!("{}:{}", one.object.kind(), one.object.id())));
                if complete {
                    break;
                }
            }
            let expected: BTreeSet<_> = expected.iter().cloned().collect();
            self.report.list_objects(found == expected, || {
                let (user, kind, context) = (&list.user, &list.kind, shown(&list.context));
                format!(
                    "ListObjects(user={user},relation={action},type={kind}{context}): expected={expected:?}, got={found:?}"
                )
            });
        }
        Ok(())
    }

    fn list_users(&mut self, list: &ListUsers) -> anyhow::Result<()> {
        let context = Properties::from(list.context.clone());
        let resource = tuples::object(self.graph.schema(), &list.object)?;
        for (action, expected) in &list.assertions {
            let mut found = BTreeSet::new();
            for filter in &list.user_filter {
                found.extend(self.users(filter, action, resource.as_ref(), &context)?);
            }
            let expected: BTreeSet<_> = expected.users.iter().cloned().collect();
            self.report.list_users(found == expected, || {
                let (object, context) = (&list.object, shown(&list.context));
                format!("ListUsers(object={object},relation={action}{context}): expected={expected:?}, got={found:?}")
            });
        }
        Ok(())
    }

    /// The users of one kind; usersets are those that a relationship names.
    fn users(
        &self,
        filter: &UserFilter,
        action: &str,
        resource: ObjectRef<'_>,
        context: &Properties,
    ) -> anyhow::Result<Vec<String>> {
        let circumstances = circumstances(context);
        if filter.relation.is_some() {
            let everything = Filter::default();
            let named: BTreeSet<Subject> = (self.graph.read(&everything, None, usize::MAX).into_iter())
                .map(|relationship| relationship.key.subject)
                .filter(|subject| match subject {
                    Subject::Userset(object, relation) => {
                        object.kind() == filter.kind && Some(relation.as_str()) == filter.relation.as_deref()
                    }
                    _ => false,
                })
                .collect();
            let mut found = Vec::new();
            for subject in named {
                let question = Question { subject: subject.as_ref(), action, resource };
                if self.graph.check(&question, &circumstances)?.is_allowed() {
                    found.push(tuples::shown(&subject));
                }
            }
            return Ok(found);
        }
        let mut found: Vec<Subject> = Vec::new();
        loop {
            let after = found.last().map(Subject::as_ref);
            let page =
                self.graph.search_subjects(&filter.kind, action, resource, &circumstances, after, PAGE)?;
            let complete = page.len() < PAGE;
            found.extend(page);
            if complete {
                return Ok(found.iter().map(tuples::shown).collect());
            }
        }
    }
}

/// Time matters to relationships that end, and a store file has none.
fn circumstances(context: &Properties) -> Circumstances<'_> {
    Circumstances { context, ..Circumstances::at(0) }
}

fn shown(context: &Map<String, Value>) -> String {
    if context.is_empty() { String::new() } else { format!(",context={}", Value::Object(context.clone())) }
}

fn said(found: anyhow::Result<Decision>) -> String {
    match found {
        Ok(Decision::Allowed) => "true".to_owned(),
        Ok(Decision::Denied) => "false".to_owned(),
        Ok(Decision::Conditional { missing, broken }) => {
            let broken = broken.iter().map(|one| format!("condition `{}`: {}", one.condition, one.problem));
            let missing = missing.iter().map(|name| format!("`{name}` is missing"));
            format!("false ({})", broken.chain(missing).collect::<Vec<_>>().join("; "))
        }
        Err(error) => format!("an error ({error:#})"),
    }
}
