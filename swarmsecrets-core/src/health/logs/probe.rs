//! The probe of log anomalies: reads a service's log through Portainer.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::frames::Frames;
use super::line::LogLine;
use super::tally::{Counts, Searches, Tally};
use super::verdict::judge;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Exec;
use crate::health::{Baseline, Health, HealthProbe, Target};
use crate::ids::{EnvironmentId, quoted};
use crate::transport::{Chunks, LogRange, Read, Transport};

/// How long before the rotation a log is looked at.
const LOOKBACK: Duration = Duration::from_secs(600);
/// How many lines of each task are asked for, the newest.
const TAIL: u32 = 5_000;
/// How long a log is read.
const DEADLINE: Duration = Duration::from_secs(60);

/// Reads the log of a service, and tells refused credentials and unusual errors.
///
/// - Unhealthy: lines that say a credential was refused, more than the baseline explains. Servers and clients in common use
///   are known by their wording.
/// - Inconclusive: more error lines than the baseline explains, a log that this account may not read, that cannot be read
///   whole, or a service that runs no task.
///
/// Only lines of the tasks that run count. Nothing that a line says is kept, and a reason shows only words
/// that are common in logs.
pub struct LogProbe<'a> {
    transport: &'a dyn Transport,
    environment: EnvironmentId,
    clock: &'a dyn Clock,
    searches: Searches,
    deadline: Duration,
}

impl<'a> LogProbe<'a> {
    /// A probe that reads through this transport.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if its patterns cannot be set up.
    pub fn new(transport: &'a dyn Transport, environment: EnvironmentId, clock: &'a dyn Clock) -> Result<Self> {
        Ok(Self { transport, environment, clock, searches: Searches::new()?, deadline: DEADLINE })
    }

    /// How long a log may be read: 60 seconds if not set. A log that takes longer makes the probe inconclusive.
    /// A silence within it is the transport's to end.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Counts what the log says from `begun` on.
    async fn count<'t>(&'t self, target: &'t Target, begun: Timestamp) -> Result<(Tally<'t>, Counts)> {
        let range = LogRange { since: Some(begun), tail: TAIL };
        let mut stream = self.transport.stream(&Read::logs(self.environment, &target.service, &range)).await?;
        let mut tally = Tally::new(&self.searches, target, TAIL);
        self.drain(stream.as_mut(), target, &mut tally).await?;
        let counts = tally.counts(begun, self.clock.now().wall);
        Ok((tally, counts))
    }

    async fn drain(&self, stream: &mut dyn Chunks, target: &Target, tally: &mut Tally<'_>) -> Result<()> {
        let until = self.clock.now().mono + self.deadline;
        let mut frames = Frames::new();
        while let Some(piece) = stream.next().await? {
            frames.feed(&piece, &mut |source, line| tally.add(&LogLine::parse(source, line)));
            if frames.is_broken() {
                return Err(unreadable(target, ErrorKind::Protocol, "is no stream of log lines"));
            }
            if self.clock.now().mono >= until {
                return Err(unreadable(target, ErrorKind::Timeout, "is too long to be read in time"));
            }
        }
        frames.end(&mut |source, line| tally.add(&LogLine::parse(source, line)));
        Ok(())
    }

    async fn judged(&self, target: &Target, baseline: &Baseline) -> Result<Health> {
        let before: Counts = baseline.read()?;
        let Some(since) = target.since() else {
            return Ok(Health::inconclusive(format!("{} runs no task whose log could be read", quoted(&target.name))));
        };
        let (tally, now) = self.count(target, since).await?;
        Ok(judge(&target.name, &tally, &before, &now, target.tasks.len() as u64))
    }
}

fn unreadable(target: &Target, kind: ErrorKind, why: &str) -> Error {
    Error::new(kind, format!("the log of {} {why}", quoted(&target.name)))
}

#[async_trait]
impl HealthProbe for LogProbe<'_> {
    fn name(&self) -> &str {
        "logs"
    }

    async fn baseline(&self, target: &Target, _: &dyn Exec) -> Result<Baseline> {
        let now = self.clock.now().wall;
        let begun = now.saturating_sub(LOOKBACK).unwrap_or(Timestamp::MIN);
        // A service that began later was watched for less long.
        let begun = target.since().map_or(begun, |since| since.max(begun).min(now));
        let (_, counts) = self.count(target, begun).await?;
        Baseline::of(&counts)
    }

    async fn check(&self, target: &Target, baseline: &Baseline, _: &dyn Exec) -> Health {
        match self.judged(target, baseline).await {
            Ok(health) => health,
            Err(error) => Health::inconclusive(error.to_string()),
        }
    }
}
