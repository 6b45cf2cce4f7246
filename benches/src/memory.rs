//! What Linux says about a process's memory.

use anyhow::Context as _;

/// A line of a process's status, in bytes: `VmRSS` is what is resident, `VmHWM` the most that ever was. `self` is this
/// process.
pub(crate) fn of_process(id: &str, line: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let value = status
        .lines()
        .find_map(|found| found.strip_prefix(line)?.strip_prefix(':'))
        .with_context(|| format!("no `{line}` in the status of process {id}"))?;
    Ok(value.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1_024.0)
}
