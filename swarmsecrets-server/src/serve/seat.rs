//! Whom a token lets in, and what they act by.

use std::ops::Deref;
use std::sync::Arc;

use swarmsecrets_client::{Client, ReadOnlyClient};
use swarmsecrets_core::executor::Attempt;
use swarmsecrets_core::ids::quoted;
use swarmsecrets_core::{Error, ErrorKind, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::plans::Plans;
use crate::wire::Caller;

/// So many requests of one caller are answered at the same time: each may read a whole Swarm.
const AT_ONCE: usize = 8;

/// What a caller acts by.
pub enum Held {
    /// One that changes nothing.
    ReadOnly(Box<ReadOnlyClient>),
    /// One that also carries out.
    Full(Arc<Client>),
}

/// A caller: an agent, what it acts by, and what was planned for it.
pub struct Seat {
    agent: String,
    held: Held,
    pub(super) plans: Plans,
    turns: Arc<Semaphore>,
    /// Whether it is said what may be changed.
    governed: bool,
}

/// A caller whose turn it is, while it has this.
pub(super) struct Turn {
    seat: Arc<Seat>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Waits until fewer than [`AT_ONCE`] requests of this caller are answered.
    pub(super) async fn of(seat: &Arc<Seat>) -> Self {
        let turn = Arc::clone(&seat.turns).acquire_owned().await.ok();
        Self { seat: Arc::clone(seat), _turn: turn }
    }
}

impl Deref for Turn {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Seat {
    /// The seat of the agent that the client acts for.
    ///
    /// # Errors
    /// `Settings` if the client acts for none: then nobody could tell callers apart.
    pub fn new(held: Held) -> Result<Self> {
        let agent = match &held {
            Held::ReadOnly(client) => client.agent(),
            Held::Full(client) => client.agent(),
        };
        let agent = agent.ok_or_else(|| Error::new(ErrorKind::Settings, "a caller is no agent: give it an id"))?;
        let (agent, turns) = (agent.to_owned(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut seat = Self { agent, held, plans: Plans::default(), turns, governed: false };
        // As it is known now: an answer that says later that all is simulated gives no leave.
        seat.governed = seat.reading().simulated() || !seat.reading().guards().is_empty();
        Ok(seat)
    }

    /// The agent.
    pub(super) fn agent(&self) -> &str {
        &self.agent
    }

    pub(super) fn caller(&self) -> Caller {
        Caller { schema: 1, agent: self.agent.clone(), read_only: matches!(self.held, Held::ReadOnly(_)) }
    }

    /// What it reads, plans and asks by.
    pub(super) fn reading(&self) -> &ReadOnlyClient {
        match &self.held {
            Held::ReadOnly(client) => client,
            Held::Full(client) => client,
        }
    }

    /// What it changes something by. There is no person at the other end who could give the key holder's word: the operator gave it, with
    /// a policy that says what may be done. Without one nothing is changed, but in a simulation. An attempt that is refused is told to the
    /// audit trail, in these words.
    pub(super) async fn writing(&self, words: &str) -> Result<Arc<Client>> {
        let why = match &self.held {
            Held::Full(client) if self.governed => return Ok(Arc::clone(client)),
            Held::Full(_) => "no policy says what may be changed through this server: start it with one".to_owned(),
            Held::ReadOnly(_) => {
                format!("the server lets the agent {} read and plan, and change nothing", quoted(&self.agent))
            }
        };
        let error = Error::new(ErrorKind::Denied, why);
        self.reading().tell_refused(Attempt::Act(words), &error, None).await?;
        Err(error)
    }
}
