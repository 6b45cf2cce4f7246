//! Why somebody is not signed in by a provider.

use grantd_node::realm::linked_account::NotSignedIn;

use crate::face::CallError;

/// See the module. The texts are for who wanted to sign in; the log knows more.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum OidcError {
    /// Nobody signs in to this realm by a provider.
    #[error("there is no such sign-in here")]
    Unserved,
    /// Not a sign-in that this browser has begun within ten minutes and not finished yet.
    #[error("that sign-in is too old, was used already, or began in another browser. Begin again")]
    Stale,
    /// The provider said that there is nothing to finish.
    #[error("the provider did not sign you in. Begin again, or sign in with your password")]
    Declined,
    /// The provider cannot be reached, or makes no sense.
    #[error("the provider cannot be reached now. Try again in a moment, or sign in with your password")]
    Down,
    /// The provider takes the code for none of ours, or what it gave for it does not hold.
    #[error(
        "the provider's answer does not prove who you are. Begin again; if it stays like this, tell an administrator"
    )]
    Unproven,
    /// The token was over when it came.
    #[error("the provider's answer is too old. Begin again")]
    Expired,
    /// It is proved who somebody is, and they do not get in.
    #[error(transparent)]
    NotSignedIn(#[from] NotSignedIn),
    /// The call went wrong.
    #[error(transparent)]
    Call(#[from] CallError),
}
