//! What an identity may do on a VM. Who may log in as whom is in relationships; the record holds the rest.
//!
//! All Linux users: `fs_vm:/<vm>/ # login @ identity:<id>`. Only some: `fs_vm:/<vm>/<user>/ # login @ ...` for each. The two
//! are told apart by [`VmGrant::restricted`], because an empty list must match nobody.

use grantd_engine::{Key, ObjectRef, SubjectRef, segment};
use uuid::Uuid;

use crate::caller::Authority;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::identity::Identity;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::{Micros, State};

/// The type whose paths are `/<vm>/` and `/<vm>/<user>/`.
pub const VM_TYPE: &str = "fs_vm";

/// The relation of who may log in.
pub const LOGIN: &str = "login";

/// The record of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmGrant {
    /// Its id; stays through changes.
    pub id: Uuid,
    /// Its place in the order of creation among the identity's grants.
    pub number: u64,
    /// Only the listed users may log in; with no list at all, nobody.
    pub restricted: bool,
    /// When it was made; stays through changes.
    pub granted_at: Micros,
}

/// A grant as every face shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmGrantView {
    /// The record's id.
    pub id: Uuid,
    /// The VM's opaque id.
    pub vm: String,
    /// Whose grant.
    pub identity: Uuid,
    /// `None`: every Linux user. Some: only these, in order of their names; empty matches nobody.
    pub allowed_users: Option<Vec<String>>,
    /// When it was made.
    pub granted_at: Micros,
}

impl Answer for VmGrantView {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
        w.text(&self.vm);
        w.uuid(self.identity);
        w.option(self.allowed_users.as_ref(), |w, users| {
            w.u32(u32::try_from(users.len()).unwrap_or(u32::MAX));
            users.iter().for_each(|user| w.text(user));
        });
        w.i64(self.granted_at);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            id: r.uuid()?,
            vm: r.text()?.into(),
            identity: r.uuid()?,
            allowed_users: r.option(|r| (0..r.u32()?).map(|_| r.text().map(Into::into)).collect())?,
            granted_at: r.i64()?,
        })
    }
}

/// One identity's grant on one VM, or `None`.
pub fn describe(state: &State, identity: &Identity, vm: &str) -> Option<VmGrantView> {
    let grant = identity.vm_grant(vm)?;
    Some(view(identity.id, vm, grant, &logins(state, identity.id)))
}

/// All of an identity's VM grants, in order of creation.
pub fn list(state: &State, identity: &Identity) -> Vec<VmGrantView> {
    let logins = logins(state, identity.id);
    identity.vm_grants().into_iter().map(|(vm, grant)| view(identity.id, vm, grant, &logins)).collect()
}

fn view(identity: Uuid, vm: &str, grant: &VmGrant, logins: &[String]) -> VmGrantView {
    let allowed_users = grant.restricted.then(|| {
        let prefix = vm_path(vm);
        let from = logins.partition_point(|path| path.as_str() < prefix.as_str());
        let below = logins.iter().skip(from).map_while(|path| path.strip_prefix(&prefix));
        below.filter_map(|user| user.strip_suffix('/')).map(segment::decode).collect()
    });
    VmGrantView { id: grant.id, vm: vm.into(), identity, allowed_users, granted_at: grant.granted_at }
}

/// The VM paths on which an identity may log in, sorted.
fn logins(state: &State, identity: Uuid) -> Vec<String> {
    let id = identity.to_string();
    let subject = ObjectRef { kind: "identity", id: &id };
    let mut paths: Vec<String> =
        state.graph().resources_of(subject, VM_TYPE).map(|found| found.object.id.into()).collect();
    paths.sort_unstable();
    paths
}

fn vm_path(vm: &str) -> String {
    format!("/{}/", segment::encode(vm))
}

/// On what one must be allowed [`LOGIN`] to be this Linux user of that VM: the id of an object of [`VM_TYPE`]. `None` if no VM can
/// have such an id, or no user such a name.
pub fn login_place(vm: &str, user: &str) -> Option<String> {
    (check_vm("vmId", vm).is_ok() && is_user(user))
        .then(|| format!("{}{}/", vm_path(vm), segment::encode(user)))
}

/// The relationship behind a VM (`user` is `None`) or one of its users.
fn login(identity: Uuid, vm: &str, user: Option<&str>) -> Result<Key, Refusal> {
    let mut id = vm_path(vm);
    if let Some(user) = user {
        id.push_str(&segment::encode(user));
        id.push('/');
    }
    let identity = identity.to_string();
    let subject = SubjectRef::Object(ObjectRef { kind: "identity", id: &identity });
    key("vmId", ObjectRef { kind: VM_TYPE, id: &id }, LOGIN, subject)
}

pub(crate) fn check_vm(field: &'static str, vm: &str) -> Result<(), Refusal> {
    if vm.is_empty() || vm.len() > 255 || vm.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, "must be 1 to 255 bytes without control characters"));
    }
    Ok(())
}

/// A Linux user name: `[a-z_][a-z0-9_.-]{0,31}\$?`, neither `.` nor `..`.
fn is_user(user: &str) -> bool {
    let name = user.strip_suffix('$').unwrap_or(user);
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = letters.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b));
    first && rest && name.len() <= 32
}

fn check_users(users: &[String]) -> Result<(), Refusal> {
    if !users.iter().all(|user| is_user(user)) {
        return Err(Refusal::invalid(
            "allowedUsers",
            "each entry must be a Linux user name, `[a-z_][a-z0-9_.-]{0,31}` and perhaps a `$`",
        ));
    }
    if users.len() > 1_000 {
        return Err(Refusal::invalid("allowedUsers", "must have at most 1000 entries"));
    }
    Ok(())
}

/// The keys that stand for a list of users.
fn keys(identity: Uuid, vm: &str, allowed: Option<&[String]>) -> Result<Vec<Key>, Refusal> {
    let Some(users) = allowed else { return Ok(vec![login(identity, vm, None)?]) };
    check_users(users)?;
    let mut users: Vec<&str> = users.iter().map(String::as_str).collect();
    users.sort_unstable();
    users.dedup();
    users.into_iter().map(|user| login(identity, vm, Some(user))).collect()
}

fn sorted(allowed: Option<&[String]>) -> Option<Vec<String>> {
    allowed.map(|users| {
        let mut users = users.to_vec();
        users.sort_unstable();
        users.dedup();
        users
    })
}

/// Opens a VM to an identity.
pub struct GrantVm {
    /// Whose.
    pub identity: Uuid,
    /// The VM's opaque id.
    pub vm: String,
    /// `None`: every Linux user.
    pub allowed_users: Option<Vec<String>>,
}

impl Command for GrantVm {
    type Answer = VmGrantView;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<VmGrantView>, Refusal> {
        let identity = Identity::changeable(state, self.identity)?;
        check_vm("vmId", &self.vm)?;
        let keys = keys(self.identity, &self.vm, self.allowed_users.as_deref())?;
        if identity.vm_grant(&self.vm).is_some() {
            return Err(Refusal::exists(Noun::VmGrant, &self.vm));
        }
        let (id, restricted) = (cx.entropy.uuid(), self.allowed_users.is_some());
        let mut changes =
            vec![Change::VmGranted { identity: self.identity, vm: self.vm.clone(), id, restricted }];
        changes.extend(keys.into_iter().map(Change::grant));
        let answer = VmGrantView {
            id,
            vm: self.vm.clone(),
            identity: self.identity,
            allowed_users: sorted(self.allowed_users.as_deref()),
            granted_at: cx.now,
        };
        Ok(Decision::all(changes, answer))
    }
}

/// Changes who may log in. The grant's id and time stay.
pub struct UpdateVmGrant {
    /// Whose.
    pub identity: Uuid,
    /// The VM's opaque id.
    pub vm: String,
    /// `None`: every Linux user.
    pub allowed_users: Option<Vec<String>>,
}

impl Command for UpdateVmGrant {
    type Answer = VmGrantView;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<VmGrantView>, Refusal> {
        let identity = Identity::changeable(state, self.identity)?;
        let wanted = keys(self.identity, &self.vm, self.allowed_users.as_deref())?;
        let before =
            describe(state, identity, &self.vm).ok_or_else(|| Refusal::not_found(Noun::VmGrant, &self.vm))?;
        let held = keys(self.identity, &self.vm, before.allowed_users.as_deref())?;
        let restricted = self.allowed_users.is_some();
        let mut changes = Vec::new();
        if restricted != before.allowed_users.is_some() {
            changes.push(Change::VmGrantChanged { identity: self.identity, vm: self.vm.clone(), restricted });
        }
        let gone = held.iter().filter(|key| !wanted.contains(key));
        changes.extend(gone.map(|key| Change::RelationshipDeleted { key: key.clone() }));
        changes.extend(wanted.into_iter().filter(|key| !held.contains(key)).map(Change::grant));
        let answer = VmGrantView { allowed_users: sorted(self.allowed_users.as_deref()), ..before };
        Ok(Decision::all(changes, answer))
    }
}

/// Closes a VM to an identity.
pub struct RevokeVm {
    /// Whose.
    pub identity: Uuid,
    /// The VM's opaque id.
    pub vm: String,
}

impl Command for RevokeVm {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        Identity::changeable(state, self.identity)?;
        Ok(Decision::all(revoked(state, self.identity, &self.vm)?, ()))
    }
}

/// What closes a VM to an identity.
pub(crate) fn revoked(state: &State, identity: Uuid, vm: &str) -> Result<Vec<Change>, Refusal> {
    let before = describe(state, Identity::find(state, identity)?, vm);
    let before = before.ok_or_else(|| Refusal::not_found(Noun::VmGrant, vm))?;
    let mut changes = vec![Change::VmGrantRevoked { identity, vm: vm.to_owned() }];
    let held = keys(identity, vm, before.allowed_users.as_deref())?;
    changes.extend(held.into_iter().map(|key| Change::RelationshipDeleted { key }));
    Ok(changes)
}
