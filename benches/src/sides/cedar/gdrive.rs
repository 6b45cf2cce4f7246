//! The document store for Cedar, in the form of its published benchmark: what a user may view is found by way of one entity for each
//! user and group that stands for their views, and what they own is in attributes.

use std::collections::{HashMap, HashSet};

use cedar_policy::{Entity, EntityUid, RestrictedExpression};

use super::{Cedar, none, set, uid};
use crate::data::gdrive::{Drive, N, document, folder, group, user};

const POLICIES: &str = r#"
permit (principal, action == Action::"read", resource) when { resource.isPublic };
permit (principal, action == Action::"read", resource) when { resource in principal.views };
permit (principal, action in [Action::"read", Action::"write", Action::"share"], resource)
when { resource in principal.ownedDocuments };
permit (principal, action in [Action::"read", Action::"write", Action::"share"], resource)
when { resource in principal.ownedFolders };
permit (principal, action == Action::"change_owner", resource) when { principal.ownedDocuments.contains(resource) };
"#;

fn uids(kind: &str, numbers: &[usize], name: fn(usize) -> String) -> anyhow::Result<HashSet<EntityUid>> {
    numbers.iter().map(|n| uid(kind, &name(*n))).collect()
}

fn user_views(n: usize) -> String {
    format!("User {}", user(n))
}

fn group_views(n: usize) -> String {
    format!("Group {}", group(n))
}

/// The store at its one size.
pub(crate) fn build(drive: &Drive) -> anyhow::Result<Cedar> {
    let mut entities = Vec::new();
    for action in crate::data::gdrive::ACTIONS {
        entities.push(Entity::new_no_attrs(uid("Action", action)?, none()));
    }
    for n in 0..N {
        let attributes = HashMap::from([
            ("views".to_owned(), RestrictedExpression::new_entity_uid(uid("View", &user_views(n))?)),
            ("ownedDocuments".to_owned(), set(uids("Document", &drive.owned_documents[n], document)?)),
            ("ownedFolders".to_owned(), set(uids("Folder", &drive.owned_folders[n], folder)?)),
        ]);
        let groups = uids("Group", &drive.groups[n], group)?;
        entities.push(Entity::new(uid("User", &user(n))?, attributes, groups)?);
        entities.push(Entity::new_no_attrs(uid("View", &user_views(n))?, none()));

        let members: Vec<_> = (0..N).filter(|who| drive.groups[*who].contains(&n)).collect();
        entities.push(Entity::new_no_attrs(uid("Group", &group(n))?, none()));
        entities
            .push(Entity::new_no_attrs(uid("View", &group_views(n))?, uids("View", &members, user_views)?));

        let viewers = |[users, groups]: &[Vec<Vec<usize>>; 2]| -> anyhow::Result<HashSet<EntityUid>> {
            let mut viewers = uids("View", &users[n], user_views)?;
            viewers.extend(uids("View", &groups[n], group_views)?);
            Ok(viewers)
        };
        let mut parents = viewers(&drive.folder_viewers)?;
        parents.extend(uids("Folder", &drive.parents[n], folder)?);
        entities.push(Entity::new_no_attrs(uid("Folder", &folder(n))?, parents));

        let mut parents = viewers(&drive.document_viewers)?;
        parents.extend(uids("Folder", &drive.folders[n], folder)?);
        let public = RestrictedExpression::new_bool(drive.public[n]);
        let attributes = HashMap::from([("isPublic".to_owned(), public)]);
        entities.push(Entity::new(uid("Document", &document(n))?, attributes, parents)?);
    }
    Cedar::new(POLICIES, entities, "Document")
}
