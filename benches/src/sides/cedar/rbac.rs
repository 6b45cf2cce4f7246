//! Casbin's RBAC benchmark for Cedar: users are in roles, a resource's attributes say which roles may do what to it, and there is
//! one policy for each of five actions.

use std::collections::{HashMap, HashSet};

use cedar_policy::Entity;

use super::{Cedar, none, set, uid};
use crate::data::rbac::{Rbac, resource, role, user};

const POLICIES: &str = r#"
permit (principal, action == Action::"read", resource) when { principal in resource.readers };
permit (principal, action == Action::"write", resource) when { principal in resource.writers };
permit (principal, action == Action::"share", resource) when { principal in resource.sharers };
permit (principal, action == Action::"delete", resource) when { principal in resource.deleters };
permit (principal, action == Action::"admin", resource) when { principal in resource.admins };
"#;

/// One size of it.
pub(crate) fn build(rbac: Rbac) -> anyhow::Result<Cedar> {
    let mut entities = Vec::new();
    for n in 0..rbac.users {
        let roles = HashSet::from([uid("Role", &role(n / 10))?]);
        entities.push(Entity::new_no_attrs(uid("User", &user(n))?, roles));
    }
    for n in 0..rbac.roles() {
        entities.push(Entity::new_no_attrs(uid("Role", &role(n))?, none()));
    }
    for n in 0..rbac.resources() {
        let readers =
            (n * 10..n * 10 + 10).map(|n| uid("Role", &role(n))).collect::<anyhow::Result<Vec<_>>>()?;
        let mut attributes = HashMap::from([("readers".to_owned(), set(readers))]);
        for other in ["writers", "sharers", "deleters", "admins"] {
            attributes.insert(other.to_owned(), set([]));
        }
        entities.push(Entity::new(uid("Resource", &resource(n))?, attributes, none())?);
    }
    Cedar::new(POLICIES, entities, "Resource")
}
