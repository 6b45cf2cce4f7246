//! What a run of store files came to, said as OpenFGA's command line says it.

use crate::output;

/// Passed out of all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    passed: usize,
    all: usize,
}

/// One test, or all.
#[derive(Debug, Default)]
pub(super) struct Report {
    checks: Tally,
    objects: Tally,
    users: Tally,
    failures: Vec<String>,
}

impl Tally {
    pub(super) fn count(&mut self, passed: bool) {
        self.all += 1;
        self.passed += usize::from(passed);
    }

    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.passed += other.passed;
    }

    fn is_good(self) -> bool {
        self.passed == self.all
    }
}

impl Report {
    /// Notes the outcome of one question; `said` names it and what was expected and found.
    pub(super) fn check(&mut self, passed: bool, said: impl FnOnce() -> String) {
        self.checks.count(passed);
        self.failed(passed, said);
    }

    pub(super) fn list_objects(&mut self, passed: bool, said: impl FnOnce() -> String) {
        self.objects.count(passed);
        self.failed(passed, said);
    }

    pub(super) fn list_users(&mut self, passed: bool, said: impl FnOnce() -> String) {
        self.users.count(passed);
        self.failed(passed, said);
    }

    fn failed(&mut self, passed: bool, said: impl FnOnce() -> String) {
        if !passed {
            self.failures.push(said());
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.kinds().iter().all(|(_, tally)| tally.is_good())
    }

    fn kinds(&self) -> [(&'static str, Tally); 3] {
        [("Checks", self.checks), ("ListObjects", self.objects), ("ListUsers", self.users)]
    }

    /// Adds another one's figures.
    pub(super) fn add(&mut self, other: &Self) {
        self.checks.add(other.checks);
        self.objects.add(other.objects);
        self.users.add(other.users);
    }

    /// One line, and one for each failure.
    pub(super) fn print(&self, name: &str) -> anyhow::Result<()> {
        let word = if self.is_good() { "PASSING" } else { "FAILING" };
        let kinds = self.kinds();
        let figures: Vec<_> = kinds
            .iter()
            .filter(|(_, tally)| tally.all > 0)
            .map(|(kind, Tally { passed, all })| format!("{kind} ({passed}/{all} passing)"))
            .collect();
        output::line(format_args!("({word}) {name}: {}", figures.join(" | ")))?;
        self.failures.iter().try_for_each(|failure| output::line(format_args!("ⅹ {failure}")))
    }

    /// The figures of all tests.
    pub(super) fn print_summary(&self, tests: Tally) -> anyhow::Result<()> {
        output::line("---\n# Test Summary #")?;
        let kinds = self.kinds();
        for (kind, Tally { passed, all }) in [("Tests", tests)].into_iter().chain(kinds) {
            if all > 0 {
                output::line(format_args!("{kind} {passed}/{all} passing"))?;
            }
        }
        Ok(())
    }
}
