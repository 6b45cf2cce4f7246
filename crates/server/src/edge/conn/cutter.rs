//! Ends a connection from within a request.

use std::sync::Arc;

use super::Watch;

/// The connection that a request came in on, for who must end a long answer at once; in the request's extensions.
#[derive(Clone)]
pub struct Cutter(pub(super) Arc<Watch>);

impl Cutter {
    /// Resets the connection: what is on its way to the other side is lost, be it in our buffers or in theirs. An answer that just
    /// stops would still be read to its last byte, which takes a slow reader long. One of HTTP/2 with other requests on it stays: there
    /// the end of the answer resets its stream, behind what the system has taken of it already.
    pub fn cut(&self) {
        self.0.cut();
    }
}
