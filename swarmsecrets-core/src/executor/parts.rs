//! What a rotation is carried out with.

use super::progress::{Cancellation, Observer};
use super::values::Values;
use crate::audit::AuditSink;
use crate::clock::Clock;
use crate::generate::Random;
use crate::ids::EnvironmentId;
use crate::journal::JournalStore;
use crate::policy::Word;
use crate::transport::Transport;

/// What an [`Executor`](super::Executor) works with.
pub struct Parts<'a> {
    /// The way to Portainer.
    pub transport: &'a dyn Transport,
    /// The environment.
    pub environment: EnvironmentId,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where journals are kept.
    pub journal: &'a dyn JournalStore,
    /// Where the audit trail goes.
    pub audit: &'a dyn AuditSink,
    /// Is told what happens.
    pub observer: &'a dyn Observer,
    /// Asks to stop.
    pub cancellation: Cancellation,
    /// The AI agent that acts, if one does.
    pub agent: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the holder of the key has said yes.
    pub word: Word,
}

/// Where the values of new versions come from.
pub struct Supply<'a> {
    /// Those that are handed over.
    pub values: Values,
    /// Randomness: for rotation ids, and for values that are generated.
    pub random: &'a mut dyn Random,
}
