//! Random commands about the catalogue.

use std::collections::BTreeSet;

use grantd_realm::Basis;
use grantd_realm::caller::Caller;
use grantd_realm::catalogue::{
    CreateCataloguePermission, CreateCatalogueRole, CreateContentType, DeleteCataloguePermission,
    PermissionDraft, SyncCatalogue, TypeDraft, UpdateCataloguePermission, UpdateCatalogueRole,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::World;
use super::step::{Outcome, decided};

type Permissions = Vec<(&'static str, &'static str, Option<&'static str>)>;

#[derive(Clone, Debug)]
pub(super) enum What {
    CreateType(&'static str),
    Create(&'static str, Option<u64>),
    Update(u64, Option<&'static str>, Option<Option<u64>>),
    Delete(u64),
    CreateRole(&'static str, BTreeSet<u64>),
    UpdateRole(&'static str, Option<&'static str>, Option<BTreeSet<u64>>),
    Sync(Vec<(&'static str, Option<&'static str>, Permissions)>, bool, bool),
}

const MODELS: [&str; 4] = ["report", "stt", "form", "no model"];
const CODENAMES: [&str; 4] = ["submit", "view", "é.é", ""];
const NAMES: [&str; 2] = ["Can", "Cannot"];
const ROLES: [&str; 4] = ["qa", "ops", "admin", "super-users"];

/// What somebody tries with the catalogue.
pub(super) fn what() -> impl Strategy<Value = What> {
    let model = || prop_oneof![12 => select(&MODELS[..3]), 1 => Just(MODELS[3])];
    let codename = || prop_oneof![20 => select(&CODENAMES[..3]), 1 => Just(CODENAMES[3])];
    let number = || prop_oneof![4 => 13..17_u64, 1 => 1..13_u64];
    let numbers = || prop::collection::btree_set(number(), 0..3);
    let of_sync = (codename(), select(&NAMES[..]), option::of(codename()));
    let permissions = prop::collection::vec(of_sync, 0..3);
    let types = prop::collection::vec((model(), option::of(model()), permissions), 0..3);
    prop_oneof![
        2 => model().prop_map(What::CreateType),
        4 => (codename(), option::of(1..7_u64)).prop_map(|(c, t)| What::Create(c, t)),
        4 => (number(), option::of(codename()), option::of(option::of(1..7_u64)))
            .prop_map(|(n, c, t)| What::Update(n, c, t)),
        1 => number().prop_map(What::Delete),
        1 => (select(&ROLES[..]), numbers()).prop_map(|(n, p)| What::CreateRole(n, p)),
        3 => (select(&ROLES[..]), option::of(select(&ROLES[..])), option::of(numbers()))
            .prop_map(|(k, n, p)| What::UpdateRole(k, n, p)),
        9 => (types, prop::bool::ANY, prop::bool::weighted(0.1)).prop_map(|(t, p, d)| What::Sync(t, p, d)),
    ]
}

impl What {
    pub(super) fn outcome(&self, world: &mut World, by: &Caller) -> Outcome {
        // Who may by what they hold on grantd may here; the catalogue's own terms are looked at in tests of their own.
        let basis = Basis::Grantd;
        let text = |text: &&str| (*text).to_owned();
        match self {
            Self::CreateType(model) => {
                let (app_label, model) = ("random".into(), text(model));
                decided(world, by, CreateContentType { app_label, model, name: None, basis })
            }
            Self::Create(codename, content_type) => {
                let (codename, name, content_type) = (text(codename), "Name".into(), *content_type);
                decided(world, by, CreateCataloguePermission { codename, name, content_type, basis })
            }
            Self::Update(number, codename, content_type) => {
                let (number, content_type) = (*number, *content_type);
                let codename = codename.as_ref().map(text);
                let update = UpdateCataloguePermission { number, codename, name: None, content_type, basis };
                decided(world, by, update)
            }
            Self::Delete(number) => decided(world, by, DeleteCataloguePermission { number: *number, basis }),
            Self::CreateRole(name, permissions) => {
                let (name, permissions) = (text(name), permissions.clone());
                decided(world, by, CreateCatalogueRole { name, permissions, basis })
            }
            Self::UpdateRole(key, name, permissions) => {
                let (key, name, permissions) = (text(key), name.as_ref().map(text), permissions.clone());
                decided(world, by, UpdateCatalogueRole { key, name, permissions, basis })
            }
            Self::Sync(types, prune, dry_run) => {
                let permission = |(codename, name, was): &(&str, &str, Option<&str>)| PermissionDraft {
                    codename: (*codename).into(),
                    name: (*name).into(),
                    renamed_from: was.map(Into::into),
                };
                let types = types.iter().map(|(model, was, permissions)| TypeDraft {
                    app_label: "random".into(),
                    model: text(model),
                    renamed_from: was.map(|was| ("random".into(), was.into())),
                    permissions: permissions.iter().map(permission).collect(),
                });
                let types = types.collect();
                decided(world, by, SyncCatalogue { types, prune: *prune, dry_run: *dry_run })
            }
        }
    }
}
