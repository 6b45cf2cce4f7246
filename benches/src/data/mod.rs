//! What is measured on: every side of a comparison is built from the same facts and asked the same questions.

pub(crate) mod gdrive;
pub(crate) mod rbac;
pub(crate) mod scale;
pub(crate) mod shapes;

use serde_json::json;

/// A relationship as texts.
pub(crate) struct Fact {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) relation: &'static str,
    pub(crate) subject_kind: &'static str,
    /// `*` for everybody.
    pub(crate) subject: String,
    /// If the subject is a userset.
    pub(crate) subject_relation: Option<&'static str>,
}

/// A question, and what its answer must be.
pub(crate) struct Ask {
    pub(crate) subject_kind: &'static str,
    pub(crate) subject: String,
    pub(crate) action: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) resource: String,
    pub(crate) allowed: bool,
}

impl Fact {
    /// `subject` in `relation` to the object `id` of type `kind`.
    pub(crate) fn direct(
        (kind, id): (&'static str, String),
        relation: &'static str,
        (subject_kind, subject): (&'static str, String),
    ) -> Self {
        Self { kind, id, relation, subject_kind, subject, subject_relation: None }
    }

    /// Those who have `subject_relation` to the subject.
    pub(crate) fn of(self, subject_relation: &'static str) -> Self {
        Self { subject_relation: Some(subject_relation), ..self }
    }

    /// The resource as `type:id`. None of the ids here has anything to escape.
    pub(crate) fn resource(&self) -> String {
        format!("{}:{}", self.kind, self.id)
    }

    /// The subject as `type:id` or `type:id#relation`.
    pub(crate) fn subject(&self) -> String {
        match self.subject_relation {
            Some(relation) => format!("{}:{}#{relation}", self.subject_kind, self.subject),
            None => format!("{}:{}", self.subject_kind, self.subject),
        }
    }

    /// As the relationships API takes it.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({ "resource": self.resource(), "relation": self.relation, "subject": self.subject() })
    }
}

impl Ask {
    /// As AuthZEN and grantd's own check take it.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({
            "subject": { "type": self.subject_kind, "id": self.subject },
            "action": { "name": self.action },
            "resource": { "type": self.kind, "id": self.resource },
        })
    }
}

/// A generator that is the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 up to, not including, `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        (mix(self.0) % sides.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}

/// Spreads a number over all 64 bits; different numbers stay different. The finaliser of SplitMix64.
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
