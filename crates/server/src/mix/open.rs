//! Callers without a credential, where the setting lets them in: on this machine only.

use grantd_node::realm::Caller;
use grantd_node::realm::caller::{Actor, Authority};
use http::{HeaderMap, header, uri};

use super::Call;
use crate::app::App;
use crate::csrf::is_same_origin;
use crate::face::Shown;

/// Who asks, and who decides: without credentials nobody can tell them apart, so they count as two.
const ASKER: &str = "mix";
const DECIDER: &str = "mix-approver";

/// Who calls without a credential, if the dialect is open.
///
/// The address is loopback, but a browser on this machine reaches it for anybody's page. So a page of another site is nobody
/// here, and neither is one whose own name was made to lead here: it sends that name as the host.
pub(super) fn nobody(app: &App, shown: &Shown<'_>) -> Option<Caller> {
    let lets_in = app.mix_open && is_same_origin(app, shown.headers) && names_this_machine(shown.headers);
    lets_in.then(|| caller(ASKER))
}

/// The same call, where it decides.
pub(super) fn deciding(mut call: Call) -> Call {
    if call.caller.actor == Actor::System(ASKER) {
        call.caller = caller(DECIDER);
    }
    call
}

fn caller(name: &'static str) -> Caller {
    let conferred = [Authority::Requester, Authority::Approver].into_iter().collect();
    Caller { actor: Actor::System(name), conferred: Some(conferred) }
}

/// Whether the request was sent to `localhost` or a loopback address, by that name.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(authority) = host.and_then(|host| host.parse::<uri::Authority>().ok()) else { return false };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn only_this_machine_is_named() {
        let named = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            names_this_machine(&headers)
        };
        for host in ["localhost", "LOCALHOST:8088", "127.0.0.1:7070", "127.8.0.1", "[::1]:8088", "[::1]"] {
            assert!(named(host), "{host}");
        }
        for host in ["localhost.example", "127.0.0.1.example:80", "10.0.0.1", "example:7070", "[::2]", ""] {
            assert!(!named(host), "{host}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
