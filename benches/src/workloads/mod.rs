//! One workload a file: each measures something and adds its rows to the table.

mod batch;
mod evaluation;
mod gdrive;
mod granted;
mod import;
mod latency;
mod memory;
mod opening;
mod rbac;
mod scale;
mod shapes;
mod writes;

use crate::bench::Bench;

/// A workload by name.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&mut Bench) -> anyhow::Result<()>,
}

/// All of them, in the order of the table.
pub(crate) const ALL: [Workload; 12] = [
    Workload { name: "rbac", about: "check in process, casbin's RBAC at three sizes", run: rbac::run },
    Workload { name: "scale", about: "check in process at ten million relationships", run: scale::run },
    Workload { name: "memory", about: "bytes a relationship", run: memory::run },
    Workload { name: "gdrive", about: "check in process, Cedar's document store", run: gdrive::run },
    Workload { name: "shapes", about: "check in process, SpiceDB's shapes", run: shapes::run },
    Workload { name: "import", about: "a large realm: import, search, a write", run: import::run },
    Workload { name: "evaluation", about: "one evaluation over HTTP", run: evaluation::run },
    Workload { name: "granted", about: "what an access token is good for, over HTTP", run: granted::run },
    Workload { name: "batch", about: "a thousand evaluations in one request", run: batch::run },
    Workload { name: "latency", about: "99th percentile under writes", run: latency::run },
    Workload { name: "opening", about: "opening a large realm", run: opening::run },
    Workload { name: "writes", about: "durable single-grant writes", run: writes::run },
];

pub(crate) use memory::in_this_process as memory_in_this_process;
