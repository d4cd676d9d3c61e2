//! What was begun and what is in hand, as limits count it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counters::Beginning;
use super::limits::{Rate, Tally};
use crate::duration::short;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{RotationId, quoted, ticked};

/// What was begun and what is in hand. Whoever keeps it for longer than one process writes it down before anything is done.
///
/// Time never goes back in it: what is counted is counted by the latest time that it was ever told, so that a clock that is set
/// back makes no room.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    latest: Option<Timestamp>,
    begun: Vec<Begun>,
    in_hand: Vec<InHand>,
}

/// Something that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    limit: String,
    whose: String,
    rotation: RotationId,
    secrets: u32,
    at: Timestamp,
    /// Until when the limit that had it written down looks back on it.
    until: Timestamp,
}

/// A rotation that is in hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InHand {
    limit: String,
    whose: String,
    rotation: RotationId,
    /// Whether it has begun: then it is in hand until it ends, also where its process is gone.
    begun: bool,
}

impl Ledger {
    /// Counts a rotation, if all limits have room for it. One that is counted already is not counted again. What was about to
    /// begin in a process that is gone, of which `alive` tells, is not in hand any more.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`], with the limit, and when there is room again.
    pub fn begin(&mut self, beginning: &Beginning, alive: impl Fn(&RotationId) -> bool) -> Result<()> {
        let now = self.latest.map_or(beginning.now, |latest| latest.max(beginning.now));
        self.latest = Some(now);
        self.begun.retain(|begun| begun.until > now);
        self.in_hand.retain(|held| held.begun || alive(&held.rotation));
        let rotation = &beginning.rotation;
        for tally in &beginning.tallies {
            self.check_rate(tally, rotation, now)?;
            self.check_at_once(tally, rotation)?;
        }
        for tally in &beginning.tallies {
            self.count(tally, rotation, now);
        }
        Ok(())
    }

    /// The rotation has begun: it is in hand until it ends, whatever becomes of its process.
    pub fn keep(&mut self, rotation: &RotationId) {
        self.in_hand.iter_mut().filter(|held| held.rotation == *rotation).for_each(|held| held.begun = true);
    }

    /// The rotation is not in hand any more. Gives whether it was.
    pub fn end(&mut self, rotation: &RotationId) -> bool {
        let before = self.in_hand.len();
        self.in_hand.retain(|held| held.rotation != *rotation);
        self.in_hand.len() < before
    }

    /// Its text, which [`Ledger::from_json`] reads back.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be written.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let kept = Kept { schema: SCHEMA, ledger: self.clone() };
        serde_json::to_vec(&kept)
            .map_err(|e| Error::new(ErrorKind::Io, "what was counted cannot be written").with_source(e))
    }

    /// Reads it from its text.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it is none.
    pub fn from_json(text: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::Io, "it holds no counts of this version: it was damaged or changed");
        let kept: Kept = serde_json::from_slice(text).map_err(|e| bad().with_source(e))?;
        if kept.schema == SCHEMA { Ok(kept.ledger) } else { Err(bad()) }
    }

    fn check_rate(&self, tally: &Tally, rotation: &RotationId, now: Timestamp) -> Result<()> {
        let Some(rate) = tally.rate else { return Ok(()) };
        let of =
            |begun: &&Begun| begun.limit == tally.limit && begun.whose == tally.whose && begun.rotation != *rotation;
        let mut ends: Vec<(Timestamp, u32)> =
            self.begun.iter().filter(of).map(|begun| (ends(begun.at, rate), begun.secrets)).collect();
        ends.retain(|(end, _)| *end > now);
        ends.sort_unstable();
        let used = ends.iter().fold(0, |used: u32, (_, secrets)| used.saturating_add(*secrets));
        let over = used.saturating_add(tally.secrets).saturating_sub(rate.at_most);
        if over == 0 {
            return Ok(());
        }
        let limit = format!("at most {} may be begun in {}{}", rate.at_most, short(rate.per), of_whom(tally));
        if tally.secrets > rate.at_most {
            let text = format!("{limit}, and the plan has {}: make smaller plans", tally.secrets);
            return Err(denied(tally, &text));
        }
        let left = |gone: &mut u32, (end, secrets): &(Timestamp, u32)| {
            *gone = gone.saturating_add(*secrets);
            Some((*end, *gone))
        };
        let free = ends.iter().scan(0, left).find(|(_, gone)| *gone >= over).map_or(now, |(end, _)| end);
        Err(denied(tally, &format!("{limit}, and {used} were; there is room again at {free}")))
    }

    fn check_at_once(&self, tally: &Tally, rotation: &RotationId) -> Result<()> {
        let Some(at_once) = tally.at_once else { return Ok(()) };
        let of = |held: &&InHand| held.limit == tally.limit && held.whose == tally.whose && held.rotation != *rotation;
        let held: Vec<&str> = self.in_hand.iter().filter(of).map(|held| held.rotation.as_str()).collect();
        if held.len() < usize::try_from(at_once).unwrap_or(usize::MAX) {
            return Ok(());
        }
        // A few are enough to go on with.
        let named = ticked(held.iter().copied().take(3));
        let text = format!(
            "at most {at_once} may be in hand at once{}, and {} are: {named}; there is room again when one ends: if its process is gone, `swarmsecrets resume ID` or `swarmsecrets rollback ID`",
            of_whom(tally),
            held.len()
        );
        Err(denied(tally, &text))
    }

    fn count(&mut self, tally: &Tally, rotation: &RotationId, now: Timestamp) {
        let (limit, whose) = (&tally.limit, &tally.whose);
        let begun = |begun: &Begun| begun.limit == *limit && begun.whose == *whose && begun.rotation == *rotation;
        if let Some(rate) = tally.rate
            && !self.begun.iter().any(begun)
        {
            let (limit, whose, rotation) = (limit.clone(), whose.clone(), rotation.clone());
            let until = ends(now, rate);
            self.begun.push(Begun { limit, whose, rotation, secrets: tally.secrets, at: now, until });
        }
        let held = |held: &InHand| held.limit == *limit && held.whose == *whose && held.rotation == *rotation;
        if tally.at_once.is_some() && !self.in_hand.iter().any(held) {
            let (limit, whose, rotation) = (limit.clone(), whose.clone(), rotation.clone());
            self.in_hand.push(InHand { limit, whose, rotation, begun: false });
        }
    }
}

/// The version of the text.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Kept {
    schema: u32,
    ledger: Ledger,
}

/// When something that was begun then is not looked back on any more.
fn ends(at: Timestamp, rate: Rate) -> Timestamp {
    at.checked_add(rate.per).unwrap_or(Timestamp::MAX)
}

fn of_whom(tally: &Tally) -> String {
    if tally.whose.is_empty() { String::new() } else { format!(" for {}", quoted(&tally.whose)) }
}

fn denied(tally: &Tally, why: &str) -> Error {
    let text = format!("denied by policy: {} (limit {}): {why}", tally.reason, quoted(&tally.limit));
    Error::new(ErrorKind::Denied, text)
}
