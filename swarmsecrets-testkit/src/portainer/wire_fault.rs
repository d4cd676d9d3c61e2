//! What goes wrong between a client and Portainer.

use std::time::Duration;

use crate::sim::Dice;

/// What goes wrong between the client and Portainer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// No connection: nothing is sent.
    Unreachable,
    /// The request is carried out, Portainer's part included, and its answer is lost.
    LoseAnswer,
    /// The request is carried out after this time has passed on the clock.
    Delay(Duration),
    /// Something on the way answers in Portainer's place, and nothing is carried out.
    Answer(u16, String),
    /// The request is carried out, and something on the way answers this in place of the true answer.
    Mask(u16, String),
}

impl WireFault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unreachable => "no connection",
            Self::LoseAnswer => "lost answer",
            Self::Delay(_) => "slow answer",
            Self::Answer(401 | 403, _) => "refused (401, 403)",
            Self::Answer(..) => "failed before commit",
            Self::Mask(..) => "failed after commit",
        }
    }

    /// One of the bad answers that were recorded, or that what stands before Portainer gives: of the kind 4 or 5 the request is
    /// carried out all the same, of the others it is not.
    pub(crate) fn bad_answer(kind: u64, write: bool, dice: &mut Dice) -> Self {
        let words = |text: &str| format!("{{\"message\":\"{text}\"}}");
        match kind {
            4 | 5 => Self::Mask(*dice.pick(&[500, 502, 504]).unwrap_or(&500), words("bad gateway")),
            6 => Self::Answer(401, words("A valid authorisation token is missing")),
            7 => Self::Answer(403, words("access denied to resource")),
            8 if write => Self::Answer(500, words("rpc error: code = Unknown desc = update out of sequence")),
            _ => Self::Answer(*dice.pick(&[500, 502, 503, 429]).unwrap_or(&500), words("not now")),
        }
    }
}
