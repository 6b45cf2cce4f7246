//! The catalogue: permissions as records, what they are about, who holds them.

use std::collections::BTreeSet;

use grantd_realm::caller::{Actor, Authority, Caller};
use grantd_realm::catalogue::{
    CreateCataloguePermission, CreateCatalogueRole, CreateContentType, DeleteCataloguePermission,
    PermissionDraft, SyncCatalogue, TypeDraft, UpdateCataloguePermission, UpdateCatalogueRole, effective,
    held_by_role, permission_texts, shown_names,
};
use grantd_realm::engine::ObjectRef;
use grantd_realm::refusal::Noun;
use grantd_realm::role::{AddMember, CreateRole, Member};
use grantd_realm::user::UpdateUser;
use grantd_realm::{Basis, Change, Refusal, State, builtin};

use crate::support::{World, deleting, invalid_field, root, with, writing};

fn permission(codename: &str, content_type: Option<u64>) -> CreateCataloguePermission {
    let name = format!("Can {codename}");
    CreateCataloguePermission { codename: codename.into(), name, content_type, basis: Basis::Grantd }
}

fn content_type(world: &World, app_label: &str, model: &str) -> u64 {
    world.state.catalogue().content_type_of(app_label, model).unwrap().number
}

fn codenames(world: &World) -> Vec<String> {
    world.state.catalogue().permissions().map(|one| one.codename.to_string()).collect()
}

fn member(world: &mut World, role: &str, login: &str) {
    world.does(AddMember { role: role.into(), member: Member::User(login.into()), basis: Basis::Grantd });
}

#[test]
fn a_realm_begins_with_what_django_begins_with() {
    let world = World::new();
    let catalogue = world.state.catalogue();
    let kinds: Vec<String> = catalogue.content_types().map(ToString::to_string).collect();
    assert_eq!(kinds, ["auth.group", "auth.permission", "auth.user", "core.globalpermission"]);
    let first = ["add_group", "change_group", "delete_group", "view_group"];
    assert_eq!(codenames(&world)[..4], first);
    assert_eq!(catalogue.len(), 12);
    assert_eq!(catalogue.permission(1).unwrap().name.text(), Some("Can add permission"));
    assert!(world.state.roles().get("admin").is_some());
    let mut system = World::before_the_first_entry();
    system.does(grantd_realm::realms::CreateRealm { name: "system".into() });
    assert!(!system.state.catalogue().has_begun());
}

/// As a ledger was from before there were catalogues.
fn older() -> World {
    let mut world = World::before_the_first_entry();
    world.does(grantd_realm::realms::CreateRealm { name: "default".into() });
    let (_, changes) = world.entries.pop().unwrap();
    let before = |change: &Change| ![120, 123, 90].contains(&change.kind());
    world.state = State::empty(builtin::schema().unwrap());
    world.applies(changes.into_iter().filter(before).collect());
    world
}

#[test]
fn an_older_realm_begins_its_catalogue_with_its_first_change() {
    let mut world = older();
    assert!(!world.state.catalogue().has_begun() && world.state.roles().get("admin").is_none());
    let made = world.does(permission("one", None));
    assert_eq!((made.number, made.content_type), (13, content_type(&world, "core", "globalpermission")));
    assert!(world.state.roles().get("admin").is_some());
    let entries = world.entries.len();
    world.does(permission("two", None));
    assert_eq!(world.entries[entries].1.len(), 1, "once");

    let mut world = older();
    world.user("ann");
    world.role("admin");
    member(&mut world, "admin", "ann");
    let report = world.does(SyncCatalogue::default());
    assert_eq!((report.created.len(), world.state.catalogue().len()), (0, 12));
    assert!(world.allows("user:ann", "member", "role:admin"), "a role of that name keeps its members");
}

#[test]
fn numbers_are_never_used_again_and_a_pair_is_one_of_its_kind() {
    let mut world = World::new();
    let (user, group) = (content_type(&world, "auth", "user"), content_type(&world, "auth", "group"));
    let one = world.does(permission("submit", Some(user)));
    let other = world.does(permission("submit", Some(group)));
    assert_eq!(other.number, one.number + 1, "the same codename about something else");
    let taken = world.tries(&root(), permission("submit", Some(user)));
    assert!(matches!(taken, Err(Refusal::Exists { noun: Noun::CataloguePermission, .. })), "{taken:?}");
    world.does(DeleteCataloguePermission { number: other.number, basis: Basis::Grantd });
    assert_eq!(world.does(permission("submit", Some(group))).number, other.number + 1);
    let unknown = world.tries(&root(), permission("x", Some(99)));
    assert!(matches!(unknown, Err(Refusal::NotFound { noun: Noun::ContentType, .. })));
    let made = world.does(CreateContentType {
        app_label: "reports".into(),
        model: "report".into(),
        name: Some("yearly report".into()),
        basis: Basis::Grantd,
    });
    let names =
        world.state.catalogue().permissions_of(made.number).map(|one| one.name.text().unwrap().to_owned());
    let expected = ["add", "change", "delete", "view"].map(|action| format!("Can {action} yearly report"));
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn texts_are_counted_in_characters() {
    let mut world = World::new();
    world.does(permission(&"😀".repeat(100), None));
    for bad in ["x".repeat(101).as_str(), "", "  ", "nul\0"] {
        assert_eq!(invalid_field(world.tries(&root(), permission(bad, None))), "codename");
    }
    for bad in ["", "Auth", "a-b", "å"] {
        let kind =
            CreateContentType { app_label: bad.into(), model: "m".into(), ..CreateContentType::default() };
        assert_eq!(invalid_field(world.tries(&root(), kind)), "app_label", "{bad}");
    }
}

#[test]
fn what_is_renamed_keeps_its_holders_and_what_is_deleted_has_none() {
    let mut world = World::new();
    world.user("ann");
    let made = world.does(permission("submit", None));
    world.does(writing(&format!("tdp_permission:{}#holder@user:ann", made.number)));
    let texts =
        |world: &World| permission_texts(&world.state, "ann", world.now).into_iter().collect::<Vec<_>>();
    assert_eq!(texts(&world), ["core.submit"]);
    let user = content_type(&world, "auth", "user");
    world.does(UpdateCataloguePermission {
        number: made.number,
        codename: Some("send".into()),
        content_type: Some(Some(user)),
        ..UpdateCataloguePermission::default()
    });
    assert_eq!(texts(&world), ["auth.send"]);
    let taken = UpdateCataloguePermission {
        number: made.number,
        codename: Some("add_user".into()),
        ..UpdateCataloguePermission::default()
    };
    assert!(matches!(world.tries(&root(), taken), Err(Refusal::Exists { .. })));
    world.does(DeleteCataloguePermission { number: made.number, basis: Basis::Grantd });
    assert_eq!(texts(&world), Vec::<String>::new());
    assert!(world.naming("tdp_permission", &made.number.to_string()).is_empty());
    let refused = world.tries(&root(), writing(&format!("tdp_permission:{}#holder@user:ann", made.number)));
    assert_eq!(invalid_field(refused), "write", "one that is not there has no holders in advance");
    assert_eq!(invalid_field(world.tries(&root(), writing("tdp_permission:01#holder@user:ann"))), "write");
    assert_eq!(
        invalid_field(world.tries(&root(), writing("tdp_permission:auth.add_user#holder@user:ann"))),
        "write"
    );
}

#[test]
fn what_somebody_holds_is_their_own_and_their_roles() {
    let mut world = World::new();
    world.user("ann");
    let number = |codename: &str, world: &World| {
        world.state.catalogue().permissions().find(|one| &*one.codename == codename).unwrap().number
    };
    let (own, of_qa, of_dev) =
        (number("add_user", &world), number("view_user", &world), number("view_group", &world));
    world.role("qa");
    world.role("dev");
    member(&mut world, "qa", "ann");
    world.does(AddMember { role: "dev".into(), member: Member::Role("qa".into()), basis: Basis::Grantd });
    world.does(writing(&format!("tdp_permission:{own}#holder@user:ann")));
    for (role, one) in [("qa", of_qa), ("dev", of_dev)] {
        let permissions = Some(BTreeSet::from([one]));
        world.does(UpdateCatalogueRole { key: role.into(), permissions, ..UpdateCatalogueRole::default() });
    }
    let held = |world: &World| effective(&world.state, "ann", world.now).unwrap();
    let all = held(&world);
    let texts: Vec<&str> = all.texts.iter().map(String::as_str).collect();
    assert_eq!(texts, ["auth.add_user", "auth.view_group", "auth.view_user"]);
    assert!(all.active && !all.superuser && all.version.len() == 32);
    world.does(writing("tdp_permission:1#holder@user:somebody"));
    assert_eq!(held(&world), all, "what others hold changes nothing");
    world.does(deleting(&format!("tdp_permission:{own}#holder@user:ann")));
    assert!(held(&world).texts.len() == 2 && held(&world).version != all.version);
    world.does(UpdateUser { login: "ann".into(), active: Some(false), ..UpdateUser::default() });
    let none = held(&world);
    assert!(!none.active && none.texts.is_empty());
    assert_eq!(effective(&world.state, "nobody", world.now), None);
    world.super_user("boss");
    assert!(effective(&world.state, "boss", world.now).unwrap().superuser);
}

#[test]
fn roles_have_names_of_their_own() {
    let mut world = World::new();
    let role = |name: &str| CreateCatalogueRole { name: name.into(), ..CreateCatalogueRole::default() };
    let made = world.does(role("OFA Admin"));
    assert_eq!((made.key.as_str(), made.display_name.as_deref()), ("OFA-Admin", Some("OFA Admin")));
    assert_eq!(world.does(role("OFA.Admin")).key, "OFA-Admin-2");
    assert_eq!(world.does(role("plain")).display_name, None);
    for taken in ["OFA Admin", "plain", "admin", "super-users"] {
        assert!(
            matches!(world.tries(&root(), role(taken)), Err(Refusal::Exists { noun: Noun::Role, .. })),
            "{taken}"
        );
    }
    assert_eq!(invalid_field(world.tries(&root(), role(&"x".repeat(151)))), "name");
    world.does(CreateRole { key: "zz".into(), display_name: Some("plain".into()), ..CreateRole::default() });
    let names: Vec<String> = shown_names(&world.state).into_values().collect();
    assert_eq!(names, ["super-users", "admin", "OFA Admin", "OFA.Admin", "plain", "plain (zz)"]);
    let renamed = UpdateCatalogueRole {
        key: "plain".into(),
        name: Some("Plain".into()),
        permissions: Some(BTreeSet::from([3, 1])),
        ..UpdateCatalogueRole::default()
    };
    world.does(renamed);
    assert_eq!(held_by_role(&world.state, "plain", world.now), [1, 3]);
    let unknown = CreateCatalogueRole { permissions: BTreeSet::from([999]), ..role("new") };
    assert!(matches!(
        world.tries(&root(), unknown),
        Err(Refusal::NotFound { noun: Noun::CataloguePermission, .. })
    ));
}

#[test]
fn who_keeps_the_catalogue() {
    let mut world = World::new();
    let (ann, boss) = (world.user("ann"), world.super_user("boss"));
    let new =
        |codename: &str| CreateCataloguePermission { basis: Basis::Catalogue, ..permission(codename, None) };
    let operator = world.user_with("olga", &[Authority::Operator, Authority::Writer]);
    for caller in [&ann, &operator, &with(&[Authority::Operator])] {
        assert_eq!(world.tries(caller, new("x")), Err(Refusal::NotAllowed(Authority::Admin)));
    }
    world.tries(&boss, new("a")).unwrap();
    world.tries(&with(&[Authority::Admin]), new("b")).unwrap();
    member(&mut world, "admin", "ann");
    world.tries(&ann, new("c")).unwrap();
    let role =
        CreateCatalogueRole { name: "r".into(), basis: Basis::Catalogue, ..CreateCatalogueRole::default() };
    world.tries(&ann, role).unwrap();
    world.tries(&ann, SyncCatalogue::default()).unwrap();
    world.tries(&operator, SyncCatalogue::default()).unwrap();
    let as_key = Caller { actor: Actor::User("ann".into()), conferred: Some([].into_iter().collect()) };
    assert!(world.tries(&as_key, new("d")).is_err(), "not by what comes from elsewhere under the same name");
}

fn draft(app_label: &str, model: &str, permissions: &[(&str, &str, Option<&str>)]) -> TypeDraft {
    let permission = |(codename, name, was): &(&str, &str, Option<&str>)| PermissionDraft {
        codename: (*codename).into(),
        name: (*name).into(),
        renamed_from: was.map(Into::into),
    };
    TypeDraft {
        app_label: app_label.into(),
        model: model.into(),
        renamed_from: None,
        permissions: permissions.iter().map(permission).collect(),
    }
}

#[test]
fn a_sync_is_by_natural_key_and_the_same_again_changes_nothing() {
    let mut world = World::new();
    let sync = |types: Vec<TypeDraft>| SyncCatalogue { types, ..SyncCatalogue::default() };
    let report =
        draft("reports", "report", &[("view_report", "Can view report", None), ("send", "Send", None)]);
    let dry = world.does(SyncCatalogue { dry_run: true, ..sync(vec![report.clone()]) });
    assert_eq!(dry.created, ["reports.report", "reports.report.view_report", "reports.report.send"]);
    assert!(world.state.catalogue().content_type_of("reports", "report").is_none());
    assert_eq!(world.does(sync(vec![report.clone()])), dry);
    let entries = world.entries.len();
    let again = world.does(sync(vec![report]));
    assert_eq!((again.unchanged, again.created.len() + again.changed.len()), (2, 0));
    assert_eq!(world.entries.len(), entries, "no entry");

    let kind = content_type(&world, "reports", "report");
    let send = world.state.catalogue().permission_of(kind, "send").unwrap().number;
    world.does(writing(&format!("tdp_permission:{send}#holder@user:ann")));
    let renamed = TypeDraft {
        renamed_from: Some(("reports".into(), "report".into())),
        ..draft("reports", "yearly", &[("submit", "Submit", Some("send"))])
    };
    for round in 0..2 {
        let done = world.does(sync(vec![renamed.clone()]));
        assert_eq!(done.changed.len(), if round == 0 { 2 } else { 0 }, "{done:?}");
    }
    assert_eq!(content_type(&world, "reports", "yearly"), kind);
    assert_eq!(world.state.catalogue().permission_of(kind, "submit").unwrap().number, send);
    assert!(world.allows("user:ann", "holder", &format!("tdp_permission:{send}")));
    assert_eq!(
        codenames(&world).iter().filter(|one| *one == "view_report").count(),
        1,
        "nothing is deleted unasked"
    );
}

#[test]
fn a_sync_prunes_what_is_its_own_only() {
    let mut world = World::new();
    let types = vec![
        draft("reports", "report", &[("a", "A", None), ("b", "B", None)]),
        draft("reports", "old", &[("c", "C", None)]),
        draft("core", "thing", &[]),
    ];
    world.does(SyncCatalogue { types, ..SyncCatalogue::default() });
    let types = vec![draft("reports", "report", &[("a", "A", None)]), draft("core", "thing", &[])];
    let done = world.does(SyncCatalogue { types, prune: true, dry_run: false });
    assert_eq!(done.deleted, ["reports.report.b", "reports.old"]);
    assert_eq!(world.state.catalogue().len(), 13, "what is Django's stays, and so does the default type");
    assert!(world.state.catalogue().content_type_of("core", "globalpermission").is_some());

    let both =
        TypeDraft { renamed_from: Some(("core".into(), "thing".into())), ..draft("reports", "report", &[]) };
    let refused = world.tries(&root(), SyncCatalogue { types: vec![both], ..SyncCatalogue::default() });
    assert_eq!(invalid_field(refused), "content_types");
    let twice = vec![draft("x", "y", &[]), draft("x", "y", &[])];
    let refused = world.tries(&root(), SyncCatalogue { types: twice, ..SyncCatalogue::default() });
    assert_eq!(invalid_field(refused), "content_types");
}

#[test]
fn a_name_means_what_it_means_to_django() {
    let mut world = World::new();
    let (user, group) = (content_type(&world, "auth", "user"), content_type(&world, "auth", "group"));
    let one = world.does(permission("submit", Some(user))).number;
    let two = world.does(permission("submit", Some(group))).number;
    let dotted = world.does(permission("user.odd", Some(group))).number;
    let odd = world.does(permission("odd", Some(user))).number;
    let meant = |id: &str| {
        let ids = world.state.catalogue().ids_meant(ObjectRef { kind: "tdp_permission", id })?;
        Some(ids.into_iter().map(|id| id.parse().unwrap()).collect::<Vec<u64>>())
    };
    assert_eq!(meant("auth.submit"), Some(vec![two, one]));
    assert_eq!(meant("auth.user.submit"), Some(vec![one]));
    assert_eq!(meant("auth.odd"), Some(vec![odd]));
    assert_eq!(meant("auth.user.odd"), Some(vec![dotted]), "a codename as a whole comes first");
    for unknown in ["auth.nothing", "nothing.submit", "auth.user.x.y", "."] {
        assert_eq!(meant(unknown), Some(vec![]), "{unknown}");
    }
    assert_eq!((meant("46"), meant("submit")), (None, None));
    assert_eq!(world.state.catalogue().ids_meant(ObjectRef { kind: "user", id: "auth.submit" }), None);
}
