//! Which connection sshd asks about.

/// What tells it from others on this machine: sshd has a process for each, which is the one that called us. Its number comes again some day, but not
/// with the same time of start.
pub(super) fn of_parent() -> String {
    let parent = std::os::unix::process::parent_id();
    let stat = std::fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    format!("{parent} {}", started(&stat).unwrap_or_default())
}

/// The 22nd field of `/proc/<pid>/stat`: when the process started, in ticks since the machine did. The second one, its name in brackets, may hold anything.
fn started(stat: &str) -> Option<&str> {
    let (_, behind_the_name) = stat.rsplit_once(')')?;
    behind_the_name.split_ascii_whitespace().nth(19)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn the_start_of_a_process_is_found_behind_any_name() {
        let stat = "77 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 4242 22";
        assert_eq!(started(stat), Some("19"));
        assert_eq!(started(""), None);
    }

    #[test]
    fn there_is_always_a_parent() {
        assert!(of_parent().split(' ').all(|word| word.parse::<u64>().unwrap() > 0));
    }
}
