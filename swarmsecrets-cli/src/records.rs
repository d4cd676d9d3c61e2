//! Where this run's journal and audit trail are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use swarmsecrets_core::audit::{AuditSink, Entry};
use swarmsecrets_core::journal::{JournalStore, MemoryJournal};
use swarmsecrets_core::policy::audit_in_force;
use swarmsecrets_host::{FileJournal, open_intents, state_dir};
use swarmsecrets_postgres::PostgresJournal;
use swarmsecrets_settings::audit_trail;
use swarmsecrets_testkit::Forgotten;

use crate::app::App;
use crate::args::RecordArgs;
use crate::exit::Failure;
use crate::settings::journal_database;
use crate::world::World;

/// The journal and the audit trail.
pub(crate) struct Records {
    journal: Arc<dyn JournalStore>,
    audit: Arc<dyn AuditSink>,
    /// The file of the trail, if it is kept.
    trail: Option<PathBuf>,
}

impl Records {
    /// Opens the folder that was named, or the one that fits the world. A simulation never shares one with a real
    /// Portainer: it has its own beside its state file, and none at all if it is not kept. With a database, the journal is
    /// there, and the folder has the audit trail. The sinks that a policy names beside that are written to by what is real alone.
    pub(crate) fn open(args: &RecordArgs, app: &App, world: &World) -> Result<Self, Failure> {
        if args.journal_db_file.is_some() && world.simulated() {
            let text = "--journal-db-file keeps real journals, and this world is simulated: leave one of them out";
            return Err(Failure::usage(text));
        }
        let folder = match (args.journal.as_deref(), world.state_file()) {
            (Some(folder), _) => folder.to_owned(),
            (None, Some(state)) => beside(state),
            (None, None) if world.simulated() => {
                let journal = Arc::new(MemoryJournal::default());
                return Ok(Self { journal, audit: Arc::new(Forgotten), trail: None });
            }
            (None, None) => state_dir()?,
        };
        let database = match world.simulated() {
            true => None,
            false => journal_database(args.journal_db_file.as_deref(), &app.environment)?,
        };
        let journal: Arc<dyn JournalStore> = match database {
            Some(url) => Arc::new(PostgresJournal::at(&url)?),
            None => Arc::new(FileJournal::open(&folder)?),
        };
        let sinks = audit_in_force(world.guards())?;
        if sinks.is_some() && world.simulated() {
            app.console.note("note: this world is simulated: the audit sinks that the policy names are not written to");
        }
        let audit = audit_trail(&folder, sinks.filter(|_| !world.simulated()))?;
        Ok(Self { journal, audit: Arc::new(audit), trail: Some(folder.join("audit.jsonl")) })
    }

    /// The intents without an outcome of rotations that nobody goes on with.
    pub(crate) async fn left_open(&self) -> swarmsecrets_core::Result<Vec<Entry>> {
        match &self.trail {
            Some(trail) => open_intents(trail, self.journal()).await,
            None => Ok(Vec::new()),
        }
    }

    /// The journal, the audit trail and its file, for clients that share them.
    pub(crate) fn shared(self) -> (Arc<dyn JournalStore>, Arc<dyn AuditSink>, Option<PathBuf>) {
        (self.journal, self.audit, self.trail)
    }

    /// The journal.
    pub(crate) fn journal(&self) -> &dyn JournalStore {
        &*self.journal
    }

    /// The audit trail.
    pub(crate) fn audit(&self) -> &dyn AuditSink {
        &*self.audit
    }
}

/// The folder that goes with a simulated world's state file.
fn beside(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_keeps_its_journal_beside_its_state() {
        assert_eq!(beside(Path::new("/a/s.json")), PathBuf::from("/a/s.json.journal"));
    }
}
