//! The bodies of both versions, as on the wire. The order of members is that of the documentation.

use serde::Serialize;

use super::paging::Links;

/// A permission in v1: five members, always.
#[derive(Debug, Serialize)]
pub(super) struct PermissionV1<'a> {
    pub(super) resource: &'static str,
    pub(super) id: &'a str,
    pub(super) description: &'a str,
    /// What somebody should know who grants it.
    pub(super) warning: Option<&'a str>,
    pub(super) granted: bool,
}

/// A page of permissions in v1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListV1<'a> {
    /// Of all pages.
    pub(super) total_count: usize,
    pub(super) offset: usize,
    /// Of this page.
    pub(super) count: usize,
    pub(super) data: Vec<PermissionV1<'a>>,
    pub(super) links: Links,
}

/// A permission in v2.
#[derive(Debug, Serialize)]
pub(super) struct PermissionV2<'a> {
    pub(super) resource: &'static str,
    pub(super) id: &'a str,
    pub(super) description: &'a str,
    pub(super) granted: bool,
    #[serde(rename = "_links")]
    pub(super) links: LinksV2,
}

/// Every permission in v2.
#[derive(Debug, Serialize)]
pub(super) struct ListV2<'a> {
    pub(super) count: usize,
    #[serde(rename = "_embedded")]
    pub(super) embedded: Embedded<'a>,
    #[serde(rename = "_links")]
    pub(super) links: LinksV2,
}

#[derive(Debug, Serialize)]
pub(super) struct Embedded<'a> {
    pub(super) permissions: Vec<PermissionV2<'a>>,
}

/// Who gave the token. Clients want a text for the address of mail; grantd knows of none.
#[derive(Debug, Serialize)]
pub(super) struct OrganizationV2<'a> {
    pub(super) resource: &'static str,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) email: &'static str,
    pub(super) locale: Option<&'static str>,
    #[serde(rename = "_links")]
    pub(super) links: LinksV2,
}

/// HAL's links.
#[derive(Debug, Serialize)]
pub(super) struct LinksV2 {
    #[serde(rename = "self")]
    own: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<Link>,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl LinksV2 {
    /// To the thing itself.
    pub(super) fn own(href: String) -> Self {
        Self { own: Link { href, kind: HAL }, documentation: None }
    }

    /// To the thing itself and to what is written about it.
    pub(super) fn documented(href: String, documentation: String) -> Self {
        let documentation = Link { href: documentation, kind: "text/html" };
        Self { documentation: Some(documentation), ..Self::own(href) }
    }
}

/// The type of v2's bodies.
pub(super) const HAL: &str = "application/hal+json";
/// The type of v1's bodies.
pub(super) const JSON: &str = "application/json; charset=utf-8";
