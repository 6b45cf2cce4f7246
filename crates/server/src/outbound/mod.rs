//! Connections that this server makes to others: the address that was judged is the address that is connected to.
//!
//! Where to is said by people and by documents of other servers, so it may lead into the operator's own network. A name is
//! judged by what it resolves to, each time; there is a connection for each request, since one that is kept would have been judged
//! long ago. No proxy is used, and no redirect is followed.

mod authorities;
mod connect;
mod public;

pub use authorities::read_authorities;
pub(crate) use connect::{ConnectError, Connector};
pub(crate) use public::is_public;
