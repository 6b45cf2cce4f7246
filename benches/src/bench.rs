//! What the workloads of one run share.

use std::rc::Rc;

use crate::http::closed;
use crate::http::requests::{Request, check_path};
use crate::http::server::Server;
use crate::http::site::Site;
use crate::options::Options;
use crate::table::Table;

/// One run.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) table: Table,
    small: Option<Rc<Site>>,
    large: Option<Rc<Site>>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, table: Table::default(), small: None, large: None }
    }

    /// A server with a small realm, made when it is first needed.
    pub(crate) fn small(&mut self) -> anyhow::Result<Rc<Site>> {
        site(&mut self.small, self.options.small)
    }

    /// A server with a large realm, made when it is first needed: that takes minutes.
    pub(crate) fn large(&mut self) -> anyhow::Result<Rc<Site>> {
        site(&mut self.large, self.options.large)
    }

    /// The server with the large realm, for somebody who must stop it and gives one back.
    pub(crate) fn take_large(&mut self) -> anyhow::Result<Site> {
        let site = self.large()?;
        self.large = None;
        Rc::try_unwrap(site).map_err(|_| anyhow::anyhow!("another workload still holds the large realm"))
    }

    pub(crate) fn give_large(&mut self, site: Site) {
        self.large = Some(Rc::new(site));
    }

    /// Where a server is asked one question.
    pub(crate) fn check_path(&self, server: &Server) -> anyhow::Result<String> {
        check_path(server, self.options.check_path.as_deref())
    }

    /// Asks over so many connections for half a pair: requests a second, and microseconds of the server's processor for each.
    pub(crate) fn half(
        &self,
        server: &Server,
        connections: usize,
        requests: &Rc<[Request]>,
    ) -> anyhow::Result<(f64, f64)> {
        let before = server.cpu_seconds()?;
        let requests = requests.clone();
        let served = closed::run(server.addr, connections, self.options.half, move |n| {
            // The next one by a stride that shares no factor with their number, which is a power of two.
            requests[(n as usize).wrapping_mul(7_919) % requests.len()].clone()
        })?;
        Ok((served.per_second, (server.cpu_seconds()? - before) / served.requests as f64 * 1e6))
    }
}

fn site(of: &mut Option<Rc<Site>>, relationships: usize) -> anyhow::Result<Rc<Site>> {
    if let Some(site) = of {
        return Ok(site.clone());
    }
    let site = Rc::new(Site::make(relationships, None)?);
    *of = Some(site.clone());
    Ok(site)
}
