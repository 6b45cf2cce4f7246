//! What others appended while a batch was decided: whose answers may be remembered by now.

use std::collections::HashSet;

use grantd_ledger::entry::CommandId;

/// The commands of entries that were read meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Others {
    commands: HashSet<CommandId>,
    /// There were entries that nobody could read, since they are in an archive.
    unread: bool,
}

impl Others {
    /// There was an entry of this command.
    pub(crate) fn note(&mut self, command: CommandId) {
        self.commands.insert(command);
    }

    /// There were entries of whatever commands.
    pub(crate) fn note_unread(&mut self) {
        self.unread = true;
    }

    /// Whether there was nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty() && !self.unread
    }

    /// Whether there may have been an entry of this command.
    pub(crate) fn may_hold(&self, command: &CommandId) -> bool {
        self.unread || self.commands.contains(command)
    }
}
