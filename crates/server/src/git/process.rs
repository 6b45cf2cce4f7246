//! A process with everything that it starts, and its end.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::timeout;

/// How long git may take to put away what it has begun, before it is killed: its locks and what it had received.
const GRACE: Duration = Duration::from_millis(500);

/// The first process of a group of its own. Dropped before it has ended, it is ended with all of its group.
pub(super) struct Process {
    child: Option<Child>,
    group: Option<Pid>,
    /// Its three streams.
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
    /// Held until the process is gone.
    held: Box<dyn Send>,
}

impl Process {
    /// Of a child that was started as the first of its group.
    pub(super) fn new(mut child: Child) -> io::Result<Self> {
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Ok(Self { child: Some(child), group, stdin, stdout, stderr, held: Box::new(()) })
    }

    /// Keeps something for as long as the process is there, however it ends.
    pub(super) fn hold(&mut self, held: impl Send + 'static) {
        self.held = Box::new(held);
    }

    /// Waits until it ends by itself. True if it says that all is well.
    pub(super) async fn finish(mut self) -> bool {
        let Some(child) = &mut self.child else { return false };
        let status = child.wait().await;
        // It has ended and is known to; a group of that number may be somebody else's from now on.
        self.child = None;
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Nobody has waited for it yet, so the number is still its own.
        signal(self.group, Signal::TERM);
        let (group, held) = (self.group, std::mem::replace(&mut self.held, Box::new(())));
        // Without a runtime the whole process is about to end, and what it leaves ends with its streams.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            tokio::time::sleep(GRACE).await;
            signal(group, Signal::KILL);
            let _gone = timeout(GRACE, child.wait()).await;
            drop(held);
        });
    }
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // That there is none any more is what is wanted.
        let _gone = kill_process_group(group, signal);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::process::Stdio;

    use tokio::io::AsyncReadExt as _;
    use tokio::process::Command;
    use tokio::sync::oneshot;

    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        Process::new(command.spawn().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn the_whole_group_ends_with_it() {
        // A child of the child that takes no SIGTERM holds the stream, which ends when it does.
        let mut process = shell("(trap '' TERM; echo ready; sleep 1000) & wait");
        let mut stdout = process.stdout.take().unwrap();
        let mut ready = [0; 6];
        stdout.read_exact(&mut ready).await.unwrap();
        let (held, let_go) = oneshot::channel::<()>();
        process.hold(held);
        drop(process);
        assert_eq!(stdout.read(&mut ready).await.unwrap(), 0);
        assert!(let_go.await.is_err(), "what was held is let go");
    }

    #[tokio::test]
    async fn one_that_ends_by_itself_says_how() {
        assert!(shell("exit 0").finish().await);
        assert!(!shell("exit 1").finish().await);
    }
}
