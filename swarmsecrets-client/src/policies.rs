//! The policies in force.

use swarmsecrets_core::Result;
use swarmsecrets_core::policy::Guard;
use swarmsecrets_host::policies_in_force;

/// The policies that are in force for a client: the one that is installed on the machine, and those that it is given.
pub struct Policies {
    /// Those that it was given.
    given: Vec<Guard>,
    /// Those and the installed one, which holds where the world is not simulated.
    all: Vec<Guard>,
}

impl Policies {
    /// Those of a world that is simulated for sure, or of any other one.
    ///
    /// # Errors
    /// `Settings` if the installed one cannot be read or is not good. That is said before anything is sent, and so also where
    /// the answers would tell of a simulation.
    pub fn new(given: Vec<Guard>, simulated: bool) -> Result<Self> {
        // The installed one comes first: it says who approves.
        let all = policies_in_force(&[], simulated)?.into_iter().chain(given.iter().cloned()).collect();
        Ok(Self { given, all })
    }

    /// These and no others, for a program that has read the installed one itself and knows its world.
    #[must_use]
    pub fn as_read(all: Vec<Guard>) -> Self {
        Self { given: all.clone(), all }
    }

    /// All that may be in force, whatever the world turns out to be.
    #[must_use]
    pub fn all(&self) -> &[Guard] {
        &self.all
    }

    /// Whether those of a simulated world are other ones than those of a real one.
    pub(crate) fn depend_on_the_world(&self) -> bool {
        self.all.len() > self.given.len()
    }

    /// Those of a world.
    #[must_use]
    pub fn in_world(&self, simulated: bool) -> &[Guard] {
        if simulated { &self.given } else { &self.all }
    }
}
