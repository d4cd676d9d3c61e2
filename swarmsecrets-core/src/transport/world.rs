//! Whether what answers is a simulation.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Whether what answers is a simulation. It says so in each answer and may not change its mind: a plan made on a simulation
/// must not be carried out on a real Swarm that came to stand in its place, nor the other way round.
#[derive(Debug, Default)]
pub struct World(AtomicU8);

const UNKNOWN: u8 = 0;
const REAL: u8 = 1;
const SIMULATED: u8 = 2;

impl World {
    /// Whether it is. Before the first answer it is not known, and counts as real.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.0.load(Ordering::Relaxed) == SIMULATED
    }

    /// Takes note of a good answer to a request, which `what` describes, that came with
    /// [`SIMULATED_HEADER`](super::SIMULATED_HEADER) or without.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] if an earlier answer said otherwise.
    pub fn saw(&self, simulated: bool, what: &str) -> Result<()> {
        let now = if simulated { SIMULATED } else { REAL };
        match self.0.compare_exchange(UNKNOWN, now, Ordering::Relaxed, Ordering::Relaxed) {
            Err(before) if before != now => Err(Error::new(
                ErrorKind::Protocol,
                format!("cannot {what}: at this URL a simulation and a real Portainer answer by turns"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_keeps_its_kind() {
        let world = World::default();
        assert!(!world.is_simulated());
        assert!(world.saw(true, "look").is_ok() && world.saw(true, "look").is_ok());
        assert!(world.is_simulated());
        assert_eq!(world.saw(false, "look").unwrap_err().kind(), ErrorKind::Protocol);
        assert!(world.is_simulated());
    }
}
